"""``ScheduleEntry``: an entry as schedulers of Celery's interface know it.

In a tick's life: ``Scheduler.tick`` asks it ``is_due`` -> it is sent -> ``next(entry)`` takes its place. A subclass keeps more
of it, such as a row of a database. Source: Celery's reference of ``celery.beat``. Does not know: timetables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from celeriac.app.schedules import maybe_schedule
from celeriac.core.errors import CeleriacError
from celeriac.core.representation import safe_repr

EDITABLE: Final = ("task", "args", "kwargs", "options", "schedule")
"""What people change of an entry. Two entries are equal if these are."""


class SchedulingError(CeleriacError):
    """A task of an entry could not be sent."""


class event_t(NamedTuple):  # noqa: N801 - Celery's name
    """When to ask an entry again."""

    time: float
    """Seconds since 1970."""
    priority: int
    entry: Any


class ScheduleEntry:
    """One task with its schedule, and what has become of it.

    Args:
        name: Of the entry.
        task: Name of the task.
        last_run_at: When it was sent last. ``None``: it counts from now.
        total_run_count: How often it was sent.
        schedule: Seconds, a ``timedelta``, or a schedule.
        args: Of the task.
        kwargs: Of the task.
        options: Of ``apply_async``.
        relative: Of a schedule in seconds: by the clock.
        app: Whose it is.
    """

    name: str | None = None
    schedule: Any = None
    args: Sequence[Any] | None = None
    kwargs: Mapping[str, Any] | None = None
    options: Mapping[str, Any] | None = None
    last_run_at: Any = None
    total_run_count: int = 0

    def __init__(
        self,
        name: str | None = None,
        task: str | None = None,
        last_run_at: datetime | None = None,
        total_run_count: int | None = None,
        schedule: Any = None,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        relative: bool = False,
        app: Any = None,
    ) -> None:
        self.app = app
        self.name = name
        self.task = task
        self.args = args
        self.kwargs = kwargs or {}
        self.options = options or {}
        self.schedule = maybe_schedule(schedule, relative, app=app)
        self.last_run_at = last_run_at or self.default_now()
        self.total_run_count = total_run_count or 0

    def default_now(self) -> datetime:
        """Return the present moment, by the clock of its schedule."""
        now: datetime = (self.schedule or self.app).now()
        return now

    _default_now = default_now

    def _next_instance(self, last_run_at: datetime | None = None) -> Self:
        """Return the entry as it is when it has been sent once more."""
        moved = {"last_run_at": last_run_at or self.default_now(), "total_run_count": self.total_run_count + 1}
        return type(self)(**{**dict(self), **moved})

    __next__ = next = _next_instance

    def update(self, other: ScheduleEntry) -> None:
        """Take what people change from ``other``; keep what has become of this one."""
        for name in EDITABLE:
            setattr(self, name, getattr(other, name))

    def is_due(self) -> Any:
        """Return whether it is time, and after how many seconds to ask again."""
        return self.schedule.is_due(self.last_run_at)

    def editable_fields_equal(self, other: Any) -> bool:
        """Say whether nothing that people change differs."""
        return all(getattr(self, name) == getattr(other, name) for name in EDITABLE)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(vars(self).items())

    def __reduce__(self) -> tuple[Any, ...]:
        facts = (self.name, self.task, self.last_run_at, self.total_run_count)
        return type(self), (*facts, self.schedule, self.args, self.kwargs, self.options)

    def __eq__(self, other: object) -> bool:
        return self.editable_fields_equal(other) if isinstance(other, ScheduleEntry) else NotImplemented

    __hash__ = object.__hash__

    def __lt__(self, other: object) -> bool:
        """In a heap the time decides; of entries with the same time either may be first."""
        return id(self) < id(other) if isinstance(other, ScheduleEntry) else NotImplemented

    def __repr__(self) -> str:
        call = ", ".join(
            [*map(safe_repr, self.args or ()), *(f"{key}={safe_repr(value)}" for key, value in (self.kwargs or {}).items())]
        )
        return f"<{type(self).__name__}: {self.name} {self.task}({call}) {self.schedule!r}>"
