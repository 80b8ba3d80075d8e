"""Chords that grow while they run: ``add_to_chord``, after Celery's reference of it, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import Celery, ChordError, chain, chord, group
from guide.conftest import Serve
from system.patience import eventually

WAIT_S = 10


@pytest.fixture
def tasks(app: Celery, tasks: dict[str, Any]) -> dict[str, Any]:
    @app.task(name="same")
    def same(value: Any, _: str) -> Any:
        return value

    @app.task(name="adds", bind=True)
    def adds(self: Any, what: str) -> str:
        t = app.tasks
        additions: dict[str, Any] = {
            "a task": lambda: t["add"].s(100, 1),
            "a chain": lambda: t["add"].s(100, 1) | t["add"].s(10),
            "a group": lambda: group(t["add"].s(100, 1), t["add"].s(100, 2)),
            "a chord": lambda: chord([t["add"].s(100, 1), t["add"].s(2, 2)], t["shown"].s()),
            "a chain that ends with a group": lambda: t["add"].s(100, 1) | group(t["add"].s(1), t["add"].s(2)),
            "one that adds": lambda: t["adds"].s("a task"),
            "one that fails": lambda: t["add"].s(1, 1) | t["broken"].s() | t["add"].s(1),
        }
        self.add_to_chord(additions[what]())
        return what

    return dict(app.tasks)


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("a task", [101]),
        ("a chain", [111]),
        ("a group", [101, 102]),
        ("a chord", ["[101, 4]"]),
        ("a chain that ends with a group", [[102, 103]]),
        ("one that adds", ["a task", 101]),
    ],
)
def test_a_member_may_add_members_whose_values_come_behind_the_others(
    tasks: Any, serve: Serve, what: str, values: list[Any]
) -> None:
    serve()

    result: Any = chord([tasks["add"].s(1, 1), tasks["adds"].s(what), tasks["add"].s(2, 2)], tasks["shown"].s()).delay()

    found = eval(result.get(timeout=WAIT_S))
    assert (found[:3], sorted(found[3:], key=str)) == ([2, what, 4], sorted(values, key=str))


def test_members_are_added_to_a_chord_whose_body_is_too_large_for_its_members(tasks: Any, serve: Serve) -> None:
    serve(pool="threads", concurrency=2)
    body = tasks["shown"].s() | chain(*[tasks["same"].s("x" * 200)] * 60)

    result: Any = chord([tasks["adds"].s("a group"), *[tasks["add"].s(0, 0)] * 20], body).delay()

    found = eval(result.get(timeout=60))
    assert (found[:21], sorted(found[21:])) == (["a group", *[0] * 20], [101, 102])


def test_values_that_were_added_stand_behind_the_lists_of_groups(tasks: Any, serve: Serve) -> None:
    serve()
    forked = tasks["add"].s(1, 1) | group(tasks["add"].s(1), tasks["add"].s(2))

    result: Any = chord([forked, tasks["adds"].s("a task")], tasks["shown"].s()).delay()

    assert result.get(timeout=WAIT_S) == "[[3, 4], 'a task', 101]"


def test_a_member_that_was_added_and_fails_fails_the_chord(tasks: Any, serve: Serve) -> None:
    serve()

    result: Any = chord([tasks["add"].s(1, 1), tasks["adds"].s("one that fails")], tasks["shown"].s()).delay()

    with pytest.raises(ChordError, match="it broke"):
        result.get(timeout=WAIT_S, follow_parents=False)


def test_a_run_that_is_tried_again_has_added_nothing(app: Celery, tasks: Any, serve: Serve) -> None:
    @app.task(name="again", bind=True)
    def again(self: Any) -> int:
        self.add_to_chord(tasks["add"].s(100, self.request.retries))
        if self.request.retries < 2:
            raise self.retry(countdown=0.01)
        return 0

    serve()
    result: Any = chord([again.s(), tasks["add"].s(1, 1)], tasks["shown"].s()).delay()

    assert result.get(timeout=WAIT_S) == "[0, 2, 102]"


@pytest.mark.parametrize("how", ["replaced", "fails"])
def test_what_a_member_added_counts_however_it_ends(app: Celery, tasks: Any, serve: Serve, how: str) -> None:
    ran: list[int] = []

    @app.task(name="noted")
    def noted() -> int:
        ran.append(1)
        return 7

    @app.task(name="ends", bind=True)
    def ends(self: Any) -> Any:
        self.add_to_chord(noted.s())
        if how == "fails":
            raise KeyError("after all")
        raise self.replace(tasks["add"].s(1, 1) | tasks["add"].s(3))

    serve()
    result: Any = chord([ends.s(), tasks["add"].s(0, 0)], tasks["shown"].s()).delay()

    if how == "replaced":
        assert result.get(timeout=WAIT_S) == "[5, 0, 7]"
    else:
        with pytest.raises(ChordError, match="after all"):
            result.get(timeout=WAIT_S, follow_parents=False)
    eventually(lambda: ran == [1], what="what was added has run")


def test_a_member_may_send_what_it_adds_itself(app: Celery, tasks: Any, serve: Serve) -> None:
    @app.task(name="lazy", bind=True)
    def lazy(self: Any) -> int:
        mine = tasks["add"].s(100, 1)
        same = self.add_to_chord(mine, lazy=True)
        mine.delay()
        return int(same is mine)

    serve(pool="threads", concurrency=2)  # it may end before the one that adds it
    result: Any = chord([tasks["add"].s(1, 1), lazy.s()], tasks["shown"].s()).delay()

    assert result.get(timeout=WAIT_S) == "[2, 1, 101]"


def test_what_a_member_adds_is_one_of_its_children_and_has_a_result(app: Celery, tasks: Any, serve: Serve) -> None:
    @app.task(name="adder", bind=True)
    def adder(self: Any) -> str:
        return str(self.add_to_chord(tasks["add"].s(100, 1)).id)

    serve()
    result: Any = chord([adder.s()], tasks["shown"].s()).delay()
    result.get(timeout=WAIT_S)

    [member] = result.parent.results
    added = app.AsyncResult(member.get())
    assert added.get(timeout=WAIT_S) == 101
    assert [child.id for child in member.children] == [added.id]


def test_outside_of_a_chord_nothing_can_be_added(tasks: Any, serve: Serve) -> None:
    serve()

    with pytest.raises(ValueError, match="not a member of a chord"):
        tasks["adds"].delay("a task").get(timeout=WAIT_S)
    with pytest.raises(ValueError, match="not a member of a chord"):
        group(tasks["adds"].s("a task"), tasks["add"].s(1, 1)).delay().get(timeout=WAIT_S)
    with pytest.raises(ValueError, match="not a member of a chord"):
        tasks["adds"].add_to_chord(tasks["add"].s(1, 1))
