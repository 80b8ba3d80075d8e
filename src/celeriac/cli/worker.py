"""``celeriac worker``: start one node, show who it is, run it until it is told to stop.

In a job's life: what must be there before anything runs. Here only options, log and banner; the node is ``worker.start``.
Does not know: children, leases, stores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from celeriac import __version__
from celeriac.app import signals
from celeriac.app.app import Celery
from celeriac.cli.banner import Portrait, banner
from celeriac.cli.extra_settings import extra_settings
from celeriac.cli.log_file import log_file
from celeriac.cli.logging_setup import install_logging, level_number, redirected_stdouts
from celeriac.cli.option_types import comma_list, plain_name, queue_list, tasks_at_a_time
from celeriac.cli.program import Program, pass_program
from celeriac.cli.store_urls import store_urls
from celeriac.cli.superuser import check_superuser
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import Plan, node_name, plan_node
from celeriac.worker.start import run_worker

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL")
POOLS = ("prefork", "processes", "threads", "asyncio", "solo")
NOTHING_TO_SWITCH = "Taken for Celery's sake: there is no such thing to switch off."


@click.command("worker")
@click.option(
    "-n",
    "--hostname",
    type=plain_name,
    metavar="NAME",
    help="Name of the node: %h host, %n its first part, %d its domain.  [default: celery@%h]",
)
@click.option("-l", "--loglevel", type=click.Choice(LEVELS, case_sensitive=False), default="WARNING", show_default=True)
@click.option("-f", "--logfile", metavar="FILE", help="Log file; %n and %h are the node's. [default: stderr]")
@click.option(
    "-c", "--concurrency", type=tasks_at_a_time, metavar="N|auto", help="Tasks at a time; 0 or auto: one for each core."
)
@click.option(
    "-P", "--pool", type=click.Choice(POOLS), help="How tasks run: in processes (prefork), threads, asyncio, or here (solo)."
)
@click.option("-Q", "--queues", type=queue_list, metavar="A,B,...", help="Serve these queues.")
@click.option("-X", "--exclude-queues", type=comma_list, metavar="A,B,...", default=(), help="Do not serve these queues.")
@click.option("-I", "--include", type=comma_list, metavar="A,B,...", default=(), help="Import these modules too.")
@click.option("--purge", "--discard", is_flag=True, help="First delete what waits in the queues.")
@click.option("--time-limit", type=float, help="Hard limit of a run, seconds: its process is replaced.")
@click.option("--soft-time-limit", type=float, help="Soft limit of a run, seconds: an exception in the task.")
@click.option("--max-tasks-per-child", type=click.IntRange(min=1), help="Replace a process after so many tasks.")
@click.option("--prefetch-multiplier", type=click.IntRange(min=0), help="At most so many messages held for each slot; 0: no cap.")
@click.option("-O", "--optimization", type=click.Choice(["default", "fair"]), expose_value=False, help="Both mean fair.")
@click.option("--without-gossip", is_flag=True, expose_value=False, help=NOTHING_TO_SWITCH)
@click.option("--without-mingle", is_flag=True, expose_value=False, help=NOTHING_TO_SWITCH)
@click.option("--without-heartbeat", is_flag=True, expose_value=False, help=NOTHING_TO_SWITCH)
@click.argument("settings", nargs=-1, metavar="[SETTING=VALUE]...")
@pass_program
def command(
    program: Program,
    hostname: str | None,
    loglevel: str,
    logfile: str | None,
    concurrency: int | None,
    pool: str | None,
    queues: tuple[str, ...] | None,
    exclude_queues: tuple[str, ...],
    include: tuple[str, ...],
    purge: bool,
    time_limit: float | None,
    soft_time_limit: float | None,
    max_tasks_per_child: int | None,
    prefetch_multiplier: int | None,
    settings: tuple[str, ...],
) -> int:
    """Run a worker until it is told to stop.

    SIGTERM or Ctrl-C: running tasks end first. Again: at once. Settings may follow, as in task_acks_late=true.
    """
    app = program.load()
    configure(app, include, settings)
    options = WorkerOptions(
        hostname=hostname,
        concurrency=concurrency,
        pool=pool,
        queues=queues,
        exclude_queues=exclude_queues,
        max_tasks_per_child=max_tasks_per_child,
        time_limit=time_limit,
        soft_time_limit=soft_time_limit,
        prefetch_multiplier=prefetch_multiplier,
    )
    node = node_name(hostname)
    signals.celeryd_init.send(node, instance=None, conf=app.conf, options=asdict(options))
    plan = plan_node(app, options)
    start_log(app, plan.hostname, level=loglevel, logfile=logfile, color=program.color)
    check_superuser(app.settings.general.accept_content)
    app.import_tasks()
    if purge:
        drop_waiting(app, plan.queues)
    if not program.quiet:
        click.echo(banner(portrait(app, plan)))
    signals.celeryd_after_setup.send(node, instance=None, conf=app.conf)
    with redirected_stdouts(app.settings.worker):
        return run_worker(app, options)


def configure(app: Celery, include: Sequence[str], settings: Sequence[str]) -> None:
    """Apply what the command line says about the app's settings."""
    app.conf.update(extra_settings(settings))
    if include:
        app.conf.update(include=(*app.conf.include, *include))


def start_log(app: Celery, node: str, *, level: str, logfile: str | None, color: bool) -> None:
    """Send the log where the command line, or the setting, says."""
    settings = app.settings.worker
    file = logfile or settings.logfile
    install_logging(settings, level=level_number(level), logfile=log_file(file, node) if file else None, color=color)


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
        tasks=app.tasks,
    )
