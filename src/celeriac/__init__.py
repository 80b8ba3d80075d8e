"""celeriac: a distributed task queue that runs Celery's programs and speaks its wire format, on a new engine."""

from celeriac.app import signals
from celeriac.app.app import Celery
from celeriac.app.canvas import group
from celeriac.app.chains import chain
from celeriac.app.checking.secrets import Secret
from celeriac.app.chords import chord
from celeriac.app.current import app_or_default
from celeriac.app.eager_result import EagerResult
from celeriac.app.group_result import GroupResult, result_from_tuple
from celeriac.app.joining import allow_join_result, denied_join_result
from celeriac.app.logs import get_task_logger
from celeriac.app.maps import chunks, xmap, xstarmap
from celeriac.app.result import AsyncResult
from celeriac.app.result_set import ResultSet
from celeriac.app.runtime import uuid
from celeriac.app.schedules import crontab, schedule
from celeriac.app.shared import shared_task
from celeriac.app.signature import Signature, maybe_signature, signature, subtask
from celeriac.app.solar import solar
from celeriac.app.stamping import StampingVisitor
from celeriac.app.standing import bugreport, current_app, current_task
from celeriac.app.task import Task
from celeriac.control.panel import control_command, inspect_command
from celeriac.core import states
from celeriac.core.errors import (
    CeleriacError,
    ChordError,
    Ignore,
    ImproperlyConfigured,
    IncompleteStream,
    InvalidArguments,
    InvalidResult,
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
    "ChordError",
    "EagerResult",
    "Exchange",
    "GroupResult",
    "Ignore",
    "ImproperlyConfigured",
    "IncompleteStream",
    "InvalidArguments",
    "InvalidResult",
    "MaxRetriesExceededError",
    "NotRegistered",
    "OperationalError",
    "Queue",
    "Reject",
    "RemoteError",
    "ResultSet",
    "Retry",
    "Secret",
    "Signature",
    "SoftTimeLimitExceeded",
    "StampingVisitor",
    "Task",
    "TaskRevokedError",
    "TimeLimitExceeded",
    "TimeoutError",
    "WorkerLostError",
    "__version__",
    "allow_join_result",
    "app_or_default",
    "bugreport",
    "chain",
    "chord",
    "chunks",
    "control_command",
    "crontab",
    "current_app",
    "current_task",
    "denied_join_result",
    "get_task_logger",
    "group",
    "inspect_command",
    "maybe_signature",
    "result_from_tuple",
    "schedule",
    "shared_task",
    "signals",
    "signature",
    "solar",
    "states",
    "subtask",
    "uuid",
    "xmap",
    "xstarmap",
]
