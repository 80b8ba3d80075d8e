"""The settings of a node.

In a program's life: ``worker/plan.py`` and the log are made with them. Does not know: options of the command line, which win.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from celeriac.config.sections.kinds import (
    WITH_RABBITMQ,
    AtLeastOne,
    Count,
    Harmless,
    Kibibytes,
    Seconds,
    Text,
    Unhonoured,
)

_IN_THE_STORE: Final = Harmless("a delayed task waits in the store; a node holds none")
_OWN_LOOP: Final = Harmless("a node has no timer class")
_OWN_PROCESSES: Final = Harmless("a child fetches for itself; nothing is put into a pool")


class WorkerSettings(Struct, frozen=True, kw_only=True):
    """``worker_*``: one node."""

    concurrency: Count | Literal["auto"] | None = None
    """``worker_concurrency``: tasks at a time. ``None``, 0 or ``"auto"``: one for each CPU core."""
    pool: str = "prefork"
    """``worker_pool``: ``prefork``, ``threads``, ``asyncio``, ``gevent``, ``eventlet``, ``solo``, or the path of a class of
    lanes."""
    prefetch_multiplier: Count = 4
    """``worker_prefetch_multiplier``: cap on messages held for each slot, when set. 0: no cap."""
    max_tasks_per_child: AtLeastOne | None = None
    """``worker_max_tasks_per_child``: a process is replaced after so many tasks. ``None``: never."""
    health_address: Text = None
    """``worker_health_address``: where the node says how it is: ``unix:/path`` or ``host:port``. Celery has no such setting."""
    health_window: Seconds = 300.0
    """``worker_health_window``: it progresses if a task began or ended so recently, or none waits. Celery has no such setting."""
    hijack_root_logger: bool = True
    """``worker_hijack_root_logger``: the worker replaces the handlers of the root logger."""
    redirect_stdouts: bool = True
    """``worker_redirect_stdouts``: what tasks print goes to the log."""
    redirect_stdouts_level: str | int = "WARNING"
    """``worker_redirect_stdouts_level``: at this level."""
    log_color: bool | None = None
    """``worker_log_color``: coloured log lines. ``None``: on a terminal."""
    log_format: str = "[%(asctime)s: %(levelname)s/%(processName)s] %(message)s"
    """``worker_log_format``: format of log lines."""
    log_datefmt: Text = None
    """``worker_log_datefmt``: format of their time."""
    task_log_format: str = "[%(asctime)s: %(levelname)s/%(processName)s] %(task_name)s[%(task_id)s]: %(message)s"
    """``worker_task_log_format``: format of lines that a task logs."""
    task_log_datefmt: Text = None
    """``worker_task_log_datefmt``: format of their time."""
    log_json: bool = False
    """``worker_log_json``: each log line is a JSON object, as ``--log-format json``. Celery has no such setting."""
    logfile: Text = None
    """``worker_logfile``: file for the log, as ``-f``. ``None``: standard error."""
    max_memory_per_child: Kibibytes | Annotated[str, Meta(pattern=r"^\+[1-9][0-9]*$", extra={"unit": "KiB"})] | None = None
    """``worker_max_memory_per_child``: a process that holds more is replaced between two tasks. ``"+N"``: one that has grown by N
    since it was ready. ``None``: no bound."""
    retirement_timeout: Seconds = 60.0
    """``worker_retirement_timeout``: in a process of many tasks, one runs past its hard limit: how long the others may take to
    end before it is killed. Celery has no such setting."""
    autoscaler: Any = "celery.worker.autoscale:Autoscaler"
    """``worker_autoscaler``: class that decides how many tasks run at a time, or its dotted name."""
    soft_shutdown_timeout: Seconds = 0.0
    """``worker_soft_shutdown_timeout``: how long running tasks may take to end before a cold shutdown. 0: no time."""
    warm_shutdown_timeout: Seconds = 0.0
    """``worker_warm_shutdown_timeout``: then a warm shutdown becomes a cold one. 0: never. Celery has no such setting."""
    enable_soft_shutdown_on_idle: Annotated[bool, _IN_THE_STORE] = False
    """``worker_enable_soft_shutdown_on_idle``: the same when nothing runs, for tasks that wait."""
    cancel_long_running_tasks_on_connection_loss: Annotated[
        bool, Unhonoured("tasks go on: their leases outlive a connection, and one whose lease was lost is not settled twice")
    ] = False
    """``worker_cancel_long_running_tasks_on_connection_loss``: late-acked tasks are ended when the broker is lost."""
    deduplicate_successful_tasks: bool = False
    """``worker_deduplicate_successful_tasks``: a late-acked message that comes again is not run when its task has succeeded."""
    direct: bool = False
    """``worker_direct``: each node also serves a queue of its own."""
    disable_rate_limits: bool = False
    """``worker_disable_rate_limits``: rate limits of tasks are ignored."""
    state_db: Text = None
    """``worker_state_db``: file that remembers revoked tasks, beside the store; needs remote control. ``-S``."""
    enable_remote_control: bool = True
    """``worker_enable_remote_control``: the node hears commands."""
    pool_restarts: bool = False
    """``worker_pool_restarts``: its processes may be replaced by a command."""
    send_task_events: bool = False
    """``worker_send_task_events``: it tells monitors of its tasks, as ``-E``."""
    pidfile: Text = None
    """``worker_pidfile``: file that holds its process id."""
    uid: str | int | None = None
    """``worker_uid``: user that it becomes."""
    gid: str | int | None = None
    """``worker_gid``: group that it becomes."""
    umask: str | int | None = None
    """``worker_umask``: permissions that its new files lack."""
    executable: Text = None
    """``worker_executable``: the Python that runs it."""
    pool_start_method: Literal["fork", "spawn", "forkserver"] = "fork"
    """``worker_pool_start_method``: ``fork`` and ``forkserver``: processes are forked from a clean template; ``spawn``: each is a
    fresh interpreter, which imports the app again."""
    consumer: Annotated[Any, Unhonoured("there is no consumer class to replace")] = "celery.worker.consumer:Consumer"
    """``worker_consumer``: class that reads messages, or its dotted name."""
    agent: Annotated[Any, Unhonoured("there are no agents of cell")] = None
    """``worker_agent``: class of an agent of cell, or its dotted name."""
    detect_quorum_queues: Annotated[bool, WITH_RABBITMQ] = True
    """``worker_detect_quorum_queues``: on RabbitMQ, look which queues are quorum queues."""
    pool_putlocks: Annotated[bool, _OWN_PROCESSES] = True
    """``worker_pool_putlocks``: tasks are put into the pool one by one."""
    proc_alive_timeout: Seconds = 4.0
    """``worker_proc_alive_timeout``: a new process that is not ready within this time is replaced. 0: it may take any."""
    lost_wait: Annotated[Seconds, Harmless("what a dead process ran is known at once")] = 10.0
    """``worker_lost_wait``: how long to wait for the result of a process that died."""
    eta_task_limit: Annotated[Count | None, _IN_THE_STORE] = None
    """``worker_eta_task_limit``: most delayed tasks that a node holds. ``None``: no bound."""
    enable_prefetch_count_reduction: Annotated[bool, Harmless("a node never holds more than it can start soon")] = True
    """``worker_enable_prefetch_count_reduction``: hold fewer messages after the broker was lost."""
    disable_prefetch: bool = False
    """``worker_disable_prefetch``: fetch one message for each free slot, never a few milliseconds of work."""
    timer: Annotated[Any, _OWN_LOOP] = None
    """``worker_timer``: class of the timer, or its dotted name."""
    timer_precision: Annotated[Seconds, _OWN_LOOP] = 1.0
    """``worker_timer_precision``: longest pause between its looks."""
