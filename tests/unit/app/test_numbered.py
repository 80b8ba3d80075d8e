"""The members of a group that is one id and a number: as a sequence, and all that a GroupResult does with them."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from celeriac import Celery, GroupResult, current_app
from celeriac.app.flows.numbering import member_id, place_of
from celeriac.app.numbered import BLOCK, Numbered
from celeriac.core import taskmeta
from celeriac.core.errors import TimeoutError  # noqa: A004 - the builtin's subclass
from celeriac.core.settlement import StoredResult
from celeriac.core.taskmeta import TaskMeta
from celeriac.testing.clock import VirtualRuntime

GROUP = "0f8fad5b-d9cb-469f-a165-70867728950e"


def end(app: Celery, place: int, *, state: str = "SUCCESS", value: Any = None) -> None:
    value = place if value is None else value
    meta = TaskMeta(task_id=member_id(GROUP, place), status=state, result=value)
    app.store.store_results([StoredResult(meta.task_id, state, taskmeta.encode(meta), 60.0)])


def results(app: Celery, size: int) -> GroupResult[Any]:
    return GroupResult(GROUP, Numbered(GROUP, size, app), app=app)


def test_ids_of_members_have_the_form_of_their_groups_and_tell_their_place() -> None:
    ids = [member_id(GROUP, 0), member_id("nightly", 255)]

    assert ids == ["0f8fad5b-d9cb-469f-a165-000000000000", "nightly-0000000000ff"]
    assert [place_of(GROUP, ids[0]), place_of("nightly", ids[1])] == [0, 255]


@pytest.mark.parametrize("id", [GROUP, "", "0f8fad5b-d9cb-469f-a165-00000000000", "0f8fad5b-d9cb-469f-a165-+00000000001"])
def test_any_other_id_has_no_place(id: str) -> None:
    assert place_of(GROUP, id) in {None, int(GROUP[24:], 16)}


def test_they_are_a_sequence(app: Celery) -> None:
    several = Numbered(GROUP, 5, app)

    assert len(several) == 5
    assert [one.id for one in several] == [member_id(GROUP, place) for place in range(5)]
    assert several[-1] == several[4] == member_id(GROUP, 4)
    assert several[1:3] == [several[1], several[2]]
    assert several.index(several[3]) == 3
    assert several[2] in several
    assert member_id(GROUP, 5) not in several
    assert several == list(several)
    with pytest.raises(IndexError, match="has 5 members, and none at 5"):
        several[5]
    with pytest.raises(ValueError, match="no member of group"):
        several.index("else")


def test_a_million_are_pickled_as_one_id_and_a_number(app: Celery) -> None:
    app.set_current()
    packed = pickle.dumps(results(app, 1_000_000))

    back = pickle.loads(packed)

    assert len(packed) < 600
    assert (back, len(back), back.app) == (results(app, 1_000_000), 1_000_000, current_app)


def test_a_million_are_stored_as_the_first_and_the_last(app: Celery) -> None:
    stored = results(app, 1_000_000).as_tuple()

    assert stored == ((GROUP, None), [((member_id(GROUP, 0), None), None), ((member_id(GROUP, 999_999), None), None)])
    assert app.result_from_tuple(stored) == results(app, 1_000_000)


def test_two_members_with_ids_of_their_own_are_two(app: Celery) -> None:
    stored = GroupResult("g", [app.AsyncResult("a"), app.AsyncResult("b")], app=app).as_tuple()

    assert [one.id for one in app.result_from_tuple(stored).results] == ["a", "b"]


def test_what_was_saved_is_restored(app: Celery) -> None:
    results(app, 300_000).save()

    assert app.GroupResult.restore(GROUP) == results(app, 300_000)


def test_values_of_several_blocks_come_in_order(app: Celery) -> None:
    for place in range(2 * BLOCK + 10):
        end(app, place)

    group = results(app, 2 * BLOCK + 10)

    assert group.get(timeout=5) == list(range(2 * BLOCK + 10))
    assert sorted(group.iterate(timeout=5)) == list(range(2 * BLOCK + 10))
    assert group.join_native(timeout=5)[-1] == 2 * BLOCK + 9
    assert group.successful()


def test_values_can_be_awaited(app: Celery) -> None:
    for place in range(BLOCK + 1):
        end(app, place)

    assert asyncio.run(results(app, BLOCK + 1).aget(timeout=5))[-1] == BLOCK


def test_the_time_to_wait_is_for_all_blocks_together(app: Celery) -> None:
    for place in range(BLOCK):
        end(app, place)

    with pytest.raises(TimeoutError, match=member_id(GROUP, BLOCK)):
        results(app, BLOCK + 1).get(timeout=0)


def test_progress_is_counted_and_a_block_that_has_ended_is_not_asked_for_again(app: Celery) -> None:
    group = results(app, BLOCK + 2)
    counts = [group.completed_count()]

    for place in range(BLOCK + 1):
        end(app, place)
    counts.append(group.completed_count())
    app.store.forget([member_id(GROUP, 0)])
    counts.append(group.completed_count())

    assert counts == [0, BLOCK + 1, BLOCK + 1]
    assert group.waiting()
    end(app, BLOCK + 1)
    assert group.ready()
    assert group.successful()


def test_a_failure_is_seen_and_raised(app: Celery) -> None:
    group = results(app, BLOCK + 2)
    for place in range(BLOCK + 1):
        end(app, place)
    end(app, BLOCK + 1, state="FAILURE", value=ValueError("no"))

    assert group.failed()
    assert isinstance(group.failure(), ValueError)
    assert [one.id for one in group._failed_join_report()] == [member_id(GROUP, BLOCK + 1)]
    with pytest.raises(ValueError, match="no"):
        group.get(timeout=5)
    with pytest.raises(ValueError, match="no"):
        group.maybe_throw()
    assert str(group.get(timeout=5, propagate=False)[-1]) == "no"


def test_what_is_forgotten_is_gone(app: Celery) -> None:
    for place in range(BLOCK + 1):
        end(app, place)
    group = results(app, BLOCK + 1)
    assert group.ready()

    group.forget()

    assert group.completed_count() == 0
    assert app.store.load([member_id(GROUP, BLOCK)]) == [None]


def test_whoever_asked_is_called_back_when_all_have_ended(app: Celery) -> None:
    group = results(app, BLOCK + 1)
    told: list[Any] = []
    for place in range(BLOCK + 1):
        end(app, place)

    group.then(told.append)
    app.results.afterwards.close()
    while not told:  # each block asks when the one before it has ended
        app.results.afterwards.close()

    assert told == [group]


def test_revoking_more_than_a_store_remembers_is_said(app: Celery, caplog: pytest.LogCaptureFixture) -> None:
    results(app, 50_001).revoke()

    assert "50001 tasks are revoked at once" in caplog.text
    assert member_id(GROUP, 50_000) in app.store.rules().revoked


def test_a_member_that_is_added_makes_a_list_of_them(app: Celery) -> None:
    group = results(app, 3)

    group.add(app.AsyncResult("more"))
    group.remove(member_id(GROUP, 0))

    assert [one.id for one in group.results] == [member_id(GROUP, 1), member_id(GROUP, 2), "more"]


def test_a_set_of_such_groups_is_joined(app: Celery, clock: VirtualRuntime) -> None:
    for place in range(3):
        end(app, place)
    both = app.ResultSet([results(app, 3), app.AsyncResult(member_id(GROUP, 1))])

    assert both.get(timeout=1) == [[0, 1, 2], 1]
