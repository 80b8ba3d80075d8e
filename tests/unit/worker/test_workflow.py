"""What a run's end means for its workflow: the next step, the part of a chord, those who wait in vain."""

from __future__ import annotations

from typing import Any

from celeriac.core import taskmeta
from celeriac.core.errors import ChordError
from celeriac.core.message import Message
from celeriac.core.outcome import Failure, Ignored, Outcome, Retried, Revoked, Success
from celeriac.core.settlement import Done, Following, Settlement
from celeriac.testing.clock import BEGINNING as NOON
from celeriac.worker.rests import Opened
from celeriac.worker.settlement import settle
from celeriac.worker.workflow import joined
from unit.worker.bench import a_delivery, a_message, a_request, an_outgoing, the_terms

BODY = {"task_id": "body", "group_id": "c"}
TOTAL: dict[str, Any] = {"task": "total", "args": [], "kwargs": {}, "options": BODY, "subtask_type": None}


def step(id: str, **options: Any) -> dict[str, Any]:
    return {"task": f"step.{id}", "args": [], "kwargs": {}, "options": {"task_id": id, **options}, "subtask_type": None}


def settled(outcome: Outcome, **fields: Any) -> Settlement:
    return settle(a_request(a_message(**fields), tag=7), outcome, now=NOON, terms=the_terms())


def sent(settlement: Settlement) -> list[str]:
    return [outgoing.id for outgoing in settlement.followups]


def ends(settlement: Settlement) -> dict[str, str]:
    return {result.id: result.state for result in settlement.results}


def parts(settlement: Settlement) -> list[tuple[str, int | None, str]]:
    assert settlement.join is not None
    return [(part.id, part.place, taskmeta.decode_part(part.body).status) for part in settlement.join.parts]


def test_success_sends_the_next_step_of_the_chain() -> None:
    asked: list[Any] = []

    def follow(stored: Any, first: Any, parent: Any) -> Following:
        asked.append((stored, first))
        return Following((an_outgoing(a_message("next")),))

    request = a_request(a_message(chain=[step("later"), step("next")]), tag=7)
    settlement = settle(request, Success(5), now=NOON, terms=the_terms(follow=follow))

    [(following, first)] = asked
    assert ([one["task"] for one in following["kwargs"]["tasks"]], first) == (["step.next", "step.later"], (5,))
    assert (sent(settlement), ends(settlement)) == (["next"], {"a": "SUCCESS"})


def test_failure_ends_every_later_step_with_the_same_error() -> None:
    settlement = settled(Failure(ValueError("no")), chain=[step("later"), step("next")])

    assert sent(settlement) == []
    assert ends(settlement) == {"a": "FAILURE", "later": "FAILURE", "next": "FAILURE"}
    assert repr(taskmeta.decode(settlement.further[0].body).result) == "ValueError('no')"


def test_so_do_a_revocation_and_a_task_that_was_ignored() -> None:
    assert ends(settled(Revoked("revoked"), chain=[step("next")])) == {"a": "REVOKED", "next": "FAILURE"}
    assert ends(settled(Ignored(), chain=[step("next")])) == {"next": "FAILURE"}


def test_a_retry_ends_nothing() -> None:
    again = Retried(again=a_message(retries=1), exception=None, traceback=None, when="soon")

    settlement = settled(again, chain=[step("next")], chord=TOTAL, group="c", group_index=3)

    assert (ends(settlement), settlement.join) == ({"a": "RETRY"}, None)


def test_a_member_of_a_chord_brings_its_part() -> None:
    settlement = settled(Success(5), chord=TOTAL, group="c", group_index=3)

    assert settlement.join is not None
    assert (settlement.join.chord, settlement.join.ttl_s, parts(settlement)) == ("c", 120.0, [("a", 3, "SUCCESS")])
    assert settlement.join.parts[0].body == b'[1,"a","SUCCESS",5]'


def test_a_member_that_failed_brings_its_part_as_well() -> None:
    settlement = settled(Failure(ValueError("no")), chord=TOTAL, group="c", group_index=3)

    assert parts(settlement) == [("a", 3, "FAILURE")]


def test_a_step_that_failed_brings_the_parts_of_all_members_that_would_have_followed() -> None:
    members = [step(f"m{place}", chord=TOTAL, group_id="c", group_index=place) for place in (4, 5)]
    group = {"task": "celery.group", "kwargs": {"tasks": members}, "options": {"task_id": "g"}, "subtask_type": "group"}

    settlement = settled(Failure(ValueError("no")), chain=[group])

    assert settlement.join is not None
    assert (settlement.join.chord, parts(settlement)) == ("c", [("m4", 4, "FAILURE"), ("m5", 5, "FAILURE")])
    assert ends(settlement) == {"a": "FAILURE", "m4": "FAILURE", "m5": "FAILURE"}


def member(**fields: Any) -> Message:
    return a_message(chord={**TOTAL, **fields}, group="c", group_index=0)


def a_part(id: str, state: str, value: Any) -> bytes:
    return taskmeta.encode_part(id, state, value)


def test_the_last_member_calls_the_body_and_closes_the_chord() -> None:
    found = [a_part("x", "SUCCESS", 1), a_part("y", "SUCCESS", 2)]

    settlement = joined(a_delivery(member(), tag=7), member(), Opened(member().chord), found, now=NOON, terms=the_terms())

    assert (settlement.tag, settlement.fate, settlement.closes, sent(settlement)) == (7, Done(), "c", ["total after a"])


def test_the_body_is_called_with_lists_in_the_shape_of_the_header() -> None:
    found = [a_part(str(place), "SUCCESS", place) for place in range(4)]
    called: list[Any] = []

    def follow(stored: Any, first: Any, parent: Any) -> Following:
        called.append(first)
        return Following()

    terms = the_terms(follow=follow)

    joined(
        a_delivery(member(), tag=7),
        member(shape=[0, [0, 0], 0]),
        Opened(member(shape=[0, [0, 0], 0]).chord),
        found,
        now=NOON,
        terms=terms,
    )

    assert called == [([0, [1, 2], 3],)]


def test_a_failed_member_ends_the_body_and_tells_its_errbacks_once() -> None:
    errback = {"task": "sorry"}
    body = {**TOTAL, "options": {**TOTAL["options"], "link_error": [errback, errback]}}
    message = a_message(chord=body, group="c", group_index=0)
    found = [a_part("x", "SUCCESS", 1), a_part("y", "FAILURE", ValueError("no"))]

    settlement = joined(a_delivery(message, tag=7), message, Opened(message.chord), found, now=NOON, terms=the_terms())

    assert (ends(settlement), settlement.closes, sent(settlement)) == ({"body": "FAILURE"}, "c", ["sorry after body"])
    error = taskmeta.decode(settlement.further[0].body).result
    assert isinstance(error, ChordError)
    assert str(error) == "Dependency y raised ValueError('no')"


def test_a_chord_that_is_over_calls_nothing() -> None:
    settlement = joined(a_delivery(member(), tag=7), member(), Opened(member().chord), [], now=NOON, terms=the_terms())

    assert settlement == Settlement(tag=7, fate=Done())
