"""Commands that other packages add to ``celeriac``: entry points of the groups ``celeriac.commands`` and ``celery.commands``.

In a program's life: before it, when the name of none of our own commands was given, or help was asked for. One that cannot be
imported says so when it is called, and harms no other. Commands written for Celery find on ``ctx.obj`` what they find there in
Celery (``plugin_context.py``); those of our own group find the ``Program``. Does not know: what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import click

from celeriac.app import signals
from celeriac.cli.plugin_classes import consume_preload_options
from celeriac.cli.plugin_context import PluginContext
from celeriac.cli.program import Program
from celeriac.cli.user_options import OpenCommand

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

OURS: Final = "celeriac.commands"
CELERYS: Final = "celery.commands"
_FOUND: Final = "celeriac.plugin"


@cache
def found() -> Mapping[str, EntryPoint]:
    """Return the added commands by name. Of two of one name that of our own group counts."""
    from importlib.metadata import entry_points  # late: costs 15 ms, and most calls name a command of ours

    return {point.name: point for group in (CELERYS, OURS) for point in sorted(entry_points(group=group))}


def origin(name: str) -> str:
    """Say where a command comes from."""
    dist = found()[name].dist
    return f"From {dist.name} {dist.version}." if dist is not None else f"From {found()[name].value}."


def find(name: str, ctx: click.Context) -> click.Command | None:
    """Import a command; one that cannot be is replaced by one that says why."""
    if name not in found():
        return None
    try:
        command = found()[name].load()
    except (Exception, SystemExit) as error:
        return _broken(name, f"{type(error).__name__}: {error}")
    if not isinstance(command, click.Command):
        return _broken(name, f"it is no click.Command but {command!r}")
    # A copy: what ``open_up`` adds is for this run.
    ctx.meta[_FOUND] = mine = copy(command)
    mine.params = list(command.params)
    return mine


def open_up(name: str, program: Program, ctx: click.Context) -> object:
    """Add the app's options of every command to an added one, and return what it finds on ``ctx.obj``."""
    command: click.Command | None = ctx.meta.get(_FOUND)
    ours = found()[name].group == OURS
    if command is not None and not isinstance(command, OpenCommand) and (added := program.user_options("preload")):
        command.params += added
        command.callback = _telling(command.callback, program, added) if ours else consume_preload_options(command.callback)
    if ours:
        return program
    return PluginContext(program.reach, not program.color, program.workdir, program.quiet)


def _telling(run: Callable[..., Any] | None, program: Program, added: Sequence[click.Parameter]) -> Callable[..., Any]:
    names = [option.name or "" for option in added]

    def told(*args: Any, **values: Any) -> Any:
        options = {name: values.pop(name) for name in names if name in values}
        signals.user_preload_options.send(run, app=program.load(), options=options)
        return run(*args, **values) if run is not None else None

    return told


def _broken(name: str, reason: str) -> click.Command:
    def refuse() -> None:
        raise click.ClickException(f"the command {name!r} ({origin(name).removesuffix('.').lower()}) cannot be used: {reason}")

    return click.Command(
        name,
        callback=refuse,
        params=[click.Argument(["words"], nargs=-1, expose_value=False, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True},
        help=f"Cannot be used: {reason}",
    )
