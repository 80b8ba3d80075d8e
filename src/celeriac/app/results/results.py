"""What an app knows of its results: read them, wait for them, forget them, revoke their tasks.

In a job's life: settlement stores a task meta, ``AsyncResult`` reads it through here. This is the part that talks to the store;
``result.py`` is what users hold. Does not know: tasks, how they are sent.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from celeriac.abc import Broker, ResultBackend, Runtime
from celeriac.app.results.afterwards import Afterwards
from celeriac.app.results.arrivals import FOR_EVER, Patience, await_for, wait_for
from celeriac.app.results.waiting import Waiting
from celeriac.config.sections import Settings
from celeriac.core import codecs, groupmeta, taskmeta
from celeriac.core.message import Message
from celeriac.core.settlement import StoredResult
from celeriac.core.states import FAILURE, PENDING, READY_STATES
from celeriac.core.taskmeta import TaskMeta

BATCH: Final = 1000
"""Ids in one call to the store."""


class Runner(NamedTuple):
    """Who runs a task."""

    node: str | None
    queue: str | None
    """Where its message was."""


class Results:
    """The results in one place: the app's own, or that of a task with a ``backend`` of its own."""

    def __init__(
        self,
        backend: Callable[[], ResultBackend],
        *,
        broker: Callable[[], Broker],
        runtime: Runtime,
        settings: Callable[[], Settings],
    ) -> None:
        """``backend`` and ``broker`` open at the first use; ``settings`` are asked for at each use."""
        self._backend, self._broker, self._runtime, self._settings = backend, broker, runtime, settings
        self.waiting = Waiting(backend)
        """Who waits for them."""
        self.afterwards = Afterwards(self.waiting, self.read)
        """Calls back when a task has ended."""
        self._accepted: tuple[Settings | None, frozenset[str]] = (None, frozenset())

    @property
    def backend(self) -> ResultBackend:
        """Where they are."""
        return self._backend()

    @property
    def kept_for(self) -> timedelta | None:
        """How long a result is kept. ``None``: for ever."""
        seconds = self._settings().result.ttl_s
        return None if seconds is None else timedelta(seconds=seconds)

    def metas(self, ids: Sequence[str]) -> list[TaskMeta]:
        """Return what is stored about each task; PENDING where nothing is."""
        found: list[TaskMeta] = []
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            bodies = self._backend().load(batch)
            found.extend(self.read(id, body) for id, body in zip(batch, bodies, strict=True))
        return found

    def read(self, id: str, body: bytes | None) -> TaskMeta:
        """Understand what is stored about a task; PENDING where nothing is.

        Raises:
            DecodeError: it cannot be understood; ContentDisallowed: it may not be read.
        """
        if body is None:
            return TaskMeta(status=PENDING, task_id=id)
        settings = self._settings()
        known, accept = self._accepted
        if known is not settings:
            accept = accepted(settings)
            self._accepted = settings, accept
        return taskmeta.decode(body, settings.result.serializer, accept=accept)

    def exist(self, ids: Sequence[str]) -> list[bool]:
        """Say of each task whether anything is stored about it."""
        return [
            body is not None for start in range(0, len(ids), BATCH) for body in self._backend().load(ids[start : start + BATCH])
        ]

    def wait(self, ids: Sequence[str], patience: Patience = FOR_EVER) -> Generator[tuple[str, TaskMeta], None, None]:
        """Yield each state of these tasks as it comes, until all of them have ended.

        Raises:
            TimeoutError: it has taken too long since the first was asked for.
        """
        return wait_for([(self, ids)], patience)

    def await_(
        self,
        ids: Sequence[str],
        timeout: float | None = None,
    ) -> AsyncGenerator[tuple[str, TaskMeta], None]:
        """Do what ``wait`` does without blocking the event loop."""
        return await_for([(self, ids)], timeout)

    def monotonic(self) -> float:
        """A clock that never steps, seconds."""
        return self._runtime.monotonic()

    def store_state(
        self,
        id: str,
        state: str,
        value: Any,
        message: Message | None,
        *,
        traceback: str | None = None,
        runner: Runner | None = None,
    ) -> None:
        """Store and announce a state that a program names.

        Args:
            id: Of the task.
            state: Such as ``"PROGRESS"``.
            value: Its result, or what ``result.info`` is to be.
            message: That of the task, where it is known.
            traceback: As text.
            runner: Who runs it, where that is known: ``result_extended`` stores it with what the message says.
        """
        meta = TaskMeta(
            task_id=id,
            status=state,
            result=value,
            traceback=traceback,
            date_done=self._runtime.now() if state in READY_STATES else None,
            group_id=message.group if message is not None else None,
            parent_id=message.parent_id if message is not None else None,
        )
        if message is not None and runner is not None and self._settings().result.extended:
            meta = taskmeta.extended(meta, message, worker=runner.node or "", queue=runner.queue or "")
        self.keep(meta)

    def keep(self, meta: TaskMeta) -> None:
        """Store and announce a task meta."""
        settings = self._settings().result
        body = taskmeta.encode(meta, settings.serializer, compression=settings.compression)
        ttl_s = settings.failure_ttl_s if meta.status == FAILURE else settings.ttl_s
        self._backend().store_results([StoredResult(meta.task_id, meta.status, body, ttl_s)])

    def keep_group(self, id: str, stored: Any) -> None:
        """Keep the stored form of a group, as long as results are kept."""
        self.keep_groups({id: stored})

    def keep_groups(self, groups: Mapping[str, Any]) -> None:
        """Keep the stored form of each group under its id, in one step, as long as results are kept."""
        settings = self._settings().result
        self._backend().store_results(
            [
                StoredResult(
                    groupmeta.place_of(id), groupmeta.STATE, groupmeta.encode(stored, settings.serializer), settings.ttl_s
                )
                for id, stored in groups.items()
            ]
        )

    def group(self, id: str) -> Any:
        """Return the stored form of a group that is kept; ``None``: there is none.

        Raises:
            DecodeError: it cannot be understood; ContentDisallowed: it may not be read.
        """
        [body] = self._backend().load([groupmeta.place_of(id)])
        settings = self._settings()
        return None if body is None else groupmeta.decode(body, settings.result.serializer, accept=accepted(settings))

    def forget_group(self, id: str) -> None:
        """Delete what ``keep_group`` kept."""
        self._backend().forget([groupmeta.place_of(id)])

    def forget(self, ids: Sequence[str]) -> None:
        """Delete what is stored about these tasks."""
        self._backend().forget(ids)

    def revoke(self, ids: Sequence[str]) -> None:
        """See to it that these tasks do not start; one that runs goes on."""
        self._broker().revoke(ids)

    def close(self) -> None:
        """End the threads that wait; whoever waits is told."""
        self.afterwards.close()
        self.waiting.close()
        self.afterwards.close()  # those of its listeners who were told just now

    def abandon(self) -> None:
        """Forget the threads that wait: they did not survive the fork."""
        self.afterwards.abandon()
        self.waiting.abandon()


def accepted(settings: Settings) -> frozenset[str]:
    """Return the content types in which a stored result may be read."""
    own = settings.result.accept_content
    return codecs.content_types(settings.general.accept_content if own is None else own)
