"""A delivery whose part was the last of its chord: the body is called, or somebody is told that it will not be."""

from __future__ import annotations

from typing import Any, cast

from celeriac.abc import Store
from celeriac.core import codecs, taskmeta
from celeriac.core.errors import ChordError
from celeriac.core.message import Message
from celeriac.core.settlement import DeadLetter, Done, Following, Settlement
from celeriac.testing.clock import BEGINNING as NOON
from celeriac.worker.finishing import finish
from celeriac.worker.rests import Rests
from unit.worker.bench import a_delivery, a_message, the_terms

BODY: dict[str, Any] = {
    "task": "total",
    "args": [],
    "kwargs": {},
    "options": {"task_id": "body", "group_id": "c", "link_error": [{"task": "sorry"}]},
    "subtask_type": None,
}
REFERENCE: dict[str, Any] = {
    "task": "celeriac.kept",
    "args": [],
    "kwargs": {"key": "kept-body", "serializer": "json"},
    "options": {"task_id": "body", "group_id": "c", "link_error": [{"task": "sorry"}]},
    "subtask_type": None,
}


class Shelf:
    """What a store has of a chord, and of parts of workflows."""

    def __init__(self, parts: list[bytes] | None, blocks: dict[str, bytes] | None = None) -> None:
        self._parts, self._blocks = parts, blocks or {}

    def parts(self, chord: str) -> list[bytes] | None:
        assert chord == "c"
        return self._parts

    def load(self, ids: list[str]) -> list[bytes | None]:
        return [self._blocks.get(id) for id in ids]


def a_part(id: str, state: str = "SUCCESS", value: Any = 1) -> bytes:
    return taskmeta.encode_part(id, state, value)


def a_member(body: dict[str, Any] | None = BODY, **fields: Any) -> Message:
    return a_message(**{"chord": body, "group": "c", "group_index": 0, **fields})


def finished(parts: list[bytes] | None, message: Message | None = None, *, follow: Any = None, **blocks: bytes) -> Settlement:
    store, message = cast(Store, Shelf(parts, blocks)), message or a_member()
    rests = Rests(store, accept=codecs.content_types(["json"]), ttl_s=60)
    terms = the_terms() if follow is None else the_terms(follow=follow)
    return finish(store, rests, a_delivery(message, tag=7), message, now=NOON, terms=terms)


def sent(settlement: Settlement) -> list[str]:
    return [outgoing.id for outgoing in settlement.followups]


def told(settlement: Settlement) -> dict[str, str]:
    """Return the error of each task that is ended."""
    return {result.id: str(taskmeta.decode(result.body).result) for result in settlement.further if result.state == "FAILURE"}


def test_the_body_is_called_and_the_chord_is_closed() -> None:
    settlement = finished([a_part("x", value=1), a_part("y", value=2)])

    assert (settlement.tag, settlement.fate, settlement.closes, sent(settlement)) == (7, Done(), "c", ["total after a"])


def test_the_body_is_called_with_lists_in_the_shape_of_the_header() -> None:
    called: list[Any] = []

    def follow(_stored: Any, first: Any, _parent: Any) -> Following:
        called.append(first)
        return Following()

    finished([a_part(str(place), value=place) for place in range(4)], a_member({**BODY, "shape": [0, [0, 0], 0]}), follow=follow)

    assert called == [([0, [1, 2], 3],)]


def test_a_failed_member_ends_the_body_and_tells_its_errbacks_once() -> None:
    twice = {**BODY, "options": {**BODY["options"], "link_error": [{"task": "sorry"}, {"task": "sorry"}]}}

    settlement = finished([a_part("x"), a_part("y", "FAILURE", ValueError("no"))], a_member(twice))

    assert told(settlement) == {"body": "Dependency y raised ValueError('no')"}
    assert isinstance(taskmeta.decode(settlement.further[0].body).result, ChordError)
    assert (settlement.closes, sent(settlement)) == ("c", ["sorry after body"])


def test_of_a_chord_that_was_closed_already_nothing_is_sent_again() -> None:
    assert finished(None) == Settlement(tag=7, fate=Done())


def test_parts_that_the_store_has_forgotten_are_a_failure_of_the_chord() -> None:
    settlement = finished([])

    assert told(settlement) == {"body": "what the members returned is gone: the store has forgotten it"}
    assert (settlement.fate, settlement.closes, sent(settlement)) == (Done(), "c", ["sorry after body"])


def test_a_part_that_cannot_be_read_is_told_and_kept() -> None:
    settlement = finished([b"\xff"])

    [why] = told(settlement).values()
    assert why.startswith("Callback error: ")
    assert isinstance(settlement.fate, DeadLetter)
    assert (settlement.fate.reason, settlement.closes, sent(settlement)) == ("internal", "c", ["sorry after body"])


def test_a_body_that_cannot_be_planned_ends_and_its_errbacks_are_told() -> None:
    follow = the_terms().follow

    def picky(stored: Any, first: Any, parent: Any) -> Following:
        if stored["task"] == "total":
            raise ValueError("no such option")
        return follow(stored, first, parent)

    settlement = finished([a_part("x")], follow=picky)

    assert told(settlement) == {"body": "Callback error: no such option"}
    assert sent(settlement) == ["sorry after body"]


def test_a_body_that_is_kept_elsewhere_is_read() -> None:
    kept = codecs.encode(BODY, "json").data

    settlement = finished([a_part("x")], a_member(REFERENCE), **{"kept-body": kept})

    assert sent(settlement) == ["total after a"]
    assert [(each.id, each.state) for each in settlement.further] == [("kept-body", "KEPT")]


def test_one_that_is_gone_or_no_signature_ends_and_its_errbacks_are_told() -> None:
    unreadable = (b"5", b"[1]", b"null", b'{"options": {}}', b"{", b"\xff")
    blocks: list[dict[str, bytes]] = [{}, *({"kept-body": text} for text in unreadable)]

    for block in blocks:
        settlement = finished([a_part("x")], a_member(REFERENCE), **block)

        assert list(told(settlement)) == ["body"], block
        assert (settlement.closes, sent(settlement)) == ("c", ["sorry after body"])


def test_what_tells_of_no_chord_is_kept_and_nothing_else_happens() -> None:
    settlement = finished([a_part("x")], a_message())

    assert isinstance(settlement.fate, DeadLetter)
    assert (settlement.fate.reason, settlement.followups, settlement.closes) == ("internal", (), None)
