"""BackendView: what programs call on ``app.backend`` and ``task.backend``.

In a job's life: beside it; for code that reads or writes results by hand: a progress bar, an admin page, a task that marks
another one as done. Names and meanings: the part of Celery's ``Backend`` that its guide and third parties use. Does not know: how
a driver works.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, ClassVar, Final

from celeriac.app.context import Context
from celeriac.app.flows.offspring import trimmed
from celeriac.app.results.arrivals import Patience
from celeriac.app.results.result_states import ResultBase, as_mapping
from celeriac.app.results.results import Results, Runner
from celeriac.app.results.stored_form import StoredForm
from celeriac.core import states
from celeriac.core.errors import TaskRevokedError, TimeoutError  # noqa: A004 - the builtin's subclass
from celeriac.core.taskmeta import TaskMeta
from celeriac.drivers.url import mask

log = logging.getLogger("celeriac.results")


SAVED_LEVELS: Final = 50
"""Results in each other, as parents or members, that a group is saved with."""


class BackendView(StoredForm):
    """The results in one place, by task id."""

    READY_STATES: ClassVar[frozenset[str]] = states.READY_STATES
    UNREADY_STATES: ClassVar[frozenset[str]] = states.UNREADY_STATES
    EXCEPTION_STATES: ClassVar[frozenset[str]] = states.EXCEPTION_STATES
    TimeoutError: ClassVar[type[Exception]] = TimeoutError
    supports_native_join: ClassVar[bool] = True
    supports_autoexpire: ClassVar[bool] = True
    is_async: ClassVar[bool] = True

    def __init__(self, app: Any, results: Results, url: str | None) -> None:
        """Look at ``results`` of ``app``. ``url`` says where they are; ``None``: nowhere, or in an object without one."""
        self.app, self.results, self.url = app, results, url

    # ---- reading -----------------------------------------------------------------------------------------------

    def get_task_meta(self, task_id: str, cache: bool = True) -> dict[str, Any]:
        """Return what is stored about a task, as a mapping; ``status`` is PENDING where nothing is.

        Args:
            task_id: Of the task.
            cache: Without effect: the store is always asked.
        """
        del cache
        return as_mapping(self._meta(task_id))

    def _meta(self, task_id: str) -> TaskMeta:
        return self.results.metas([task_id])[0]

    def get_state(self, task_id: str) -> str:
        """Return the state of a task."""
        return self._meta(task_id).status

    get_status = get_state

    def get_result(self, task_id: str) -> Any:
        """Return its value, or its exception as an object."""
        return self._meta(task_id).result

    def get_traceback(self, task_id: str) -> str | None:
        """Return the traceback of a task that failed."""
        return self._meta(task_id).traceback

    def get_children(self, task_id: str) -> list[Any]:
        """Return the results of the tasks that it sent."""
        return [self.app.result_from_tuple(child) for child in self._meta(task_id).children]

    def task_result_exists(self, task_id: str) -> bool:
        """Say whether anything is stored about it."""
        return self.results.exist([task_id]) == [True]

    def get_many(self, task_ids: Iterable[str], timeout: float | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield id and mapping of each task as it ends, the first to end first.

        Raises:
            TimeoutError: not all have ended within ``timeout`` seconds.
        """
        for id, meta in self.results.wait(list(dict.fromkeys(task_ids)), Patience(timeout)):
            if meta.status in states.READY_STATES:
                yield id, as_mapping(meta)

    # ---- writing -----------------------------------------------------------------------------------------------

    def store_result(self, task_id: str, result: Any, state: str, traceback: str | None = None, request: Any = None) -> Any:
        """Store and announce a state. A SUCCESS stays as it is, and a final state is replaced by final states alone.

        Args:
            task_id: Of the task.
            result: Its value, its exception, or what ``result.info`` is to be.
            state: Such as ``"PROGRESS"``.
            traceback: Of a task that failed, as text.
            request: ``task.request``, if there is one: says which group the task belongs to and who sent it; with
                ``result_extended`` also what was called, and where it runs.
        """
        value = result.as_tuple() if isinstance(result, ResultBase) else result
        message, runner = getattr(request, "message", None), None
        if isinstance(request, Context):
            message = request.as_message()
            runner = Runner(request.hostname, (request.delivery_info or {}).get("routing_key"))
            if (task := self.app.tasks.get(message.task)) is not None:
                message = task.without_secrets(message)
        self.results.store_state(task_id, state, value, message, traceback=traceback, runner=runner)
        return result

    def mark_as_started(self, task_id: str, **meta: Any) -> Any:
        """Say that it runs; ``meta`` is what ``result.info`` is to be."""
        return self.store_result(task_id, meta, states.STARTED)

    def mark_as_done(
        self, task_id: str, result: Any, request: Any = None, store_result: bool = True, state: str = states.SUCCESS
    ) -> None:
        """Say that it has ended well, and what it returned. No callback is called: only a worker's settlement does that."""
        if store_result:
            self.store_result(task_id, result, state, request=request)

    def mark_as_failure(
        self,
        task_id: str,
        exc: BaseException,
        traceback: str | None = None,
        request: Any = None,
        store_result: bool = True,
        call_errbacks: bool = True,
        state: str = states.FAILURE,
    ) -> None:
        """Say that it has failed.

        Args:
            task_id: Of the task.
            exc: Why.
            traceback: As text.
            request: As for ``store_result``.
            store_result: ``False``: do nothing.
            call_errbacks: Error callbacks are sent by a worker's settlement only; where ``request`` has some, that is logged.
            state: As which.
        """
        if call_errbacks and getattr(request, "errbacks", None):
            log.warning("mark_as_failure of task %s: its error callbacks are not called by hand", task_id)
        if store_result:
            self.store_result(task_id, exc, state, traceback=traceback, request=request)

    def mark_as_retry(
        self, task_id: str, exc: BaseException, traceback: str | None = None, request: Any = None, store_result: bool = True
    ) -> None:
        """Say that it will run again, because of ``exc``."""
        if store_result:
            self.store_result(task_id, exc, states.RETRY, traceback=traceback, request=request)

    def mark_as_revoked(self, task_id: str, reason: str = "", request: Any = None, store_result: bool = True) -> None:
        """Say that it will not run."""
        if store_result:
            self.store_result(task_id, TaskRevokedError(reason), states.REVOKED, request=request)

    def forget(self, task_id: str) -> None:
        """Delete what is stored about it."""
        self.results.forget([task_id])

    def cleanup(self) -> None:
        """Nothing to do: stores drop what has expired by themselves."""

    # ---- groups ------------------------------------------------------------------------------------------------

    def save_group(self, group_id: str, result: ResultBase) -> ResultBase:
        """Store the ids of a group's members, for as long as results are kept. On Redis Celery's clients restore it, too.

        Of what went before it in a chain the last fifty steps are stored: readers bound how deep it may be.
        """
        self.results.keep_group(group_id, trimmed(result.as_tuple(), SAVED_LEVELS))
        return result

    def restore_group(self, group_id: str) -> Any:
        """Return a group that was saved, here or by Celery; ``None``: there is none."""
        stored = self.results.group(group_id)
        return None if stored is None else self.app.result_from_tuple(stored)

    def delete_group(self, group_id: str) -> None:
        """Delete what ``save_group`` stored; the members' results stay."""
        self.results.forget_group(group_id)

    # ---- itself ------------------------------------------------------------------------------------------------

    @property
    def expires(self) -> timedelta | None:
        """How long a result is kept. ``None``: for ever."""
        return self.results.kept_for

    def as_uri(self, include_password: bool = False) -> str:
        """Return its URL, without the password unless asked for it."""
        if self.url is None:
            return "disabled://"
        return self.url if include_password else mask(self.url)

    def __eq__(self, other: object) -> bool:
        return self.results is other.results if isinstance(other, BackendView) else NotImplemented

    def __hash__(self) -> int:
        return hash(id(self.results))

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a result backend cannot be pickled; its URL can: backend.as_uri(include_password=True)")

    def __repr__(self) -> str:
        return f"<BackendView: {self.as_uri()}>"


class DisabledView(BackendView):
    """No place: the app has no result backend. Reading raises; programs ask for this class to know in advance."""
