"""The attributes of a task: what ``@app.task(...)``, its class, ``task_annotations`` or the settings say about it.

In a program's life: read when a task is first called or run. An attribute that nobody has given is what the settings say at
that moment. Names, defaults and meanings: Celery's reference of ``Task``. Does not know: what a task does with them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from celeriac.app.home import Home
from celeriac.core.errors import MaxRetriesExceededError, OperationalError

log = logging.getLogger("celeriac.app")


CALL_OPTIONS: Final = (
    "queue", "routing_key", "exchange", "priority", "expires", "serializer", "delivery_mode", "compression", "time_limit",
    "soft_time_limit", "immediate", "mandatory",
)  # fmt: skip
"""Options of a call that a task may say for all of its calls."""


class FromSettings:
    """A task attribute that, unless the task sets it, is what the settings say at the moment."""

    def __init__(self, field: str) -> None:
        self.field = field
        """Of ``TaskSettings``: the setting's name without ``task_``."""

    def __get__(self, task: Attributes | None, owner: type[Any]) -> Any:
        # Asked of a class there is no app, so nothing is said yet: Celery's answer.
        return None if task is None else getattr(task.app.conf.settings().task, self.field)


class OwnBackend:
    """``task.backend``: what was given, a URL or a result backend, is seen as the place where this task's results are."""

    def __get__(self, task: Attributes | None, owner: type[Any]) -> Any:
        return None if task is None else task.app.backend_at(task.own_backend)

    def __set__(self, task: Attributes, value: Any) -> None:
        task.own_backend = value


class Attributes:
    """What is known about a task beside its function."""

    name: str = None  # type: ignore[assignment]  # a class has none, a task always
    """Registered name."""
    typing: bool = None  # type: ignore[assignment]  # a task always has one: where nobody has said, the app's ``strict_typing``
    """Check arguments against the function's signature when the task is called."""
    abstract: bool = True
    """Celery's mark of a class that is no task itself."""
    trail: bool = True
    """Remember the results of tasks that this one sends, as its children."""
    send_events: bool = True
    """Tell monitors about this task."""

    max_retries: int | None = 3
    """``None``: any number."""
    default_retry_delay: float = 180
    """Seconds before a retry that names no time."""
    autoretry_for: tuple[type[BaseException], ...] = ()
    dont_autoretry_for: tuple[type[BaseException], ...] = ()
    retry_kwargs: Mapping[str, Any] = {}
    retry_backoff: bool | float = False
    """``True`` or a factor: wait 1, 2, 4, ... times so many seconds."""
    retry_backoff_max: float = 600
    """Seconds at most."""
    retry_jitter: bool = True
    throws: tuple[type[BaseException], ...] = ()
    """Exceptions that are no error in the log."""

    serializer: str = FromSettings("serializer")  # type: ignore[assignment]  # here and below: its type for readers
    compression: str | None = FromSettings("compression")  # type: ignore[assignment]
    priority: int | None = FromSettings("default_priority")  # type: ignore[assignment]
    delivery_mode: int | str = FromSettings("default_delivery_mode")  # type: ignore[assignment]
    expires: Any = None
    """Seconds, or a date, after which a call is not started."""
    queue: Any = None
    """Where calls go unless the caller says otherwise; ``None``: as ``task_routes`` says."""
    exchange: Any = None
    exchange_type: str | None = None
    routing_key: str | None = None
    immediate: bool | None = None
    mandatory: bool | None = None
    """Flags of AMQP."""

    ignore_result: bool = FromSettings("ignore_result")  # type: ignore[assignment]
    store_errors_even_if_ignored: bool = FromSettings("store_errors_even_if_ignored")  # type: ignore[assignment]
    store_eager_result: bool = FromSettings("store_eager_result")  # type: ignore[assignment]
    track_started: bool = FromSettings("track_started")  # type: ignore[assignment]
    backend: Any = OwnBackend()
    """Where this task's results are kept. Set it to a URL or a result backend; ``None``: where the app's are."""
    own_backend: Any = None
    """``backend`` as it was given."""
    resultrepr_maxsize: int = 1024
    """Characters of the result that the log and monitors show."""

    acks_late: bool = FromSettings("acks_late")  # type: ignore[assignment]
    acks_on_failure_or_timeout: bool = FromSettings("acks_on_failure_or_timeout")  # type: ignore[assignment]
    acks_on_failure: bool | None = FromSettings("acks_on_failure")  # type: ignore[assignment]
    acks_on_timeout: bool | None = FromSettings("acks_on_timeout")  # type: ignore[assignment]
    reject_on_worker_lost: bool | None = FromSettings("reject_on_worker_lost")  # type: ignore[assignment]
    retry_on_worker_lost: bool | None = FromSettings("retry_on_worker_lost")  # type: ignore[assignment]
    time_limit: float | None = FromSettings("time_limit")  # type: ignore[assignment]
    soft_time_limit: float | None = FromSettings("soft_time_limit")  # type: ignore[assignment]
    rate_limit: str | float | None = FromSettings("default_rate_limit")  # type: ignore[assignment]
    """``"10/s"``, ``"100/m"``, ``"5/h"``, or a number a second; of one worker."""

    pydantic: bool = False
    """Check arguments and results against their annotations, with pydantic."""
    pydantic_strict: bool = False
    pydantic_context: Mapping[str, Any] | None = None
    pydantic_dump_kwargs: Mapping[str, Any] | None = None

    Strategy: Any = "celery.worker.strategy:default"
    Request: Any = "celery.worker.request:Request"
    """Classes of Celery's worker. This engine has its own: others are told to have no effect."""
    from_config: ClassVar[tuple[tuple[str, str], ...]]
    """Pairs of an attribute and the setting that it has when nobody has given it."""
    MaxRetriesExceededError: ClassVar[type[Exception]] = MaxRetriesExceededError
    OperationalError: ClassVar[type[Exception]] = OperationalError

    app: Home
    """The app that it belongs to."""

    def _get_app(self) -> Home:
        # The base classes that celery-once and celery-singleton bring ask for it by this name of Celery's.
        return self.app

    def _get_exec_options(self) -> dict[str, Any]:
        # Schedulers of others ask for what holds for each call by this name of Celery's.
        return {name: getattr(self, name, None) for name in CALL_OPTIONS}


FROM_SETTINGS: Final[Mapping[str, FromSettings]] = {
    name: value for name, value in vars(Attributes).items() if isinstance(value, FromSettings)
}
"""Attributes whose ``None`` means: as the settings say."""
KNOWN: Final = frozenset(Attributes.__annotations__) - {"app", "own_backend", "from_config"}
Attributes.from_config = tuple((name, f"task_{asks.field}") for name, asks in FROM_SETTINGS.items())
RECIPE: Final = frozenset({
    "serializer", "compression", "priority", "delivery_mode", "expires", "queue", "exchange", "routing_key", "ignore_result",
    "time_limit", "soft_time_limit", "name", "typing", "own_backend",
})  # fmt: skip
"""Attributes that are part of what holds for every call."""


_CLASSES: Final = ("autoretry_for", "dont_autoretry_for", "throws")


def take_in(task: Attributes) -> None:
    """See to what was given to a task that becomes an app's: ``None`` where the settings have a say, exception classes.

    Raises:
        TypeError: what is to be exception classes is something else.
    """
    _from_settings_where_none(type(task))
    take_in_classes(task)


def take_in_classes(task: Attributes) -> None:
    """Make a tuple of one class that stands alone, as users write it, and refuse what no exception could be an instance of.

    Raises:
        TypeError: it is neither an exception class nor several.
    """
    for name in _CLASSES:
        given: Any = getattr(task, name)
        several = tuple(given or ()) if isinstance(given, Iterable | None) and not isinstance(given, type) else (given,)
        if not all(map(_is_exception_class, several)):
            raise TypeError(f"task {task.name}: {name}={given!r} must be exception classes, such as (KeyError,)")
        if several != given:
            setattr(task, name, several)


def _is_exception_class(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseException)


def _from_settings_where_none(kind: type[Attributes]) -> None:
    """Let a class that says ``None`` where the settings have a say ask them, as Celery's tasks do."""
    for name, asks in FROM_SETTINGS.items():
        if getattr(kind, name) is None and not isinstance(_static(kind, name), FromSettings):
            setattr(kind, name, asks)
    given = _static(kind, "backend")
    if not isinstance(given, OwnBackend):
        kind.own_backend, kind.backend = given, vars(Attributes)["backend"]


def warn_of_celerys_own(task: Attributes, name: str) -> None:
    """Say of a task whose class or options bring classes of Celery's worker that these do nothing here."""
    for attribute in ("Strategy", "Request"):
        if getattr(task, attribute) not in {None, vars(Attributes)[attribute]}:
            log.warning("task %s: %s is a class of Celery's worker, and has no effect on this one", name, attribute)


def _static(kind: type[Any], name: str) -> Any:
    return next(vars(parent)[name] for parent in kind.__mro__ if name in vars(parent))
