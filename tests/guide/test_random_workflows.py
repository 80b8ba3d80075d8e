"""Workflows by chance on every store: each comes to what plain Python makes of it, and each task runs once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from celeriac import AsyncResult, Celery, ChordError, GroupResult, states
from guide.conftest import Serve
from guide.growing import Evaluation, drawn, sown, value_of
from system.patience import eventually

WAIT_S = 30


@pytest.fixture
def runs(app: Celery) -> Counter[str]:
    """Give how often each task has come to an end of its own."""
    counted: Counter[str] = Counter()

    @app.task(name="good")
    def good(*args: Any, name: str) -> int:
        counted[name] += 1
        return value_of(name, args)

    @app.task(name="flaky", bind=True, max_retries=1, acks_late=True)
    def flaky(self: Any, *args: Any, name: str) -> int:
        if self.request.retries == 0:
            raise self.retry(countdown=0)
        counted[name] += 1
        return value_of(name, args)

    @app.task(name="bad")
    def bad(*args: Any, name: str) -> None:
        counted[name] += 1
        raise ValueError(name)

    return counted


def members_of(result: Any) -> Iterator[AsyncResult[Any]]:
    """Yield every task that a result knows: its own, its members', and those before it."""
    while result is not None:
        if isinstance(result, GroupResult):
            for each in result.results:
                yield from members_of(each)
        else:
            yield result
        result = result.parent


def headers_of(result: Any) -> Iterator[str]:
    """Yield the ids of the groups among them."""
    while result is not None:
        if isinstance(result, GroupResult):
            yield str(result.id)
            for each in result.results:
                yield from headers_of(each)
        result = result.parent


def check(app: Celery, runs: Counter[str], tree: Any, limit: int | None) -> None:
    app.conf.task_workflow_embed_limit = limit
    runs.clear()
    expected = Evaluation(tree)

    def task(kind: str, name: str) -> Any:
        made = app.tasks["good" if kind == "alone" else kind].s(name=name)
        return made.set(immutable=True) if kind == "alone" else made

    result = sown(tree, task).apply_async()
    everybody = list(members_of(result))

    eventually(lambda: all(one.state in states.READY_STATES for one in everybody), within_s=WAIT_S, what=f"every end of {tree}")
    value, failed = outcome(result)

    assert failed == expected.failed
    assert failed or value == expected.value
    assert dict(runs) == dict.fromkeys(expected.ran, 1)
    assert [parts for id in headers_of(result) if (parts := app.store.parts(id))] == []
    assert app.store.depth(["celery"]) == [0]


def outcome(result: Any) -> tuple[Any, bool]:
    """Return the value of a result, and whether it has failed."""
    try:
        return result.get(timeout=WAIT_S), False
    except (ValueError, ChordError):
        return None, True


QUICK = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck), print_blob=True)
LONG = settings(QUICK, max_examples=1500)


def test_each_comes_to_what_plain_python_makes_of_it(app: Celery, runs: Counter[str], serve: Serve) -> None:
    serve(pool="threads", concurrency=4)

    QUICK(given(drawn())(lambda one: check(app, runs, one.tree, one.limit)))()


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_very_many_come_to_what_plain_python_makes_of_them(app: Celery, runs: Counter[str], serve: Serve) -> None:
    serve(pool="threads", concurrency=4)

    LONG(given(drawn())(lambda one: check(app, runs, one.tree, one.limit)))()
