"""A message that comes again, of a task that has succeeded before: whether it is one, and how it ends without another run.

In a job's life: between admission and lane, where ``worker_deduplicate_successful_tasks`` is set; asked for late-acked messages
that were handed out before. One that is lost with a process between its result and its end is such a message, where broker and
results are two stores: then what follows the task may not have been sent, and is sent again, under the same ids. In one store its
result says that all of it was. Source: Celery's reference of the setting. Does not know: lanes.
"""

from __future__ import annotations

from celeriac.abc import ResultBackend
from celeriac.core import states, taskmeta
from celeriac.core.outcome import Success
from celeriac.worker.request import Request


class Repeats:
    """Asks where results are."""

    def __init__(self, results: ResultBackend, *, one_step: bool) -> None:
        """``one_step``: a result is stored in the step that also ends its delivery."""
        self._results, self.one_step = results, one_step

    def success_of(self, request: Request) -> Success | None:
        """Return how the task of this request has succeeded; ``None``: it has not, or nobody can know.

        Raises:
            OperationalError: the store did not answer.
        """
        how, message = request.how, request.message
        if not (message.redelivered and how.acks_late) or how.ignore_result or how.own_backend is not None:
            return None
        [body] = self._results.load([message.id])
        meta = None if body is None else taskmeta.decode(body)
        return Success(meta.result) if meta is not None and meta.status == states.SUCCESS else None
