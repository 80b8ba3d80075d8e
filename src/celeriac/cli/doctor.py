"""``celeriac doctor``: look for what is wrong, or will be: settings, stores, versions, queues nobody serves.

Nothing is changed. What is looked at is in ``checkup/``; here it is put together, told, and made an exit code.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Generator, Iterator

import click

from celeriac import __version__
from celeriac.app.app import Celery
from celeriac.app.builtin import is_builtin
from celeriac.app.parts.assembly import driver_options
from celeriac.cli.checkup.contradictions import Facts, TaskFacts, contradictions
from celeriac.cli.checkup.fleet import fleet_remarks
from celeriac.cli.output import as_json, print_json, printable
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenCommand
from celeriac.core.errors import CeleriacError, ImproperlyConfigured
from celeriac.core.remark import Level, Remark
from celeriac.drivers.examining import examine

_CODES = {Level.FINE: 0, Level.WARNING: 1, Level.ERROR: 2}
_COLORS = {Level.FINE: "green", Level.WARNING: "yellow", Level.ERROR: "red"}


@click.command("doctor", cls=OpenCommand)
@as_json
@pass_program
def command(program: Program, as_json: bool) -> int:
    """Look for what is wrong; exit code 0: nothing, 1: warnings, 2: errors.

    Looks at settings that contradict each other, at the stores, at nodes, queues and dead letters. Changes nothing.
    """
    app = program.load() if program.app is not None or program.given is not None else program.reach()
    found = list(looked_at(app))
    if as_json:
        print_json([{"level": remark.level, "about": remark.about, "text": remark.text} for remark in found])
    else:
        for remark in found:
            if remark.level is not Level.FINE or not program.quiet:
                level = click.style(f"{remark.level:<8}", fg=_COLORS[remark.level]) if program.color else f"{remark.level:<8}"
                click.echo(f"{level}{printable(remark.about)}: {printable(remark.text)}")
    return max(_CODES[remark.level] for remark in found)


def looked_at(app: Celery) -> Iterator[Remark]:
    """Look at everything, from the settings to the fleet."""
    yield Remark.fine("celeriac", f"{__version__}, Python {platform.python_version()}, {platform.system()}")
    try:
        app.import_tasks()
        yield from contradictions(facts_of(app))
    except ImproperlyConfigured as error:  # each alone is wrong, or the app cannot be made of them
        yield Remark.error("settings", str(error))
        return
    if (yield from _stores(app)):
        try:
            yield from fleet_remarks(app.store, app.routed_queues(), version=__version__)
        except CeleriacError as error:
            yield Remark.error("store", str(error))


def facts_of(app: Celery) -> Facts:
    """Return what the rules for settings need to know."""
    places = app.places
    return Facts(
        settings=app.settings,
        said=frozenset(app.conf.without_defaults()),
        broker=places.broker,
        results=places.results,
        tasks=[
            TaskFacts(name, task.time_limit, task.soft_time_limit) for name, task in app.tasks.items() if not is_builtin(name)
        ],
        is_root=os.geteuid() == 0,
    )


def _stores(app: Celery) -> Generator[Remark, None, bool]:
    """Look at broker and result backend; return whether the broker answers."""
    options, places = driver_options(app.settings), app.places
    answers = True
    for about, url, given in (("broker", places.broker, options.broker), ("result backend", places.results, options.results)):
        if url is None or (about == "result backend" and url == places.broker):
            continue
        try:
            found = list(examine(url, options=given, runtime=app.runtime, environ=os.environ))
        except CeleriacError as error:
            answers = answers and about != "broker"
            yield Remark.error(about, str(error))
            continue
        for remark in found:
            yield Remark(remark.level, f"{about} ({remark.about})", remark.text)
    return answers
