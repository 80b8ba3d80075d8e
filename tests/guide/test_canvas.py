"""Workflows, after Celery's chapter "Canvas": chains, groups, chords and what is made of them, on every store.

Each is an example of that chapter in words and names of our own, and a test of what it does.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from celeriac import Celery, ChordError, GroupResult, chain, chord, group, signature
from guide.conftest import Serve
from system.patience import eventually

WAIT_S = 10


@pytest.fixture
def tasks(app: Celery, tasks: dict[str, Any]) -> dict[str, Any]:
    @app.task(name="flaky", bind=True, max_retries=2)
    def flaky(self: Any, x: int) -> int:
        if self.request.retries < 2:
            raise self.retry(countdown=0.01)
        return x + 100

    return dict(app.tasks)


# ---- Chains --------------------------------------------------------------------------------------------------------


def test_a_chain_hands_each_value_to_the_next(tasks: Any, serve: Serve) -> None:
    serve()

    result = chain(tasks["add"].s(2, 2), tasks["add"].s(4), tasks["double"].s()).apply_async()

    assert result.get(timeout=WAIT_S) == 16
    assert [result.parent.get(), result.parent.parent.get(), result.parent.parent.parent] == [8, 4, None]


def test_the_bar_chains_and_immutable_signatures_are_handed_nothing(tasks: Any, serve: Serve) -> None:
    serve()

    result = (tasks["add"].s(2, 2) | tasks["add"].si(1, 1) | tasks["double"].s())()

    assert result.get(timeout=WAIT_S) == 4


def test_arguments_and_options_of_a_chain_are_those_of_its_first_step(tasks: Any, serve: Serve) -> None:
    serve()

    result = (tasks["add"].s(1) | tasks["double"].s()).apply_async((5,), task_id="end")

    assert (result.id, result.get(timeout=WAIT_S)) == ("end", 12)


def test_a_chain_that_fails_ends_every_later_step_with_the_same_error(tasks: Any, serve: Serve) -> None:
    serve()

    result = (tasks["add"].s(1, 1) | tasks["broken"].s() | tasks["double"].s() | tasks["double"].s()).delay()

    with pytest.raises(ValueError, match="it broke"):
        result.get(timeout=WAIT_S)
    assert [result.state, result.parent.state, result.parent.parent.state] == ["FAILURE"] * 3
    assert result.parent.parent.parent.get(timeout=WAIT_S) == 2


def test_a_retry_in_a_chain_goes_on_with_it(tasks: Any, serve: Serve) -> None:
    serve()

    assert (tasks["flaky"].s(1) | tasks["double"].s()).delay().get(timeout=WAIT_S) == 202


def test_links_of_a_chain_hear_of_its_end_and_errbacks_of_the_step_that_failed(app: Celery, tasks: Any, serve: Serve) -> None:
    heard: list[Any] = []

    @app.task(name="hear")
    def hear(what: Any) -> None:
        heard.append(what)

    serve()
    (tasks["add"].s(1, 1) | tasks["double"].s()).apply_async(link=hear.s())
    failed = (tasks["add"].s(1, 1) | tasks["broken"].s() | tasks["double"].s()).apply_async(link_error=hear.s())

    eventually(lambda: len(heard) == 2, what="both have heard")
    assert sorted(map(str, heard)) == sorted(["4", failed.parent.id])


# ---- Groups --------------------------------------------------------------------------------------------------------


def test_a_chain_may_end_with_a_group(tasks: Any, serve: Serve) -> None:
    serve()

    result = (tasks["add"].s(1, 1) | group(tasks["add"].s(10), tasks["add"].s(20))).delay()

    assert isinstance(result, GroupResult)
    assert result.get(timeout=WAIT_S) == [12, 22]
    assert result.parent.get() == 2


def test_members_of_a_group_may_be_workflows(tasks: Any, serve: Serve) -> None:
    serve()

    members = [
        tasks["add"].s(1, 1) | tasks["double"].s(),
        group(tasks["add"].s(1, 2), tasks["add"].s(2, 2)),
        tasks["add"].s(9, 1),
    ]

    assert group(members).delay().get(timeout=WAIT_S) == [4, 3, 4, 10]


# ---- Chords --------------------------------------------------------------------------------------------------------


def test_the_body_of_a_chord_is_called_with_the_values_in_their_order(tasks: Any, serve: Serve) -> None:
    serve()

    result: Any = chord([tasks["add"].s(i, i) for i in range(20)])(tasks["shown"].s())

    assert result.get(timeout=WAIT_S) == repr([2 * i for i in range(20)])
    assert result.parent.get(timeout=WAIT_S) == [2 * i for i in range(20)]


def test_a_group_that_is_followed_is_a_chord_and_what_follows_goes_on_from_its_body(tasks: Any, serve: Serve) -> None:
    serve()

    made = group(tasks["add"].s(i, i) for i in range(4)) | tasks["total"].s() | tasks["double"].s()

    assert isinstance(made, chord)
    assert made.delay().get(timeout=WAIT_S) == 24


def test_a_value_goes_to_each_member_of_a_chord_in_a_chain(tasks: Any, serve: Serve) -> None:
    serve()

    made = tasks["add"].s(1, 1) | group(tasks["add"].s(10), tasks["double"].s()) | tasks["total"].s()

    assert made.delay().get(timeout=WAIT_S) == 16


def test_chords_of_chains_and_chords(tasks: Any, serve: Serve) -> None:
    serve()
    inner: Any = chord([tasks["add"].s(1, 2), tasks["add"].s(3, 4)], tasks["total"].s())

    made: Any = chord([tasks["add"].s(1, 1) | tasks["double"].s(), inner, tasks["flaky"].s(0)], tasks["total"].s())

    assert made.delay().get(timeout=WAIT_S) == 114


def test_a_member_that_ends_with_a_group_brings_a_list(tasks: Any, serve: Serve) -> None:
    serve()
    forked = tasks["add"].s(1, 1) | group(tasks["add"].s(1), tasks["add"].s(2))

    made: Any = chord([tasks["add"].s(0, 0), forked, tasks["add"].s(9, 0)], tasks["shown"].s())

    assert made.delay().get(timeout=WAIT_S) == repr([0, [3, 4], 9])


def test_a_chord_without_members_calls_its_body_with_an_empty_list(tasks: Any, serve: Serve) -> None:
    serve()

    assert chord([], tasks["total"].s()).delay().get(timeout=WAIT_S) == 0


def test_a_chord_whose_member_fails_ends_as_failure_once_and_tells_its_errbacks(app: Celery, tasks: Any, serve: Serve) -> None:
    heard: list[Any] = []

    @app.task(name="hear")
    def hear(id: str) -> None:
        heard.append(id)

    serve()
    made: Any = chord([tasks["add"].s(1, 1), tasks["broken"].s(), tasks["broken"].s()], tasks["total"].s().on_error(hear.s()))
    result = (made | tasks["double"].s()).delay()

    with pytest.raises(ChordError, match="raised ValueError\\('it broke'\\)"):
        result.get(timeout=WAIT_S, follow_parents=False)
    assert result.parent.state == "FAILURE"
    eventually(lambda: heard == [result.parent.id], what="the errback has heard")


def test_a_chord_in_a_failed_chain_never_begins_and_ends_as_failure(tasks: Any, serve: Serve) -> None:
    serve()

    result = (tasks["broken"].s() | group(tasks["add"].s(1), tasks["add"].s(2)) | tasks["total"].s()).delay()

    with pytest.raises(ValueError, match="it broke"):
        result.get(timeout=WAIT_S)
    assert result.parent.results[0].state == "FAILURE"


def test_a_member_that_nobody_knows_fails_the_chord(app: Celery, tasks: Any, serve: Serve) -> None:
    serve()

    result: Any = chord([tasks["add"].s(1, 1), app.signature("nobody.knows")], tasks["total"].s()).delay()

    with pytest.raises(ChordError, match="nobody"):
        result.get(timeout=WAIT_S, follow_parents=False)


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (lambda one, shown: group([one]), [2]),
        (lambda one, shown: chain(group([one]), shown), "2"),
        (lambda one, shown: group([one]) | shown, "[2]"),
        (lambda one, shown: chord([one], shown), "[2]"),
        (lambda one, shown: group([]), []),
        (lambda one, shown: chain(group([]), shown), "nothing"),
        (lambda one, shown: chain(one, group([]), shown), "2"),
        (lambda one, shown: group([]) | shown, "[]"),
        (lambda one, shown: one | group([]) | shown, "[]"),
        (lambda one, shown: chord([], shown), "[]"),
    ],
)
def test_one_member_or_none_comes_to_what_the_guide_says(tasks: Any, app: Celery, serve: Serve, made: Any, value: Any) -> None:
    @app.task(name="told")
    def told(*values: Any) -> str:
        return repr(values[0]) if values else "nothing"

    serve()

    assert made(tasks["add"].s(1, 1), told.s()).delay().get(timeout=WAIT_S) == value


# ---- Signatures ----------------------------------------------------------------------------------------------------


def test_workflows_are_data_and_come_back(tasks: Any, serve: Serve) -> None:
    import json

    serve()
    made = tasks["add"].s(1, 1) | group(tasks["add"].s(10), tasks["double"].s()) | tasks["total"].s()

    again = signature(json.loads(json.dumps(made)), app=tasks["add"].app)

    assert (type(again), again) == (type(made), made)
    assert again.delay().get(timeout=WAIT_S) == 16


def test_a_callback_may_be_a_workflow(app: Celery, tasks: Any, serve: Serve) -> None:
    heard: list[int] = []

    @app.task(name="hear")
    def hear(value: int) -> None:
        heard.append(value)

    serve()
    tasks["add"].apply_async(
        (1, 1), link=tasks["double"].s() | group(tasks["add"].s(1), tasks["add"].s(2)) | tasks["total"].s() | hear.s()
    )

    eventually(lambda: heard == [11], what="the callbacks have run")


def test_workflows_run_here_and_now(tasks: Any) -> None:
    made = tasks["add"].s(1, 1) | group(tasks["add"].s(10), tasks["double"].s()) | tasks["total"].s()

    assert made.apply().get() == 16
    assert chord([tasks["add"].s(1, 1)], tasks["total"].s()).apply().get() == 2


def test_always_eager_holds_for_workflows(app: Celery, tasks: Any) -> None:
    app.conf.task_always_eager = True
    nested: Any = group(tasks["add"].s(1, 1) | tasks["double"].s(), tasks["add"].s(2, 2))

    assert (tasks["add"].s(1, 1) | group(tasks["add"].s(10), tasks["double"].s()) | tasks["total"].s()).delay().get() == 16
    assert nested.delay().get() == [4, 4]


async def _sent(made: Any) -> Any:
    return await (await made.adelay()).aget(timeout=WAIT_S)


def test_workflows_are_sent_from_event_loops(tasks: Any, serve: Serve) -> None:
    import asyncio

    serve()

    assert asyncio.run(_sent(tasks["add"].s(1, 1) | tasks["double"].s())) == 4
    assert asyncio.run(_sent(chord([tasks["add"].s(1, 1)] * 3, tasks["total"].s()))) == 6


# ---- What is linked to a chain that ends with a group --------------------------------------------------------------


@pytest.mark.parametrize("how", ["link", "option", "member", "applied"])
def test_what_is_linked_to_a_chain_that_ends_with_a_group_hears_each_member(
    how: str, app: Celery, tasks: Any, serve: Serve
) -> None:
    heard: list[Any] = []
    hear = app.task(name="hear")(lambda *args: heard.append(args))
    serve()
    whole = tasks["add"].s(1, 0) | group(tasks["add"].s(1), tasks["add"].s(2) | tasks["double"].s())

    if how != "option":
        whole.link(hear.s("told"))
    match how:
        case "option":
            result = whole.apply_async(link=hear.s("told"))
        case "applied":
            result = whole.apply()
        case _:
            result = (group([whole]) if how == "member" else whole).delay()

    assert sorted(str(one) for one in _flat(result.get(timeout=WAIT_S))) == ["2", "6"]
    eventually(lambda: sorted(heard) == [(2, "told"), (6, "told")], within_s=WAIT_S, what="both are told")


def _flat(value: Any) -> list[Any]:
    return [one for each in value for one in _flat(each)] if isinstance(value, list) else [value]


def test_values_are_awaited_with_the_words_of_get(tasks: Any, serve: Serve) -> None:
    serve()

    async def program() -> Any:
        one, several = tasks["add"].s(1, 1), group(tasks["add"].s(1, 1), tasks["add"].s(2, 2))
        return [
            await (await one.adelay()).aget(timeout=WAIT_S, disable_sync_subtasks=False),
            await (await several.adelay()).aget(timeout=WAIT_S, disable_sync_subtasks=False),
            await one.apply().aget(disable_sync_subtasks=False),
        ]

    assert asyncio.run(program()) == [2, [2, 4], 2]
