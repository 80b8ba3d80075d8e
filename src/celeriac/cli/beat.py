"""``celeriac beat``: run one scheduler of periodic tasks until it is told to stop. As many as you like, on any machines.

In a tick's life: before it. Here only options, log and signals; the loop is ``beat.service``. Does not know: entries, stores.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from typing import Final

import click

from celeriac import __version__
from celeriac.app.app import Celery
from celeriac.app.log_setup import LogPlan, install_logging, redirected_stdouts
from celeriac.beat.choosing import Scheduling, scheduling_of
from celeriac.cli.option_types import plain_name
from celeriac.cli.program import Program, pass_program
from celeriac.cli.store_urls import store_urls
from celeriac.cli.user_options import OpenCommand
from celeriac.cli.worker import configure, log_level

NAME: Final = "celerybeat"
"""What stands before ``@host`` in its name."""


@click.command("beat", cls=OpenCommand)
@click.option("-s", "--schedule", metavar="FILE", help="Name of the timetable; where the broker cannot keep one, its file.")
@click.option(
    "-S", "--scheduler", metavar="CLASS", help="Another scheduler, of Celery's interface: module:Class, or the name of a plug-in."
)
@click.option("--max-interval", type=click.FloatRange(min=0), metavar="SECONDS", help="Longest pause between two looks.")
@click.option("-n", "--hostname", type=plain_name, metavar="NAME", help="Its name: %h host, %n its first part, %d its domain.")
@click.option("-l", "--loglevel", type=log_level, metavar="LEVEL", default="WARNING", show_default=True, help="As of a worker.")
@click.option("-f", "--logfile", metavar="FILE", help="Log file.  [default: stderr]")
@click.argument("settings", nargs=-1, metavar="[SETTING=VALUE]...")
@pass_program
def command(
    program: Program,
    schedule: str | None,
    scheduler: str | None,
    max_interval: float | None,
    hostname: str | None,
    loglevel: int,
    logfile: str | None,
    settings: tuple[str, ...],
) -> int:
    """Send periodic tasks when they are due, until it is told to stop.

    Each tick is sent once, however many beats run: one leads, the others stand by. `celeriac schedule` shows and changes entries.
    Settings may follow, as in timezone=Europe/Berlin.
    """
    app = program.load()
    configure(app, (), settings)
    app.import_tasks()
    app.finalize()
    app.set_current()
    app.set_default()
    name = beat_name(hostname)
    logfile = logfile or app.settings.beat.logfile
    worker = app.settings.worker
    handled = install_logging(LogPlan(settings=worker, node=name, level=loglevel, file=logfile, color=program.color))
    chosen = scheduling_of(app, scheduler=scheduler, file=schedule, max_interval_s=max_interval, name=name)
    if not program.quiet:
        click.echo(introduction(app, chosen, name))
    with redirected_stdouts(worker, handled=handled):
        return run(chosen)


def run(chosen: Scheduling, *, embedded: bool = False) -> int:
    """Run it in the main thread until a signal ends it; return the exit code."""
    hear(chosen.stop)
    log = logging.getLogger("celeriac.beat")
    log.info("beat: Starting...")
    chosen.run(embedded=embedded)
    log.info("beat: Shutting down...")
    return 0


def hear(stop: Callable[[], None]) -> None:
    """Stop after the look that is under way at the first SIGTERM or Ctrl-C; at the second, at once."""

    def heard(number: int, frame: object) -> None:
        del frame
        signal.signal(number, signal.SIG_DFL)
        stop()

    signal.signal(signal.SIGTERM, heard)
    signal.signal(signal.SIGINT, heard)


def beat_name(given: str | None) -> str:
    """Return the name of a beat: ``celerybeat@host``, or what was given, with ``%h``, ``%n`` and ``%d`` filled in."""
    host = os.uname().nodename
    first, _, domain = host.partition(".")
    name = given or f"{NAME}@%h"
    if "@" not in name:
        name = f"{NAME}@{name}"
    for mark, meaning in (("%h", host), ("%n", first), ("%d", domain), ("%%", "%")):
        name = name.replace(mark, meaning)
    return name


def introduction(app: Celery, chosen: Scheduling, name: str) -> str:
    """Return what is shown at the start."""
    broker, _ = store_urls(app)
    lines = [
        f"celeriac beat {__version__} is starting: {name}",
        f"  broker      {broker}",
        f"  scheduler   {chosen.described}",
        f"  looks       every {chosen.interval_s:g} s at the latest",
    ]
    return "\n".join(lines)
