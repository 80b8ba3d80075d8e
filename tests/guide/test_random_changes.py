"""Random workflows whose tasks are replaced by random workflows, and whose members add others: they come to what the same graph
comes to in plain Python, and every task runs once; also where one of them fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celeriac import Celery, ChordError, chain, chord, signals
from guide.conftest import Serve
from guide.growing import Failed
from system.patience import eventually

WAIT_S = 30
Spec = tuple[Any, ...] | list[Any]
"""``["add", k]``, ``["flaky", k]``, ``["bad", k]``, ``["adds", k]``, ``["chain", steps]``, ``["chord", members]``,
``["replaced", spec]``: each is given a number and comes to one."""
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def runs() -> Iterator[Counter[str]]:
    """Give how many tasks have returned a value, by name. One that was replaced has returned none."""
    counted: Counter[str] = Counter()

    def note(sender: Any = None, **_: Any) -> None:
        counted[sender.name] += 1

    signals.task_success.connect(note)
    yield counted
    signals.task_success.disconnect(note)


@pytest.fixture
def tasks(app: Celery, tasks: dict[str, Any]) -> dict[str, Any]:
    @app.task(name="flaky", bind=True)
    def flaky(self: Any, x: int, y: int) -> int:
        if not self.request.retries:
            raise self.retry(countdown=0)
        return x + y

    @app.task(name="bad")
    def bad(x: int, y: int) -> int:
        raise ValueError("it broke")

    @app.task(name="adds", bind=True)
    def adds(self: Any, x: int, y: int) -> int:
        self.add_to_chord(app.tasks["add"].s(x, y))
        return x

    @app.task(name="replaced", bind=True)
    def replaced(self: Any, x: int, spec: Spec) -> Any:
        raise self.replace(built(app, spec).clone((x,)))

    return dict(app.tasks)


def built(app: Celery, spec: Spec) -> Any:
    """Return the workflow that ``spec`` describes."""
    kind, what = spec
    match kind:
        case "chain":
            return chain(*(built(app, step) for step in what))
        case "chord":
            return chord([built(app, member) for member in what], app.tasks["total"].s())
    return app.tasks[kind].s(what)


def evaluated(spec: Spec, x: int, ran: Counter[str]) -> tuple[int, int]:
    """Return what it comes to, and what the members come to that it adds to the chord around it; count in ``ran`` what runs.

    Raises:
        Failed: a task in it fails, and its end does not run.
    """
    kind, what = spec
    match kind:
        case "chain":
            more = 0
            for step in what:
                x, more = evaluated(step, x, ran)
            return x, more
        case "chord":
            return _joined(what, x, ran), 0
        case "replaced":
            return evaluated(what, x, ran)
        case "bad":
            raise Failed
        case "adds":
            ran.update(["adds", "add"])
            return x, x + what
    ran[kind] += 1
    return x + what, 0


def _joined(members: Spec, x: int, ran: Counter[str]) -> int:
    values, failed = 0, False
    for member in members:
        try:
            values += sum(evaluated(member, x, ran))
        except Failed:
            failed = True
    if failed:
        raise Failed
    ran["total"] += 1
    return values


numbers = st.integers(-3, 3)
simple = st.tuples(st.sampled_from(["add"] * 5 + ["flaky", "bad"]), numbers)
adding = st.tuples(st.just("adds"), numbers)


def _deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    ending = st.one_of(inner, adding)
    members = st.one_of(
        ending, st.tuples(inner, ending).map(lambda steps: ("chain", steps)), ending.map(lambda one: ("replaced", one))
    )
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda steps: ("chain", steps)),
        st.lists(members, min_size=1, max_size=4).map(lambda members: ("chord", members)),
        inner.map(lambda spec: ("replaced", spec)),
    )


def check(app: Celery, runs: Counter[str], spec: Spec) -> None:
    runs.clear()
    ran: Counter[str] = Counter()
    try:
        expected: int | None = evaluated(spec, 1, ran)[0]
    except Failed:
        expected = None

    result = built(app, spec).clone((1,)).apply_async()

    if expected is None:
        with pytest.raises((ValueError, ChordError)):
            result.get(timeout=WAIT_S)
    else:
        assert result.get(timeout=WAIT_S) == expected
    eventually(lambda: runs == ran and app.store.depth(["celery"]) == [0], what=f"{ran}; there were {runs}")


def test_a_workflow_that_changes_while_it_runs_comes_to_what_its_graph_says(
    app: Celery, tasks: Any, runs: Counter[str], serve: Serve
) -> None:
    serve(pool="threads", concurrency=3)

    QUICK(given(st.recursive(simple, _deeper, max_leaves=12))(lambda spec: check(app, runs, spec)))()
