"""``celeriac worker``: start one node, show who it is, run it until it is told to stop.

In a job's life: what must be there before anything runs. Here only options, log and banner; the node is ``worker.start``.
Does not know: children, leases, stores.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

import click

from celeriac import __version__
from celeriac.app.app import Celery
from celeriac.app.builtin import is_builtin
from celeriac.app.log_setup import LogPlan, enter_child, install_logging, level_number, redirected_stdouts
from celeriac.cli.again import begin_again
from celeriac.cli.banner import Portrait, banner
from celeriac.cli.companion import accompanied
from celeriac.cli.daemon import daemon_of, daemon_options
from celeriac.cli.extra_settings import extra_settings
from celeriac.cli.option_types import comma_list, plain_name, queue_list, tasks_at_a_time
from celeriac.cli.pool_options import kibibytes, most_and_least, pool_name
from celeriac.cli.program import Program, pass_program
from celeriac.cli.store_urls import store_urls
from celeriac.cli.superuser import check_superuser
from celeriac.cli.user_options import OpenCommand, given
from celeriac.worker import announce
from celeriac.worker.birth import this_birth
from celeriac.worker.instance import Worker
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import Plan, node_name, plan_node
from celeriac.worker.stopping import Stopping, stop_terms

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL")
NOTHING_TO_SWITCH = "Taken for Celery's sake: there is no such thing to switch off."


def log_level(text: str | int) -> int:
    """Parse the name or the number of a level."""
    try:
        return level_number(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("worker", cls=OpenCommand)
@click.option(
    "-n",
    "--hostname",
    type=plain_name,
    metavar="NAME",
    help="Name of the node: %h host, %n its first part, %d its domain.  [default: celery@%h]",
)
@click.option(
    "-l",
    "--loglevel",
    type=log_level,
    metavar="LEVEL",
    default="WARNING",
    show_default=True,
    help=f"{', '.join(LEVELS)}, or a number.",
)
@click.option(
    "-f", "--logfile", metavar="FILE", help="Log file: %n and %h are the node's, %i, %I its processes'.  [default: stderr]"
)
@click.option("--log-format", type=click.Choice(["text", "json"]), help="Lines, or a JSON object on each line.")
@click.option(
    "-c", "--concurrency", type=tasks_at_a_time, metavar="N|auto", help="Tasks at a time; 0 or auto: one for each core."
)
@click.option(
    "-P",
    "--pool",
    type=pool_name,
    metavar="POOL",
    help="How tasks run: prefork (or processes), threads, asyncio, gevent, eventlet, solo (here), custom, or a class of lanes.",
)
@click.option("--processes", type=click.IntRange(min=1), metavar="N", help="Processes, each of -c tasks at a time.")
@click.option(
    "--autoscale", type=most_and_least, metavar="MOST,LEAST", help="So many processes by what there is to do; for prefork."
)
@click.option(
    "--pool-start-method",
    type=click.Choice(["fork", "forkserver", "spawn"]),
    help="How processes begin: forked from a clean template, or fresh interpreters.",
)
@click.option("-Q", "--queues", type=queue_list, metavar="A,B,...", help="Serve these queues.")
@click.option("-X", "--exclude-queues", type=comma_list, metavar="A,B,...", default=(), help="Do not serve these queues.")
@click.option("-I", "--include", type=comma_list, metavar="A,B,...", default=(), help="Import these modules too.")
@click.option("--purge", "--discard", is_flag=True, help="First delete what waits in the queues.")
@click.option("--time-limit", type=float, help="Hard limit of a run, seconds: its process is replaced.")
@click.option("--soft-time-limit", type=float, help="Soft limit of a run, seconds: an exception in the task.")
@click.option("--max-tasks-per-child", type=click.IntRange(min=1), help="Replace a process after so many tasks.")
@click.option(
    "--max-memory-per-child",
    type=kibibytes,
    metavar="KIB|+KIB",
    help="Replace a process that holds more, or that has grown by so much since it was ready.",
)
@click.option("--disable-prefetch", is_flag=True, default=None, help="Hold no message that cannot be started at once.")
@click.option("--prefetch-multiplier", type=click.IntRange(min=0), help="At most so many messages held for each slot; 0: no cap.")
@click.option("-O", "--optimization", type=click.Choice(["default", "fair"]), expose_value=False, help="Both mean fair.")
@click.option("-E", "--task-events", "--events", is_flag=True, default=None, help="Tell monitors what happens to tasks.")
@click.option("--heartbeat-interval", type=float, metavar="SECONDS", help="Between two signs of life to monitors.  [default: 2]")
@click.option("--without-heartbeat", is_flag=True, help="Give monitors no signs of life.")
@click.option("--without-gossip", is_flag=True, help="Do not notice which other nodes come and go.")
@click.option("--without-mingle", is_flag=True, expose_value=False, help=NOTHING_TO_SWITCH)
@click.option(
    "-S", "--statedb", metavar="FILE", help="Remember in this file which tasks are revoked; the store does in any case."
)
@click.option("--health-address", metavar="ADDRESS", help="Say how the node is at unix:/path or host:port: see `health`.")
@click.option("-B", "--beat", is_flag=True, help="Run a beat beside the node. Of several, one leads.")
@click.option("-s", "--schedule", "--schedule-filename", "schedule", metavar="FILE", help="With -B: as -s of beat.")
@click.option("--scheduler", metavar="CLASS", help="With -B: as -S of beat.")
@click.option("-D", "--detach", is_flag=True, help="Leave the terminal; return when the node is ready, or say why it is not.")
@daemon_options
@click.argument("settings", nargs=-1, metavar="[SETTING=VALUE]...")
@pass_program
def command(
    program: Program,
    hostname: str | None,
    loglevel: int,
    logfile: str | None,
    log_format: str | None,
    concurrency: int | None,
    pool: str | None,
    processes: int | None,
    autoscale: tuple[int, int] | None,
    pool_start_method: str | None,
    queues: tuple[str, ...] | None,
    exclude_queues: tuple[str, ...],
    include: tuple[str, ...],
    purge: bool,
    time_limit: float | None,
    soft_time_limit: float | None,
    max_tasks_per_child: int | None,
    max_memory_per_child: int | str | None,
    disable_prefetch: bool | None,
    prefetch_multiplier: int | None,
    task_events: bool | None,
    heartbeat_interval: float | None,
    without_heartbeat: bool,
    without_gossip: bool,
    statedb: str | None,
    health_address: str | None,
    beat: bool,
    schedule: str | None,
    scheduler: str | None,
    detach: bool,
    settings: tuple[str, ...],
) -> int:
    """Run a worker until it is told to stop.

    SIGTERM or Ctrl-C: running tasks end first. Again: at once. Settings may follow, as in task_acks_late=true.
    """
    from celeriac.worker.start import run_worker  # late: whoever asks for help runs nothing

    app = program.load()
    configure(app, include, settings)
    if statedb:
        app.conf.update(worker_state_db=statedb)
    if health_address:
        app.conf.update(worker_health_address=health_address)
    daemon = daemon_of(app.settings.worker, node=node_name(hostname), logfile=logfile)
    is_child = this_birth() is not None  # of a node that has done all this already
    if not is_child:
        if detach and (code := daemon.detach()) is not None:
            return code
        daemon.become()
    app.import_tasks()
    options = WorkerOptions(
        hostname=hostname,
        concurrency=concurrency,
        pool=pool,
        processes=processes,
        autoscale=autoscale,
        start_method=pool_start_method,
        queues=queues,
        exclude_queues=exclude_queues,
        max_tasks_per_child=max_tasks_per_child,
        max_memory_per_child=max_memory_per_child,
        disable_prefetch=disable_prefetch,
        time_limit=time_limit,
        soft_time_limit=soft_time_limit,
        prefetch_multiplier=prefetch_multiplier,
        task_events=task_events,
        heartbeat_interval=heartbeat_interval,
        heartbeat=not without_heartbeat,
        gossip=not without_gossip,
    )
    worker = Worker(app, options, loglevel=loglevel, logfile=logfile, user_options=given())
    announce.node_is_named(worker)
    log = log_plan(worker, format=log_format, color=program.color)
    handled = install_logging(log)
    announce.node_is_set_up(worker)
    if is_child:
        with redirected_stdouts(app.settings.worker, handled=handled):
            return run_worker(worker, enter_child=partial(enter_child, log))
    check_superuser(app.settings.general.accept_content)
    stopping = Stopping(stop_terms(app.settings.worker))
    with daemon.holding_pid_file():
        introduce(program, worker, purge=purge)
        again = partial(begin_again, program)
        beside = accompanied(beat_of(app, scheduler=scheduler, file=schedule) if beat else None)
        with beside, redirected_stdouts(app.settings.worker, handled=handled):
            code = run_worker(
                worker,
                enter_child=partial(enter_child, log),
                stopping=stopping,
                begin_again=again,
                home=program.began_in,
            )
        if stopping.restarts and code == 0:
            again()
    return code


def beat_of(app: Celery, *, scheduler: str | None, file: str | None) -> Callable[[], int]:
    """Return what runs the beat of ``-B``."""
    from celeriac.cli.beat_process import run_beside  # late: a worker without one need not wait for it

    return partial(run_beside, app, scheduler=scheduler, file=file)


def configure(app: Celery, include: Sequence[str], settings: Sequence[str]) -> None:
    """Apply what the command line says about the app's settings."""
    # Now, before a word here could make an app that was told nothing one that was.
    app.conf.read()
    app.conf.update(extra_settings(settings))
    if include:
        app.conf.update(include=(*app.conf.include, *include))


def log_plan(worker: Worker, *, format: str | None, color: bool) -> LogPlan:
    """Return where the log goes, as the command line, or the settings, say."""
    settings = worker.app.settings.worker
    worker.logfile = worker.logfile or settings.logfile
    return LogPlan(
        settings=settings,
        node=worker.hostname,
        level=worker.loglevel or logging.WARNING,
        file=worker.logfile,
        color=color,
        json=settings.log_json if format is None else format == "json",
    )


def introduce(program: Program, worker: Worker, *, purge: bool) -> None:
    """Empty the queues if that was asked for, and show who will serve them."""
    plan = plan_node(worker.app, worker.options)
    if purge:
        drop_waiting(worker.app, plan.queues)
    if not program.quiet:
        click.echo(banner(portrait(worker.app, plan)))


def drop_waiting(app: Celery, queues: Sequence[str]) -> None:
    """Delete what waits, on a connection that is closed again: the node must not inherit one."""
    store = app.open_store()
    try:
        store.purge(queues)
    finally:
        store.close()


def portrait(app: Celery, plan: Plan) -> Portrait:
    """Return what the banner tells of this node."""
    broker, results = store_urls(app)
    return Portrait(
        node=plan.hostname,
        app=app.main or "__main__",
        version=__version__,
        transport=broker,
        results=results,
        concurrency=plan.concurrency,
        pool=plan.pool,
        queues=plan.queues,
        tasks=[name for name in app.tasks if not is_builtin(name)],
    )
