"""Groups and headers over generators that make very many members: sent while they are made."""

from __future__ import annotations

import asyncio
import itertools
import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from celeriac import Celery, GroupResult, chord, group
from celeriac.app.flows.numbering import member_id
from celeriac.app.numbered import Numbered
from celeriac.app.streaming import BATCH, STREAMED_FROM
from celeriac.core.errors import BrokerUnreachable, OperationalError
from celeriac.core.outcome import Success
from celeriac.core.stream_errors import StreamBroken, StreamUsed
from celeriac.testing.clock import VirtualRuntime
from unit.app.serving import serve, waiting
from unit.app.stores import Failing, Opened, Over

MANY = STREAMED_FROM + BATCH + 7
GROUP = "0f8fad5b-d9cb-469f-a165-70867728950e"
_names = itertools.count()


class Watched:
    """Makes members, and knows how many it has made."""

    def __init__(self, task: Any, count: int = MANY, *, breaks_at: int | None = None) -> None:
        self.task, self.count, self.breaks_at, self.made = task, count, breaks_at, 0

    def __iter__(self) -> Iterator[Any]:
        for number in range(self.count):
            if number == self.breaks_at:
                raise LookupError("the cursor is gone")
            self.made += 1
            yield self.task.s(number)


def members(task: Any, count: int = MANY) -> Iterator[Any]:
    return (task.s(number) for number in range(count))


def test_what_a_generator_makes_beyond_the_first_is_made_while_it_is_sent(app: Celery, add: Any) -> None:
    watched = Watched(add)
    together = group(watched)
    made = watched.made

    result = together.apply_async(task_id=GROUP)

    assert (made, watched.made) == (STREAMED_FROM + 1, MANY)
    messages = waiting(app)
    assert [list(message.args) for message in messages] == [[number] for number in range(MANY)]
    assert [(one.group, one.group_index, one.id) for one in messages] == [
        (GROUP, place, member_id(GROUP, place)) for place in range(MANY)
    ]
    assert isinstance(result.results, Numbered)
    assert (result.id, len(result)) == (GROUP, MANY)


def test_its_values_come_in_order(app: Celery, add: Any) -> None:
    result = group(members(add)).apply_async((100,))

    serve(app)

    assert result.get(timeout=1) == [100 + number for number in range(MANY)]
    assert result.completed_count() == MANY


def test_up_to_ten_thousand_are_a_list(app: Celery, add: Any) -> None:
    together = group(members(add, STREAMED_FROM))

    assert len(together.tasks) == STREAMED_FROM
    assert together.stream is None
    assert isinstance(together.apply_async().results, list)


def test_a_list_is_a_list_however_long(add: Any) -> None:
    assert group(list(members(add))).stream is None


def test_what_is_no_signature_is_refused_where_the_group_is_written(add: Any) -> None:
    mixed: Any = (add.s(number) if number != 4 else number for number in range(MANY))

    with pytest.raises(TypeError, match="a group takes signatures"):
        group(mixed)


@pytest.mark.parametrize(
    "use",
    [
        lambda one: one.tasks,
        lambda one: one["kwargs"]["tasks"],
        lambda one: one.get("kwargs")["tasks"],
        lambda one: dict(one)["kwargs"]["tasks"],
        lambda one: {**one}["kwargs"]["tasks"],
        lambda one: json.loads(json.dumps(one))["kwargs"]["tasks"],
        lambda one: dict(one.items())["kwargs"]["tasks"],
        lambda one: next(value["tasks"] for value in one.values() if isinstance(value, dict) and "tasks" in value),
        lambda one: one.clone().tasks,
        lambda one: pickle.loads(pickle.dumps(one)).tasks,
        lambda one: one.skew().tasks,
    ],
)
def test_whoever_looks_into_it_finds_a_list_of_all(add: Any, use: Any) -> None:
    together = group(members(add))

    found = use(together)

    assert isinstance(found, list)
    assert len(found) == MANY
    assert len(together) == MANY


def test_it_equals_the_group_of_a_list(add: Any) -> None:
    assert group(members(add)) == group(list(members(add)))
    assert group(list(members(add))) == group(members(add))
    assert group(members(add)) != group(members(add, MANY + 1))


def test_as_an_argument_it_travels_whole(app: Celery, add: Any) -> None:
    add.delay(group(members(add)))

    [message] = waiting(app)
    assert len(message.args[0]["kwargs"]["tasks"]) == MANY


def test_it_is_shown_without_being_made(add: Any) -> None:
    watched = Watched(add)

    shown = repr(group(watched))

    assert shown.startswith("group([add(0), add(1), add(2), ...")
    assert watched.made == STREAMED_FROM + 1


def test_what_has_been_sent_cannot_be_sent_again(app: Celery, add: Any) -> None:
    together = group(members(add))
    together.delay()

    uses: list[Any] = [together.delay, lambda: together.tasks, lambda: dict(together), chord(together, add.s()).delay]
    for use in uses:
        with pytest.raises(StreamUsed, match="make it of a list"):
            use()


def test_options_hold_for_each_member(app: Celery, add: Any) -> None:
    group(members(add), queue="low").apply_async(priority=3, headers={"tenant": "a"})

    messages = waiting(app, "low")
    assert len(messages) == MANY
    assert {(one.priority, one.headers["tenant"]) for one in messages} == {(3, "a")}


def test_a_member_with_an_id_of_its_own_keeps_it(app: Celery, add: Any) -> None:
    odd = (add.s(number).set(task_id=f"own-{number}") if number % 1000 == 5 else add.s(number) for number in range(MANY))

    result = group(odd).delay()

    assert [message.id for message in waiting(app)] == [one.id for one in result]
    assert result[5].id == "own-5"
    assert result[6].id == member_id(str(result.id), 6)


def test_workflows_among_the_first_members_make_a_list_of_it(app: Celery, add: Any) -> None:
    together = group(itertools.chain([add.s(1) | add.s(2)], members(add)))

    result = together.delay()

    assert isinstance(result.results, list)
    assert len(result) == MANY + 1


def test_a_workflow_among_later_members_is_sent_as_one(app: Celery, add: Any) -> None:
    result = group(itertools.chain(members(add), [add.s(1) | add.s(2)], members(add, 5))).delay()

    assert len(waiting(app)) == MANY + 6
    assert result[MANY].id == member_id(str(result.id), MANY)
    assert result[MANY].parent is not None
    assert result[MANY + 1].id == member_id(str(result.id), MANY + 1)
    assert len(result) == MANY + 6


def test_tasks_without_results_are_not_waited_for(app: Celery) -> None:
    quiet = app.task(name="quiet", ignore_result=True)(lambda x: x)

    assert set(group(members(quiet)).delay().get(timeout=1)) == {None}


def test_members_with_their_own_way_to_be_sent_go_that_way(app: Celery) -> None:
    seen: list[Any] = []

    class Counting(app.Task):  # type: ignore[name-defined, misc]
        def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
            seen.append((options["task_id"], options["group_index"]))
            return super().apply_async(args, kwargs, **options)

    work = app.task(name="work", base=Counting)(lambda x: x)

    result = group(members(work)).apply_async(task_id=GROUP)

    assert seen == [(member_id(GROUP, place), place) for place in range(MANY)]
    assert result[-1].id == member_id(GROUP, MANY - 1)


def test_it_runs_here_when_calls_do(app: Celery, add: Any) -> None:
    app.conf.task_always_eager = True

    assert group(members(add)).delay().get() == list(range(MANY))


def test_it_can_be_run_here(app: Celery, add: Any) -> None:
    assert group(members(add)).apply((1,)).get() == list(range(1, MANY + 1))


def test_it_is_sent_from_an_event_loop(app: Celery, add: Any) -> None:
    result = asyncio.run(group(members(add)).aapply_async())

    assert [message.id for message in waiting(app)] == [one.id for one in result]


def test_a_task_that_sends_one_remembers_it_as_one_child(app: Celery, add: Any) -> None:
    app.task(name="fan")(lambda: group(members(add)).delay().id)
    result = app.tasks["fan"].delay()

    [outcome] = serve(app)

    assert isinstance(outcome, Success)
    [child] = result.children
    assert isinstance(child, GroupResult)
    assert (child.id, len(child)) == (outcome.value, MANY)
    assert len(json.dumps(result.meta().children)) < 300


# ---- what goes wrong -----------------------------------------------------------------------------------------------


def test_a_generator_that_raises_leaves_what_was_sent_and_says_so(app: Celery, add: Any) -> None:
    together = group(Watched(add, breaks_at=STREAMED_FROM + BATCH))

    with pytest.raises(StreamBroken, match="stay sent: LookupError: the cursor is gone") as caught:
        together.delay()

    assert isinstance(caught.value.__cause__, LookupError)
    sent = waiting(app)
    assert len(sent) == caught.value.accepted == len(caught.value.result)
    assert [one.id for one in caught.value.result] == [message.id for message in sent]
    assert pickle.loads(pickle.dumps(caught.value)).accepted == caught.value.accepted


@pytest.mark.parametrize("limit", [2 * BATCH, 2 * BATCH + 3])
def test_a_broker_that_goes_away_leaves_what_it_took(limit: int) -> None:
    app = Over(lambda store: Failing(store, limit))

    with pytest.raises(OperationalError, match="BrokerUnreachable: gone") as caught:
        group(members(app.tasks["add"])).delay()

    assert isinstance(caught.value, StreamBroken)
    assert len(waiting(app)) == caught.value.accepted == len(caught.value.result) == limit


def test_what_goes_wrong_before_anything_was_sent_is_raised_as_it_is() -> None:
    app = Over(lambda store: Failing(store, 0))

    with pytest.raises(BrokerUnreachable, match="gone"):
        group(members(app.tasks["add"])).delay()


# ---- chords --------------------------------------------------------------------------------------------------------


def test_a_chord_is_opened_with_its_size_before_its_last_batch_and_after_the_others() -> None:
    app = Over(Opened)
    add, total = app.tasks["add"], app.tasks["total"]

    first = chord(members(add))(total.s())
    second = asyncio.run(chord(members(add), total.s()).aapply_async())

    ttl_s, before = app.settings.result.chord_ttl_s, MANY - MANY % BATCH
    assert app.store.opened == [
        (first.parent.id, MANY, before, ttl_s),
        (second.parent.id, MANY, MANY + before, ttl_s),
    ]


@pytest.mark.parametrize(
    "made",
    [
        lambda add, total: chord(members(add))(total.s()),
        lambda add, total: chord(group(members(add)), total.s()).delay(),
        lambda add, total: (group(members(add)) | total.s()).delay(),
        lambda add, total: asyncio.run(chord(members(add), total.s()).aapply_async()),
    ],
)
def test_members_of_a_header_carry_the_body_and_their_place(app: Celery, add: Any, total: Any, made: Any) -> None:
    result = made(add, total)

    messages = waiting(app)
    header = result.parent
    assert [(one.id, one.group, one.group_index) for one in messages] == [
        (member_id(header.id, place), header.id, place) for place in range(MANY)
    ]
    assert {one.chord["options"]["task_id"] for one in messages if one.chord} == {result.id}
    assert all(one.chord for one in messages)
    assert len(header) == MANY


def test_a_header_with_a_workflow_beyond_its_first_members_is_refused(app: Celery, add: Any, total: Any) -> None:
    with pytest.raises(StreamBroken, match=f"member {MANY} of this header is a chain"):
        chord(itertools.chain(members(add), [add.s(1) | add.s(1)]))(total.s())


def test_a_chord_that_broke_off_was_not_opened() -> None:
    app = Over(Opened)

    with pytest.raises(StreamBroken) as caught:
        chord(Watched(app.tasks["add"], breaks_at=MANY - 1))(app.tasks["total"].s())

    assert app.store.opened == []
    assert len(caught.value.result) == len(waiting(app))


def test_errbacks_of_a_header_are_told_to_each_member(app: Celery, add: Any, total: Any) -> None:
    app.conf.task_allow_error_cb_on_chord_header = True

    chord(members(add), total.s()).apply_async(link_error=add.si(1))

    assert all(message.errbacks for message in waiting(app))


def test_arguments_go_to_each_member_and_links_to_the_body(app: Celery, add: Any, total: Any) -> None:
    chord(members(add), args=(7,)).apply_async((), {"body": total.s()}, link=add.s(1))

    messages = waiting(app)
    assert {message.args[0] for message in messages} == {7}
    assert {one.chord["options"]["link"][0]["task"] for one in messages if one.chord} == {"add"}
    assert not any(message.callbacks for message in messages)


def test_a_chord_runs_here_when_calls_do(app: Celery, add: Any, total: Any) -> None:
    app.conf.task_always_eager = True

    assert chord(members(add))(total.s()).get() == sum(range(MANY))


def test_a_chord_in_a_chain_has_a_list(app: Celery, add: Any, total: Any) -> None:
    whole = add.si(1, 1) | chord(members(add), total.s())

    assert len(whole.tasks[1].tasks) == MANY


def test_a_used_chord_says_so(app: Celery, add: Any, total: Any, clock: VirtualRuntime) -> None:
    used: chord[int] = chord(members(add), total.s())
    used.delay()

    with pytest.raises(StreamUsed):
        used.delay()


@pytest.mark.parametrize("header", [members, lambda task: list(members(task, 2 * BATCH))])
def test_a_large_body_is_kept_once_and_the_members_carry_its_name(app: Celery, add: Any, total: Any, header: Any) -> None:
    result = chord(header(add))(total.si(["x" * 100_000]))

    messages = waiting(app)
    names = {one.chord["kwargs"]["key"] for one in messages if one.chord}
    assert {one.chord["task"] for one in messages if one.chord} == {"celeriac.kept"}
    assert len(names) == 1
    assert app.store.load(list(names)) != [None]
    assert {one.chord["options"]["task_id"] for one in messages if one.chord} == {result.id}


@pytest.mark.parametrize(
    "change", [lambda whole: whole.stamp(label="x"), lambda whole: chord(whole.header, whole.body, args=(1,))]
)
def test_a_group_whose_members_a_chord_has_changed_says_that_they_are_gone(add: Any, total: Any, change: Any) -> None:
    together = group(members(add))
    whole = chord(together, total.s())

    changed = change(whole)

    with pytest.raises(StreamUsed, match="its members are gone"):
        together.delay()
    assert len(changed.delay(1).parent) == MANY
