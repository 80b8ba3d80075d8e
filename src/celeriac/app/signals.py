"""The moments at which functions of the user can be called.

In a job's life: around publishing, around each run, and in the life of a worker. Hooks are never for ourselves, and one that
fails is logged and costs nothing else. Places that are passed often ask ``if signal.receivers:`` first. Names, senders and
arguments: Celery's page on signals. Which process sends which: the page of ours. Does not know: how receivers are called.
"""

from __future__ import annotations

from typing import Final

from celeriac.app.dispatch import Signal

# ---- publishing: in the process that calls ``delay`` ---------------------------------------------------------------

before_task_publish: Final = Signal(
    ("body", "exchange", "routing_key", "headers", "properties", "declare", "retry_policy"), name="before_task_publish"
)
after_task_publish: Final = Signal(("body", "exchange", "routing_key", "headers"), name="after_task_publish")
task_sent: Final = Signal(("task_id", "task", "args", "kwargs", "eta", "taskset"), name="task_sent")
"""The old form of ``after_task_publish``; sent after it."""

# ---- a run: in the process that runs the task ----------------------------------------------------------------------

task_received: Final = Signal(("request",), name="task_received")
task_prerun: Final = Signal(("task_id", "task", "args", "kwargs"), name="task_prerun")
task_postrun: Final = Signal(("task_id", "task", "args", "kwargs", "retval", "state"), name="task_postrun")
task_success: Final = Signal(("result", "runtime"), name="task_success")
task_retry: Final = Signal(("request", "reason", "einfo"), name="task_retry")
task_failure: Final = Signal(("task_id", "exception", "args", "kwargs", "traceback", "einfo"), name="task_failure")
"""Also sent by the node, for tasks whose process died or was ended by a hard time limit."""
task_internal_error: Final = Signal(
    ("task_id", "args", "kwargs", "request", "exception", "traceback", "einfo"), name="task_internal_error"
)
task_revoked: Final = Signal(("request", "terminated", "signum", "expired"), name="task_revoked")
task_rejected: Final = Signal(("message", "exc"), name="task_rejected")
task_unknown: Final = Signal(("message", "exc", "name", "id"), name="task_unknown")

# ---- a program that starts: a receiver may end it by SystemExit -----------------------------------------------------

import_modules: Final = Signal(name="import_modules", may_exit=True)
user_preload_options: Final = Signal(("app", "options"), name="user_preload_options", may_exit=True)
setup_logging: Final = Signal(("loglevel", "logfile", "format", "colorize"), name="setup_logging", may_exit=True)
after_setup_logger: Final = Signal(("logger", "loglevel", "logfile", "format", "colorize"), name="after_setup_logger")
after_setup_task_logger: Final = Signal(("logger", "loglevel", "logfile", "format", "colorize"), name="after_setup_task_logger")
celeryd_init: Final = Signal(("instance", "conf", "options"), name="celeryd_init", may_exit=True)
worker_init: Final = Signal(name="worker_init", may_exit=True)
celeryd_after_setup: Final = Signal(("instance", "conf"), name="celeryd_after_setup", may_exit=True)

# ---- a worker: in the node, but for the three whose name has ``process`` in it ---------------------------------------

worker_before_create_process: Final = Signal(name="worker_before_create_process")
"""In the template, from which children are forked."""
worker_process_init: Final = Signal(name="worker_process_init")
worker_process_shutdown: Final = Signal(("pid", "exitcode"), name="worker_process_shutdown")
worker_ready: Final = Signal(name="worker_ready")
heartbeat_sent: Final = Signal(name="heartbeat_sent")
worker_shutting_down: Final = Signal(("sig", "how", "exitcode"), name="worker_shutting_down")
worker_shutdown: Final = Signal(name="worker_shutdown")

# ---- a beat, and a child of eventlet ---------------------------------------------------------------------------------

beat_init: Final = Signal(name="beat_init")
beat_embedded_init: Final = Signal(name="beat_embedded_init")
eventlet_pool_started: Final = Signal(name="eventlet_pool_started")
eventlet_pool_preshutdown: Final = Signal(name="eventlet_pool_preshutdown")
eventlet_pool_postshutdown: Final = Signal(name="eventlet_pool_postshutdown")
eventlet_pool_apply: Final = Signal(("target", "args", "kwargs"), name="eventlet_pool_apply")
