"""``celeriac events``: the events of a fleet, on a screen, as lines, or in pictures that a camera takes.

Does not know: what a camera does with its pictures. Options: Celery's reference of ``celery events``.
"""

from __future__ import annotations

import logging
from contextlib import suppress

import click

from celeriac.app.app import Celery
from celeriac.app.log_setup import LogPlan, install_logging, level_number
from celeriac.app.monitoring.dumper import Dumper
from celeriac.app.monitoring.snapshot import camera_of
from celeriac.app.overseer import Overseer
from celeriac.cli.breaking_off import ended_by_sigterm
from celeriac.cli.daemon import asked_for, daemon_of, daemon_options
from celeriac.cli.failures import OK
from celeriac.cli.output import as_json as json_option
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenCommand


def log_level(text: str | int) -> int:
    """Parse the name or the number of a level."""
    try:
        return level_number(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("events", cls=OpenCommand)
@click.option("-d", "--dump", is_flag=True, help="Print each event.")
@click.option("-c", "--camera", metavar="CLASS", help="Take pictures with this class, such as module.Camera.")
@click.option("-D", "--detach", is_flag=True, help="With -c: leave the terminal.")
@click.option("-F", "--frequency", "--freq", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True,
              metavar="SECONDS", help="Between two pictures.")  # fmt: skip
@click.option("-r", "--maxrate", metavar="RATE", help="No more pictures than these, such as 10/m.")
@click.option("-l", "--loglevel", type=log_level, default="WARNING", metavar="LEVEL", help="Level of the log.")
@click.option("-f", "--logfile", metavar="FILE", help="Log file.  [default: stderr]")
@daemon_options
@json_option
@pass_program
def command(
    program: Program,
    dump: bool,
    camera: str | None,
    detach: bool,
    frequency: float,
    maxrate: str | None,
    loglevel: int,
    logfile: str | None,
    as_json: bool,
) -> int:
    """Watch events: on a screen, with -d as lines, with -c in pictures.

    Nodes tell of tasks with -E, or after `celeriac control enable_events`; of themselves always.
    """
    if dump and camera:
        raise click.UsageError("either -d or -c: events are printed, or pictures are taken")
    if detach and not camera:
        raise click.UsageError("--detach goes with -c: what is printed or shown needs a terminal")
    if not camera and (words := asked_for()):
        raise click.UsageError(f"{words[0]} goes with -c: only a camera is a daemon")
    if dump or as_json:
        return dump_events(program.reach(), as_json=as_json, quiet=program.quiet)
    if camera:
        app = program.load()
        daemon = daemon_of(app.settings.events, node="events@here", logfile=logfile)
        if detach and (code := daemon.detach()) is not None:
            return code
        daemon.become()
        with daemon.holding_pid_file():
            set_log_up(app, program, loglevel, daemon.logfile)
            return take_pictures(app, camera, frequency=frequency, maxrate=maxrate, quiet=program.quiet)
    from celeriac.cli.screens import run_screen  # late: a terminal screen is an extra

    return run_screen("events", program.reach())


def dump_events(app: Celery, *, as_json: bool, quiet: bool) -> int:
    """Print events until interrupted."""
    dumper = Dumper(as_json=as_json)
    if not (as_json or quiet):
        dumper.say("-> evdump: starting capture...")
    with suppress(KeyboardInterrupt), ended_by_sigterm():
        app.events.Receiver(app.connection_for_read(), handlers={"*": dumper.on_event}).capture()
    return OK


def take_pictures(app: Celery, camera: str, *, frequency: float, maxrate: str | None, quiet: bool) -> int:
    """Take pictures until interrupted."""
    state = app.events.State()
    made = camera_of(camera)(state, app=app, freq=frequency, maxrate=maxrate)
    if not quiet:
        click.echo(f"-> evcam: Taking snapshots with {camera} (every {frequency} secs.)")
    connection = app.connection_for_read().connect()
    receiver = app.events.Receiver(connection, handlers={"*": state.event})
    Overseer().ready(f"takes pictures with {camera}")
    with suppress(KeyboardInterrupt), ended_by_sigterm(), made:
        receiver.capture()
    return OK


def set_log_up(app: Celery, program: Program, level: int, file: str | None) -> None:
    """Send the log where the options say."""
    settings = app.settings.worker
    install_logging(
        LogPlan(settings=settings, node="events@here", level=level or logging.WARNING, file=file, color=program.color, json=False)
    )
