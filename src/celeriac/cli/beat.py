"""``celeriac beat``: run one scheduler of periodic tasks until it is told to stop. As many as you like, on any machines.

In a tick's life: before it. Here only options, log and signals; the loop is ``beat.service``. Does not know: entries, stores.
"""

from __future__ import annotations

import click

from celeriac import __version__
from celeriac.app.app import Celery
from celeriac.app.log_setup import LogPlan, install_logging, redirected_stdouts
from celeriac.beat.choosing import Scheduling, scheduling_of
from celeriac.beat.naming import beat_nodename
from celeriac.beat.pinging import answering_pings
from celeriac.cli.beat_process import run, warn_of_memory
from celeriac.cli.daemon import daemon_of, daemon_options
from celeriac.cli.option_types import plain_name
from celeriac.cli.program import Program, pass_program
from celeriac.cli.store_urls import store_urls
from celeriac.cli.superuser import check_superuser
from celeriac.cli.user_options import OpenCommand
from celeriac.cli.worker import configure, log_level


@click.command("beat", cls=OpenCommand)
@click.option("-s", "--schedule", metavar="FILE", help="Name of the timetable; where the broker cannot keep one, its file.")
@click.option(
    "-S", "--scheduler", metavar="CLASS", help="Another scheduler, of Celery's interface: module:Class, or the name of a plug-in."
)
@click.option("--max-interval", type=click.FloatRange(min=0), metavar="SECONDS", help="Longest pause between two looks.")
@click.option("--enable-remote-control/--no-enable-remote-control", "remote_control", default=None, help="Answer a ping.")
@click.option("-n", "--hostname", type=plain_name, metavar="NAME", help="Its name: %h host, %n its first part, %d its domain.")
@click.option("-l", "--loglevel", type=log_level, metavar="LEVEL", default="WARNING", show_default=True, help="As of a worker.")
@click.option("-f", "--logfile", metavar="FILE", help="Log file.  [default: stderr]")
@click.option("--detach", is_flag=True, help="Leave the terminal; return when it has looked once, or say why it has not.")
@daemon_options
@click.argument("settings", nargs=-1, metavar="[SETTING=VALUE]...")
@pass_program
def command(
    program: Program,
    schedule: str | None,
    scheduler: str | None,
    max_interval: float | None,
    remote_control: bool | None,
    hostname: str | None,
    loglevel: int,
    logfile: str | None,
    detach: bool,
    settings: tuple[str, ...],
) -> int:
    """Send periodic tasks when they are due, until it is told to stop.

    Each tick is sent once, however many beats run: one leads, the others stand by. `celeriac schedule` shows and changes entries.
    Settings may follow, as in timezone=Europe/Berlin.
    """
    app = program.load()
    configure(app, (), settings)
    name = beat_nodename(hostname)
    daemon = daemon_of(app.settings.beat, node=name, logfile=logfile)
    if detach and (code := daemon.detach()) is not None:
        return code
    daemon.become()
    app.import_tasks()
    app.finalize()
    app.set_current()
    app.set_default()
    worker, beat = app.settings.worker, app.settings.beat
    plan = LogPlan(settings=worker, node=name, level=loglevel, file=logfile or beat.logfile, color=program.color)
    handled = install_logging(plan)
    check_superuser(app.settings.general.accept_content)
    warn_of_memory(app)
    chosen = scheduling_of(app, scheduler=scheduler, file=schedule, max_interval_s=max_interval)
    if not program.quiet:
        click.echo(introduction(app, chosen, name))
    wanted = beat.enable_remote_control if remote_control is None else remote_control
    pinged = answering_pings(app, chosen, name=name, wanted=wanted)
    with daemon.holding_pid_file(), redirected_stdouts(worker, handled=handled), pinged:
        return run(chosen)


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
