"""What the end of a run means for a workflow that it has changed, and for one that a Celery client has sent."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac.app.context import Context
from celeriac.app.flows.keeping import Keeping, opened
from celeriac.app.flows.numbering import member_id
from celeriac.app.flows.reshaping import ADDED
from celeriac.app.flows.stored import chord_of
from celeriac.app.flows.unrolling import unroll
from celeriac.core import groupmeta
from celeriac.core.errors import ChordError
from celeriac.core.message import Message
from celeriac.core.outcome import Failure, Ignored, Outcome, Refused, Retried, Success
from celeriac.core.settlement import Addition, Following, Opening, Settlement, StoredResult
from celeriac.core.taskmeta import TaskMeta
from celeriac.testing.clock import BEGINNING as NOON
from celeriac.worker.settlement import settle
from celeriac.worker.workflow import called, is_celerys, reports_to, values_of
from unit.worker.bench import a_delivery, a_message, a_request, an_outgoing, the_terms

BODY: dict[str, Any] = {"task": "total", "args": [], "kwargs": {}, "options": {"task_id": "body"}, "subtask_type": None}
MEMBER: dict[str, Any] = {"chord": BODY, "group": "c", "group_index": 1}
HEADER = StoredResult(groupmeta.place_of("inner"), groupmeta.STATE, b"{}")
ADDITION = Addition(("x", "y"), Following((an_outgoing(a_message("x")),), (Opening("inner", 2),), keeps=(HEADER,)))
AGAIN = Retried(again=a_message(retries=1), exception=None, traceback=None, when="soon")


def settled(outcome: Outcome, *, additions: tuple[Addition, ...] = (), **fields: Any) -> Settlement:
    request = a_request(a_message(**fields), tag=7)
    request.context.additions = additions
    return settle(request, outcome, now=NOON, terms=the_terms())


@pytest.mark.parametrize("outcome", [Success(1), Failure(ValueError("no")), Ignored(), Refused("bad", requeue=False)])
def test_what_a_run_has_added_is_sent_and_counted_in_the_step_that_ends_it(outcome: Outcome) -> None:
    settlement = settled(outcome, additions=(ADDITION,), **MEMBER)

    assert settlement.join is not None
    assert (settlement.join.chord, settlement.join.added, len(settlement.join.parts)) == ("c", ("x", "y"), 1)
    assert ([one.id for one in settlement.followups], settlement.opens) == (["x"], (Opening("inner", 2),))
    assert HEADER in settlement.further


def test_what_a_run_has_added_that_was_replaced_is_counted_though_it_brings_no_part() -> None:
    instead = Ignored(after=Following((an_outgoing(a_message("mine")),)))

    settlement = settled(instead, additions=(ADDITION,), **MEMBER)

    assert settlement.join is not None
    assert (settlement.join.added, settlement.join.parts) == (("x", "y"), ())
    assert [one.id for one in settlement.followups] == ["mine", "x"]


@pytest.mark.parametrize("outcome", [AGAIN, Refused("later", requeue=True)])
def test_what_a_run_has_added_that_is_not_the_last_counts_for_nothing(outcome: Outcome) -> None:
    settlement = settled(outcome, additions=(ADDITION,), **MEMBER)

    assert (settlement.join, [one.id for one in settlement.followups]) == (None, ["a"])


def test_a_member_that_was_added_says_so_itself_also_when_its_chain_fails() -> None:
    added = {**BODY, ADDED: True}
    end = {**BODY, "options": {"task_id": "end", "group_id": "c", "chord": added}}

    alone = settled(Success(1), chord=added, group="c")
    failed = settled(Failure(ValueError("no")), chain=[end])

    assert alone.join is not None
    assert failed.join is not None
    assert (alone.join.added, failed.join.added) == (("a",), ("end",))
    assert [(part.id, part.place) for part in failed.join.parts] == [("end", None)]


# ---- Who calls the body --------------------------------------------------------------------------------------------


def body_called_with(parts: list[tuple[str, Any]], header: Any = None, body: dict[str, Any] = BODY) -> Any:
    asked: list[Any] = []

    def follow(stored: Any, first: Any, parent: Any) -> Following:
        asked.append(first)
        return Following((an_outgoing(a_message("body")),), keeps=(HEADER,))

    message = a_message(**{**MEMBER, "chord": body})
    ended = [TaskMeta(task_id=id, status="SUCCESS", result=value) for id, value in parts]
    saved = None if header is None else groupmeta.encode(header)
    terms = the_terms(follow=follow)
    settlement = called(a_delivery(message), message, body, values_of(ended, body, saved, terms), now=NOON, terms=terms)
    assert settlement.further == (HEADER,)
    [(values,)] = asked
    return values


def leaf(id: str) -> list[Any]:
    return [[id, None], None]


def test_a_header_that_celery_has_kept_gives_the_values_their_lists_whatever_their_places() -> None:
    header = [["c", None], [leaf("a"), [["g", [["before", None], None]], [leaf("b"), leaf("d")]], leaf("e")]]

    values = body_called_with([("b", 3), ("a", 0), ("d", 4), ("e", 9), ("added", 7)], header)

    assert values == [0, [3, 4], 9, 7]


def test_without_one_they_stand_by_place_and_those_that_were_added_behind_the_lists() -> None:
    assert body_called_with([("a", 0), ("b", 3)]) == [0, 3]
    assert body_called_with([("a", 0), ("b", 3), ("d", 4), ("x", 7)], body={**BODY, "shape": [0, [0, 0]]}) == [0, [3, 4], 7]


def test_bodies_that_celery_has_frozen_say_whom_to_reply_to() -> None:
    theirs = {**BODY, "options": {"task_id": "body", "reply_to": "oid"}}
    chain = {"task": "celery.chain", "args": [], "kwargs": {"tasks": [theirs, BODY]}, "options": {}, "subtask_type": "chain"}

    assert [is_celerys(body) for body in (theirs, chain, BODY, {**theirs, "shape": [0]})] == [
        True,
        True,
        False,
        False,
    ]


def test_the_first_and_the_last_member_that_are_kept_of_a_generated_group_stand_for_all_of_them() -> None:
    ids = [member_id("c", place) for place in range(4)]
    parts = [(id, place) for place, id in enumerate(ids)]

    values = body_called_with(parts, [["c", None], [leaf(ids[0]), leaf(ids[3])]])

    assert values == [0, 1, 2, 3]


def test_a_saved_group_of_other_tasks_breaks_the_chord_and_names_them() -> None:
    ended = [TaskMeta(task_id="a", status="SUCCESS", result=1)]
    saved = groupmeta.encode([["c", None], [leaf("a"), leaf("stranger")]])

    with pytest.raises(ChordError, match="saved as c has a member stranger, which brought nothing"):
        values_of(ended, BODY, saved, the_terms())


@pytest.mark.parametrize("limit", [100_000, 10])
def test_bodies_that_were_frozen_by_themselves_are_not_taken_for_celerys_wherever_they_are_kept(limit: int) -> None:
    body = {**BODY, "options": {"task_id": "body", "reply_to": "oid"}}
    members = [{**BODY, "options": {"task_id": f"a{place}"}} for place in range(9)]
    keeping = Keeping(lambda one: len(repr(one)), limit, "json")

    thin = unroll(keeping.thin(chord_of(members, body, {"group_id": "c"}))).calls[0]["options"]["chord"]

    kept = {block.key: block.content for block in keeping.blocks}
    found = opened(thin, kept[thin["kwargs"]["key"]]) if kept else thin
    assert (len(kept), found["options"]["reply_to"], is_celerys(found)) == (int(limit == 10), "oid", False)


def test_a_step_reports_to_the_chord_of_the_end_of_its_chain() -> None:
    end = {**BODY, "options": {"task_id": "end", "group_id": "outer", "chord": BODY}}

    assert reports_to(a_message(chain=[end])) == ("outer", BODY)
    assert reports_to(a_message(**MEMBER)) == ("c", BODY)
    assert reports_to(a_message(chain=[BODY])) == (None, None)


def test_a_context_that_was_not_asked_has_added_nothing() -> None:
    assert Context(Message(id="a", task="t")).additions == ()
