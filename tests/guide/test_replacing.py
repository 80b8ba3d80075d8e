"""Workflows that change while they run: tasks that let another one, or a whole workflow, take their place.

Examples of what Celery's reference of ``Task.replace`` promises, in words and names of our own, on every store.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from celeriac import Celery, ChordError, chain, chord, group
from guide.conftest import Serve
from system.patience import eventually

WAIT_S = 10
Make = Callable[[Any], Any]


@pytest.fixture
def heard() -> list[Any]:
    """Give what ``hear`` was called with."""
    return []


@pytest.fixture
def tasks(app: Celery, tasks: dict[str, Any], heard: list[Any]) -> dict[str, Any]:
    @app.task(name="hear")
    def hear(what: Any) -> None:
        heard.append(what)

    @app.task(name="goes_on", bind=True)
    def goes_on(self: Any, x: int, how: str) -> Any:
        raise self.replace(FIVE_MORE[how](app.tasks, x))

    @app.task(name="told", bind=True)
    def told(self: Any, *_: Any) -> list[Any]:
        request = self.request
        return [request.replaced_task_nesting, request.root_id, request.headers, request.stamps]

    @app.task(name="echoed", bind=True)
    def echoed(self: Any, *values: Any) -> Any:
        raise self.replace(group(app.tasks["add"].s(value, 1) for value in values))

    return dict(app.tasks)


FIVE_MORE: dict[str, Callable[[Any, int], Any]] = {
    "a task": lambda t, x: t["add"].s(x, 5),
    "a chain": lambda t, x: t["add"].s(x, 4) | t["add"].s(1),
    "a chain of chains": lambda t, x: chain(t["add"].s(x, 1), chain(t["add"].s(1), t["add"].s(1))) | t["add"].s(2),
    "a chord": lambda t, x: chord([t["add"].s(x, 2), t["add"].s(1, 2)], t["total"].s()),
    "a chain with a chord in it": lambda t, x: (
        t["add"].s(x, 1) | group(t["add"].s(1), t["add"].si(1, 1)) | t["total"].s() | t["add"].s(1)
    ),
    "a chord of chords": lambda t, x: chord(
        [chord([t["add"].s(x, 1), t["add"].s(1, 1)], t["total"].s()), t["add"].s(1, 1)], t["total"].s()
    ),
    "one that is replaced": lambda t, x: t["goes_on"].s(x, "a chain with a chord in it"),
    "one whose member is replaced": lambda t, x: chord([t["goes_on"].s(x - 1, "a chord"), t["add"].s(1, 0)], t["total"].s()),
    "one whose body is replaced": lambda t, x: chord([t["add"].s(x, 0)], t["total"].s() | t["goes_on"].s("a chord")),
}
"""What takes the place of ``goes_on``: each comes to x + 5."""

every_kind = pytest.mark.parametrize("how", FIVE_MORE)


# ---- Where the replaced task stands --------------------------------------------------------------------------------


@every_kind
def test_a_replacement_bears_the_id_and_calls_the_callbacks_of_the_task(
    tasks: Any, serve: Serve, heard: list[Any], how: str
) -> None:
    serve()

    result = tasks["goes_on"].apply_async((1, how), task_id="same", link=tasks["hear"].s())

    assert (result.id, result.get(timeout=WAIT_S)) == ("same", 6)
    eventually(lambda: heard == [6], what="the callback has heard")


@every_kind
def test_what_followed_the_task_in_its_chain_follows_the_replacement(tasks: Any, serve: Serve, how: str) -> None:
    serve()

    made = tasks["add"].s(1, 1) | tasks["goes_on"].s(how) | tasks["double"].s() | group(tasks["add"].s(1), tasks["add"].s(2))
    result = made.delay()

    assert result.get(timeout=WAIT_S) == [15, 16]
    assert [result.parent.get(timeout=WAIT_S), result.parent.parent.get(timeout=WAIT_S)] == [14, 7]


@every_kind
def test_a_replacement_keeps_the_tasks_place_in_a_group_and_in_a_header(tasks: Any, serve: Serve, how: str) -> None:
    serve()
    members = [tasks["add"].s(1, 0), tasks["goes_on"].s(1, how), tasks["add"].s(2, 0)]

    alone = group(members).delay()
    followed = (group(members) | tasks["shown"].s()).delay()
    in_a_chain: Any = chord(
        [tasks["add"].s(0, 1) | tasks["goes_on"].s(how) | tasks["double"].s(), members[0]], tasks["shown"].s()
    )

    assert alone.get(timeout=WAIT_S) == [1, 6, 2]
    assert followed.get(timeout=WAIT_S) == "[1, 6, 2]"
    assert in_a_chain.delay().get(timeout=WAIT_S) == "[12, 1]"


@every_kind
def test_the_body_of_a_chord_may_be_replaced(tasks: Any, serve: Serve, how: str) -> None:
    serve()

    made = group(tasks["add"].s(1, 1), tasks["add"].s(2, 2)) | tasks["total"].s() | tasks["goes_on"].s(how) | tasks["double"].s()

    assert made.delay().get(timeout=WAIT_S) == 22


def test_a_task_is_replaced_in_the_middle_of_a_workflow_that_is_too_long_for_one_message(tasks: Any, serve: Serve) -> None:
    serve(pool="threads", concurrency=2)
    long: Any = chain(*[tasks["add"].s(1)] * 60)
    rest = chain(tasks["goes_on"].s("a chain"), long, tasks["goes_on"].s("a chord"), long, tasks["goes_on"].s("a task"))

    made = (
        tasks["add"].s(0, 0)
        | long
        | rest
        | group([tasks["goes_on"].s("a chord") | tasks["add"].s(1)] * 20)
        | tasks["total"].s()
        | rest
    )

    assert made.delay().get(timeout=60) == (60 + 135 + 6) * 20 + 135


# ---- Groups --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("values", "found"), [((1, 2, 3), [2, 3, 4]), ((1,), [2]), ((), [])])
def test_a_group_that_replaces_a_task_comes_to_the_list_of_its_values(
    tasks: Any, serve: Serve, values: Any, found: list[int]
) -> None:
    serve()

    result = tasks["echoed"].apply_async(values, task_id="same")
    followed = (tasks["echoed"].s(*values) | tasks["shown"].s()).delay()
    member: Any = chord([tasks["add"].s(0, 0), tasks["echoed"].s(*values)], tasks["shown"].s())

    assert (result.id, result.get(timeout=WAIT_S)) == ("same", found)
    assert followed.get(timeout=WAIT_S) == repr(found)
    assert member.delay().get(timeout=WAIT_S) == repr([0, found])


def test_so_does_a_workflow_that_ends_with_a_group(app: Celery, tasks: Any, serve: Serve) -> None:
    @app.task(name="forks", bind=True)
    def forks(self: Any, how: str) -> Any:
        fork = group(tasks["add"].s(1), tasks["add"].s(2))
        raise self.replace(
            {"chain": tasks["add"].s(1, 1) | fork, "body": chord([tasks["add"].s(1, 1)], tasks["total"].s() | fork)}[how]
        )

    serve()

    assert [(forks.s(how) | tasks["shown"].s()).delay().get(timeout=WAIT_S) for how in ("chain", "body")] == ["[3, 4]"] * 2


# ---- What is kept, what fails --------------------------------------------------------------------------------------


def test_a_replacement_tells_how_often_it_was_replaced_and_keeps_root_headers_and_stamps(
    app: Celery, tasks: Any, serve: Serve
) -> None:
    @app.task(name="first", bind=True)
    def first(self: Any) -> Any:
        raise self.replace(group(tasks["told"].s(), tasks["told"].s().set(headers={"mine": 2})))

    @app.task(name="twice", bind=True)
    def twice(self: Any) -> Any:
        raise self.replace(first.si())

    serve()
    result = twice.apply_async(root_id="root", headers={"mine": 1}, stamped_headers=["batch"], batch="b7")  # type: ignore[call-overload]  # a stamp

    one, two = result.get(timeout=WAIT_S)
    assert [one[:3], two[:3]] == [[2, "root", {"mine": 1}], [2, "root", {"mine": 2}]]
    assert (one[3], two[3]) == ({"batch": "b7"}, {"batch": "b7"})


@pytest.mark.parametrize("how", ["first", "last", "member"])
def test_a_replacement_that_fails_is_the_tasks_failure_and_its_errbacks_hear_once(
    app: Celery, tasks: Any, serve: Serve, heard: list[Any], how: str
) -> None:
    @app.task(name="fails", bind=True)
    def fails(self: Any) -> Any:
        workflows: dict[str, Any] = {
            "first": lambda: tasks["broken"].si() | tasks["add"].s(1),
            "last": lambda: tasks["add"].si(1, 1) | tasks["broken"].si(),
            "member": lambda: group(tasks["add"].si(1, 1), tasks["broken"].si()),
        }
        raise self.replace(workflows[how]())

    serve()
    result = (fails.s().on_error(tasks["hear"].s()) | tasks["double"].s()).delay()

    with pytest.raises((ValueError, ChordError), match="it broke"):
        result.get(timeout=WAIT_S)
    assert [result.parent.state, result.state] == ["FAILURE", "FAILURE"]
    eventually(lambda: len(heard) == 1, what="the errback has heard")


def test_a_replacement_that_fails_fails_the_chord_that_the_task_was_a_member_of(app: Celery, tasks: Any, serve: Serve) -> None:
    @app.task(name="fails", bind=True)
    def fails(self: Any) -> Any:
        raise self.replace(tasks["add"].si(1, 1) | tasks["broken"].si() | tasks["add"].s(1))

    serve()
    result: Any = chord([tasks["add"].s(1, 1), fails.s()], tasks["total"].s()).delay()

    with pytest.raises(ChordError, match="it broke"):
        result.get(timeout=WAIT_S, follow_parents=False)


def test_what_cannot_take_a_tasks_place_is_refused_by_name(app: Celery, tasks: Any, serve: Serve) -> None:
    @app.task(name="wrong", bind=True)
    def wrong(self: Any, how: str) -> Any:
        raise self.replace(chain() if how == "empty" else tasks["add"].s(1, 1).set(chord=tasks["total"].s()))

    serve()

    with pytest.raises(Exception, match="empty chain"):
        wrong.delay("empty").get(timeout=WAIT_S)
    with pytest.raises(Exception, match="must not be a member of one already"):
        wrong.delay("member").get(timeout=WAIT_S)


def test_what_is_sent_in_a_tasks_place_may_be_changed_by_its_class(app: Celery, tasks: Any, serve: Serve) -> None:
    seen: list[Any] = []

    class Looking(app.Task):  # type: ignore[name-defined,misc]
        def on_replace(self, sig: Any) -> Any:
            seen.append((sig["subtask_type"], sig.tasks[-1].id if sig["subtask_type"] == "chain" else None))
            return super().on_replace(sig)

    @app.task(name="looking", bind=True, base=Looking)
    def looking(self: Any) -> Any:
        raise self.replace(tasks["add"].s(1, 1) | tasks["double"].s())

    serve()

    assert looking.apply_async(task_id="same").get(timeout=WAIT_S) == 4
    assert seen == [("chain", "same")]


# ---- Here and now --------------------------------------------------------------------------------------------------


@every_kind
def test_a_task_that_runs_here_and_now_is_replaced_here_and_now(tasks: Any, how: str) -> None:
    result = tasks["goes_on"].apply((1, how), task_id="same")

    assert (result.id, result.get()) == ("same", 6)
    assert (tasks["add"].s(1, 1) | tasks["goes_on"].s(how) | tasks["double"].s()).apply().get() == 14
    assert chord([tasks["goes_on"].s(1, how), tasks["add"].s(1, 1)], tasks["shown"].s()).apply().get() == "[6, 2]"


def test_a_replacement_that_fails_here_and_now_is_the_tasks_failure(app: Celery, tasks: Any) -> None:
    @app.task(name="fails", bind=True)
    def fails(self: Any) -> Any:
        raise self.replace(tasks["add"].si(1, 1) | tasks["broken"].si() | tasks["add"].s(1))

    result = fails.apply(task_id="same")

    assert (result.id, result.state, repr(result.result)) == ("same", "FAILURE", "ValueError('it broke')")
