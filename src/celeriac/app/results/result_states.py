"""What is known about a task, read from its task meta: the state, the value, who ran it.

In a job's life: the end of it; the part of a result that only looks. Where the task meta comes from (a store, or the run itself
where it was eager) is for the class to say. Does not know: stores, waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

from celeriac.core.states import FAILURE, PROPAGATE_STATES, READY_STATES, SUCCESS
from celeriac.core.taskmeta import TaskMeta


class ResultBase:
    """What every kind of result has. A task that returns one has its ids stored, see ``as_tuple``."""

    parent: Any = None
    """Result of what went before it in a chain."""

    def as_tuple(self) -> tuple[Any, Any]:
        """Return the stored form: ``((id, parent), members)``."""
        raise NotImplementedError(f"a {type(self).__name__} cannot be stored")


class ResultStates(ResultBase):
    """One task, as its task meta shows it. Source of the names: Celery's reference of ``AsyncResult``."""

    id: str
    _frames: TracebackType | None = None
    """Where the exception came from, if it was raised here."""

    def meta(self) -> TaskMeta:
        """Return what is known about the task now."""
        raise NotImplementedError

    def accept(self, meta: TaskMeta) -> None:
        """Remember a final state that somebody has read."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Say whether the task has ended."""
        return self.meta().status in READY_STATES

    def successful(self) -> bool:
        """Say whether it has ended well."""
        return self.meta().status == SUCCESS

    def failed(self) -> bool:
        """Say whether it has failed."""
        return self.meta().status == FAILURE

    def failure(self) -> BaseException | None:
        """Return the exception that it has failed or was revoked with; ``None``: it has not."""
        meta = self.meta()
        return exception_of(meta, self._frames) if meta.status in PROPAGATE_STATES else None

    def maybe_throw(self, propagate: bool = True, callback: Callable[[str, Any], object] | None = None) -> Any:
        """Raise the exception of a task that failed; return the value of one that did not, whether it has ended or not."""
        meta = self.meta()
        if propagate and meta.status in PROPAGATE_STATES:
            raise exception_of(meta, self._frames)
        if callback is not None:
            callback(self.id, meta.result)
        return meta.result

    maybe_reraise = maybe_throw

    # Names with an underscore that programs of third parties use all the same.

    def _get_task_meta(self) -> dict[str, Any]:
        return as_mapping(self.meta())

    def _iter_meta(self, **_kwargs: Any) -> Iterator[dict[str, Any]]:
        return iter([self._get_task_meta()])

    def _maybe_set_cache(self, meta: Mapping[str, Any]) -> Mapping[str, Any]:
        if meta and meta["status"] in READY_STATES:
            known = {name: meta[name] for name in TaskMeta.__struct_fields__ if name in meta}
            self.accept(TaskMeta(**{"task_id": self.id, **known}))
        return meta

    @property
    def state(self) -> str:
        """PENDING (also of an id that nobody knows), STARTED, RETRY, SUCCESS, FAILURE, REVOKED, or one of the task's own."""
        return self.meta().status

    @property
    def status(self) -> str:
        """The state again."""
        return self.state

    @property
    def result(self) -> Any:
        """What it returned, the exception that it raised, or what ``update_state`` was given."""
        return self.meta().result

    @property
    def info(self) -> Any:
        """The result again."""
        return self.result

    @property
    def traceback(self) -> str | None:
        """The traceback of a task that failed, as text."""
        return self.meta().traceback

    @property
    def date_done(self) -> datetime | None:
        """When it ended, UTC."""
        return self.meta().date_done

    @property
    def name(self) -> str | None:
        """Name of the task; of one that somebody else sent, only with ``result_extended``."""
        return self.meta().name

    @property
    def args(self) -> Any:
        """Its arguments; with ``result_extended``."""
        return self.meta().args

    @property
    def kwargs(self) -> Any:
        """Its keyword arguments; with ``result_extended``."""
        return self.meta().kwargs

    @property
    def worker(self) -> str | None:
        """Name of the node that ran it; with ``result_extended``."""
        return self.meta().worker

    @property
    def retries(self) -> int | None:
        """Its retries; with ``result_extended``."""
        return self.meta().retries

    @property
    def queue(self) -> str | None:
        """The queue that it came from; with ``result_extended``."""
        return self.meta().queue


def exception_of(meta: TaskMeta, frames: TracebackType | None = None) -> BaseException:
    """Return the exception that a failed or revoked task ended with, to be raised.

    Each raise adds its frames to an exception, and they keep alive what they hold. So it begins anew each time: with
    ``frames``, those of the run where that was here.
    """
    if isinstance(meta.result, BaseException):
        return BaseException.with_traceback(meta.result, frames)
    return RuntimeError(f"task {meta.task_id} ended as {meta.status}: {meta.result!r}")


def as_mapping(meta: TaskMeta) -> dict[str, Any]:
    """Return the mapping that Celery hands to ``on_message``."""
    mapping: dict[str, Any] = {
        "status": meta.status,
        "result": meta.result,
        "traceback": meta.traceback,
        "children": list(meta.children),
        "date_done": meta.date_done,
        "task_id": meta.task_id,
    }
    if meta.name is not None:
        mapping |= {"name": meta.name, "args": meta.args, "kwargs": meta.kwargs}
        mapping |= {"worker": meta.worker, "retries": meta.retries, "queue": meta.queue}
    if meta.stamps:
        return {"stamped_headers": list(meta.stamps), **meta.stamps, **mapping}
    return mapping
