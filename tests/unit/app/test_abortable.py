"""Tasks that can be asked to stop."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from celeriac import Celery
from celeriac.app.borrowed.abortable import ABORTED, AbortableAsyncResult, AbortableTask
from unit.app.serving import serve


@pytest.fixture
def app() -> Celery:
    url = f"memory://{uuid4().hex}"
    return Celery("abortable", broker=url, backend=url, set_as_current=False)


def looking(app: Celery, *, asked: bool) -> Any:
    """Return a task that looks whether it is to stop; it is asked after it began, as by somebody else."""

    @app.task(name="abortable.look", bind=True, base=AbortableTask)
    def look(self: AbortableTask[[], Any]) -> tuple[bool, bool]:
        before = self.is_aborted()
        if asked:
            AbortableAsyncResult(self.request.id or "", app=app).abort()
        return before, self.is_aborted()

    return look


@pytest.mark.parametrize("asked", [False, True])
def test_a_task_sees_that_it_was_asked_to_stop(app: Celery, asked: bool) -> None:
    look = looking(app, asked=asked)

    result = look.delay()
    serve(app)

    assert list(result.get(timeout=1)) == [False, asked]


def test_its_result_is_one_that_can_ask(app: Celery) -> None:
    result = looking(app, asked=False).apply_async()

    result.abort()

    assert isinstance(result, AbortableAsyncResult)
    assert result.is_aborted()
    assert result.state == ABORTED


def test_a_result_that_has_come_is_not_overwritten(app: Celery) -> None:
    result = looking(app, asked=False).delay()
    serve(app)

    result.abort()

    assert (result.state, result.is_aborted()) == ("SUCCESS", False)


def test_what_runs_here_and_now_is_aborted_by_nobody(app: Celery) -> None:
    look = looking(app, asked=False)

    called = look()
    eager = look.apply()

    assert called == (False, False)
    assert list(eager.get()) == [False, False]
