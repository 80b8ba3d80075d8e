"""``celeriac shim``: put celeriac in the place of Celery in this environment, and back.

In a program's life: before it. Does not know: how that is done (``shim_swap``).
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path

import click

from celeriac.cli.output import as_json, print_json
from celeriac.cli.shim_swap import Place, ShimRefused, Standing, install, look, remove, shim_source, this_place


@click.group("shim")
def command() -> None:
    """Let `import celery` and the command `celery` mean celeriac in this environment, or Celery again."""


@command.command("install")
@click.option("--force", is_flag=True, help="Also outside of a virtual environment.")
def install_command(force: bool) -> None:
    """Put the shim in the place of Celery; a real one is kept aside. Needs no network, and may be repeated."""
    place = changeable(force)
    before = install(place, shim_source())
    if before.ours and before.whole:
        click.echo("The shim was there; it was written anew.")
    click.echo(told(look(place), place))
    warn_of_another(place)


@command.command("remove")
@click.option("--force", is_flag=True, help="Also outside of a virtual environment.")
def remove_command(force: bool) -> None:
    """Take the shim away, and bring the real Celery back, if there was one."""
    place = changeable(force)
    click.echo(told(remove(place), place))


@command.command("status")
@as_json
def status_command(as_json: bool) -> None:
    """Say what `celery` means in this environment."""
    place = this_place()
    standing = look(place)
    if as_json:
        print_json({
            "active": name_of(standing), "version": standing.version, "whole": standing.whole, "aside": standing.aside,
            "environment": str(place.prefix), "imported_from": imported_from(),
        })  # fmt: skip
        return
    click.echo(told(standing, place))
    warn_of_another(place)


def changeable(force: bool, *, prefix: str = sys.prefix, base: str = sys.base_prefix) -> Place:
    """Return the environment of this interpreter, if it may be changed: a virtual one has another ``base``.

    Raises:
        ShimRefused: it is the system's own.
    """
    if prefix == base and not force:
        raise ShimRefused(f"{prefix} is no virtual environment: other programs may need its Celery; --force does it all the same")
    return this_place()


def name_of(standing: Standing) -> str | None:
    """Return who answers to the name."""
    if standing.version is None and not standing.ours:
        return None
    return "celeriac" if standing.ours else "celery"


def told(standing: Standing, place: Place) -> str:
    """Say it in a sentence or two."""
    match name_of(standing):
        case None:
            active = f"There is no celery in {place.prefix}."
        case "celeriac":
            active = f"`celery` is celeriac in {place.prefix}: its shim, version {standing.version}."
        case _:
            active = f"`celery` is Celery {standing.version} in {place.prefix}."
    if not standing.whole:
        active += " It is not complete: repeat `celeriac shim install` or `remove`, or install Celery again."
    if standing.aside is not None:
        active += f" Celery {standing.aside} is kept aside; `celeriac shim remove` brings it back."
    return active


def imported_from() -> str | None:
    """Return the file that ``import celery`` reads here, whatever is installed."""
    spec = PathFinder.find_spec("celery", sys.path)
    return spec.origin if spec is not None else None


def another(place: Place) -> str | None:
    """Return the file of a ``celery`` that Python finds and that is not the environment's."""
    origin = imported_from()
    return None if origin is None or Path(origin).is_relative_to(place.package) else origin


def warn_of_another(place: Place) -> None:
    """Say when Python finds a ``celery`` that is not the environment's."""
    if (origin := another(place)) is not None:
        click.echo(f"But Python finds another one first: {origin}", err=True)


def active_celery() -> str:
    """Say for a report which distribution answers to ``import celery``."""
    place = this_place()
    standing = look(place)
    aside = f"; Celery {standing.aside} kept aside" if standing.aside else ""
    known = {
        None: "not installed",
        "celeriac": f"{standing.version}, celeriac's shim",
        "celery": f"{standing.version}, the real one",
    }
    origin = another(place)
    return known[name_of(standing)] + aside + (f"; but imported from {origin}" if origin else "")
