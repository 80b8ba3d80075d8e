"""celeriac: a distributed task queue that runs Celery's programs and speaks its wire format, on a new engine."""

from celeriac.app import signals
from celeriac.app.app import Celery
from celeriac.app.canvas import group
from celeriac.app.current import allow_join_result
from celeriac.app.group_result import GroupResult
from celeriac.app.logs import get_task_logger
from celeriac.app.result import AsyncResult
from celeriac.app.shared import shared_task
from celeriac.app.signature import Signature, signature
from celeriac.app.task import Task
from celeriac.core import states
from celeriac.core.errors import (
    CeleriacError,
    Ignore,
    ImproperlyConfigured,
    MaxRetriesExceededError,
    NotRegistered,
    OperationalError,
    Reject,
    RemoteError,
    Retry,
    SoftTimeLimitExceeded,
    TaskRevokedError,
    TimeLimitExceeded,
    TimeoutError,  # noqa: A004 - the builtin's subclass
    WorkerLostError,
)
from celeriac.core.topology import Exchange, Queue

__version__ = "0.1.0"

__all__ = [
    "AsyncResult",
    "CeleriacError",
    "Celery",
    "Exchange",
    "GroupResult",
    "Ignore",
    "ImproperlyConfigured",
    "MaxRetriesExceededError",
    "NotRegistered",
    "OperationalError",
    "Queue",
    "Reject",
    "RemoteError",
    "Retry",
    "Signature",
    "SoftTimeLimitExceeded",
    "Task",
    "TaskRevokedError",
    "TimeLimitExceeded",
    "TimeoutError",
    "WorkerLostError",
    "__version__",
    "allow_join_result",
    "get_task_logger",
    "group",
    "shared_task",
    "signals",
    "signature",
    "states",
]
