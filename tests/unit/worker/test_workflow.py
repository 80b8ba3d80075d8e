"""What a run's end means for its workflow: the next step, the part of a chord, those who wait in vain."""

from __future__ import annotations

from typing import Any

from celeriac.core import taskmeta
from celeriac.core.outcome import Failure, Ignored, Outcome, Retried, Revoked, Success
from celeriac.core.settlement import Following, Settlement
from celeriac.testing.clock import BEGINNING as NOON
from celeriac.worker.settlement import settle
from unit.worker.bench import a_message, a_request, an_outgoing, the_terms

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
