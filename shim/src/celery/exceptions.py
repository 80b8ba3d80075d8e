"""Every error, under Celery's path. kombu's and billiard's are celeriac's own here."""

from celeriac.core.errors import (
    AlreadyRegistered,
    AlwaysEagerIgnored,
    BackendError,
    BackendGetMetaError,
    BackendStoreError,
    CDeprecationWarning,
    ChordError,
    CPendingDeprecationWarning,
    DuplicateNodenameWarning,
    DuplicateTaskNameWarning,
    FixupWarning,
    Ignore,
    ImproperlyConfigured,
    IncompleteStream,
    InvalidTaskError,
    MaxRetriesExceededError,
    NotConfigured,
    NotRegistered,
    OperationalError,
    QueueNotFound,
    Reject,
    Retry,
    SecurityError,
    SecurityWarning,
    SoftTimeLimitExceeded,
    TaskError,
    TaskPredicate,
    TaskRevokedError,
    Terminated,
    TimeLimitExceeded,
    TimeoutError,  # noqa: A004 - the builtin's subclass
    WorkerLostError,
    WorkerShutdown,
    WorkerTerminate,
    reraise,
)
from celeriac.core.errors import CeleriacError as CeleryError
from celeriac.core.errors import CeleriacWarning as CeleryWarning

RetryTaskError = Retry
SystemTerminate = WorkerTerminate
