"""Random workflows whose tasks are replaced by random workflows, and whose members add others: they come to what the same graph
comes to in plain Python."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import arithmetic
from celeriac import Celery, chain, chord
from guide.serving import InProcess

WAIT_S = 30
Spec = tuple[Any, ...] | list[Any]
"""``["add", k]``, ``["flaky", k]``, ``["adds", k]``, ``["chain", steps]``, ``["chord", members]``, ``["replaced", spec]``: each
is given a number and comes to one."""
_names = itertools.count()


@pytest.fixture(scope="module")
def app() -> Iterator[Celery]:
    with Celery("random", broker="memory://random", backend="memory://random", set_as_current=False) as made:
        _declare(made)
        with InProcess(made, pool="threads", concurrency=3, name=f"random{next(_names)}"):
            yield made


def _declare(app: Celery) -> None:
    arithmetic.declare(app)

    @app.task(name="flaky", bind=True)
    def flaky(self: Any, x: int, y: int) -> int:
        if not self.request.retries:
            raise self.retry(countdown=0)
        return x + y

    @app.task(name="adds", bind=True)
    def adds(self: Any, x: int, y: int) -> int:
        self.add_to_chord(app.tasks["add"].s(x, y))
        return x

    @app.task(name="replaced", bind=True)
    def replaced(self: Any, x: int, spec: Spec) -> Any:
        raise self.replace(built(app, spec).clone((x,)))


def built(app: Celery, spec: Spec) -> Any:
    """Return the workflow that ``spec`` describes."""
    kind, what = spec
    match kind:
        case "chain":
            return chain(*(built(app, step) for step in what))
        case "chord":
            return chord([built(app, member) for member in what], app.tasks["total"].s())
    return app.tasks[kind].s(what)


def value_of(spec: Spec, x: int) -> tuple[int, int]:
    """Return what it comes to, and what the members come to that it adds to the chord around it."""
    kind, what = spec
    match kind:
        case "chain":
            more = 0
            for step in what:
                x, more = value_of(step, x)
            return x, more
        case "chord":
            return sum(map(sum, (value_of(member, x) for member in what))), 0
        case "replaced":
            return value_of(what, x)
        case "adds":
            return x, x + what
    return x + what, 0


numbers = st.integers(-3, 3)
simple = st.tuples(st.sampled_from(["add", "flaky"]), numbers)
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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=st.recursive(simple, _deeper, max_leaves=12))
def test_a_workflow_that_changes_while_it_runs_comes_to_what_its_graph_says(app: Celery, spec: Spec) -> None:
    expected, _ = value_of(spec, 1)

    assert built(app, spec).clone((1,)).apply_async().get(timeout=WAIT_S) == expected
