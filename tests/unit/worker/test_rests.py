"""What a message only refers to is opened before anything runs for it; where it is gone, something stands in that can fail."""

from __future__ import annotations

from typing import Any, cast

import pytest

from celeriac.abc import ResultBackend
from celeriac.app.flows.keeping import stand_in
from celeriac.app.flows.stored import KEPT
from celeriac.core import codecs
from celeriac.worker.rests import Rests
from unit.worker.bench import a_message

KEY = "kept-next"


class Shelf:
    """A result backend that has one block, or none."""

    def __init__(self, content: Any = None) -> None:
        self._body = None if content is None else codecs.encode(content, "json", place="a signature").data

    def load(self, ids: list[str]) -> list[bytes | None]:
        return [self._body if id == KEY else None for id in ids]


def the_rests(content: Any = None) -> Rests:
    backend = cast(ResultBackend, Shelf(content))
    return Rests(backend, accept=codecs.content_types(["json"]), ttl_s=60)


def a_call(id: str, **options: Any) -> dict[str, Any]:
    return {"task": "add", "args": [], "kwargs": {}, "options": {"task_id": id, **options}, "subtask_type": None}


def a_chain(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"task": "celery.chain", "args": [], "kwargs": {"tasks": list(steps)}, "options": {}, "subtask_type": "chain"}


def a_reference(**more: Any) -> dict[str, Any]:
    options = {"task_id": "last", **more.pop("options", {})}
    kwargs = {"key": KEY, "serializer": "json", **more}
    return {"task": KEPT, "args": [], "kwargs": kwargs, "options": options, "subtask_type": None}


def test_a_message_that_carries_everything_is_left_alone() -> None:
    message = a_message("1", chain=[a_call("3"), a_call("2")])

    whole = the_rests().of(message)

    assert (whole.message, whole.spent, whole.lost) == (message, None, None)


def test_a_reference_that_comes_later_is_left_to_whoever_meets_it() -> None:
    message = a_message("1", chain=[a_reference(), a_call("2")])

    assert the_rests().of(message).message is message


def test_a_reference_that_comes_next_is_opened_with_its_next_step_last() -> None:
    rests = the_rests(a_chain(a_call("next"), a_call("last")))

    whole = rests.of(a_message("1", chain=[a_reference()]))

    assert [step["options"]["task_id"] for step in whole.message.chain or ()] == ["last", "next"]
    assert whole.spent is not None
    assert (whole.spent.id, whole.spent.ttl_s) == (KEY, 60)
    assert whole.lost is None


def test_a_reference_that_a_celery_worker_has_called_goes_on_with_what_it_stands_for() -> None:
    rests = the_rests(a_chain(a_call("next"), a_call("last")))
    called = a_message("last", task=KEPT, kwargs={"key": KEY, "serializer": "json"}, chain=[a_call("after")])

    whole = rests.of(called)

    assert [step["options"]["task_id"] for step in whole.message.chain or ()] == ["after", "last", "next"]


def test_one_that_was_called_as_a_member_of_a_chord_hands_its_place_on_to_the_end() -> None:
    rests, body = the_rests(a_chain(a_call("next"), a_call("last"))), a_call("body")
    called = a_message("last", task=KEPT, kwargs={"key": KEY, "serializer": "json"}, group="g", group_index=4, chord=body)

    message = rests.of(called).message

    assert (message.group, message.group_index, message.chord) == (None, None, None)
    end = (message.chain or [])[0]["options"]
    assert (end["task_id"], end["group_id"], end["group_index"], end["chord"]) == ("last", "g", 4, body)


@pytest.mark.parametrize("reference", [a_reference(), a_reference(key="kept-other")])
def test_a_part_that_is_gone_is_lost_and_something_stands_in_for_its_end(reference: dict[str, Any]) -> None:
    whole = the_rests().of(a_message("1", chain=[reference]))

    assert whole.lost is not None
    assert whole.lost.reason == "workflow-lost"
    assert f"kept as {reference['kwargs']['key']!r} is gone" in whole.lost.detail
    assert [step["options"]["task_id"] for step in whole.message.chain or ()] == ["last"]
    assert whole.spent is None


@pytest.mark.parametrize("broken", [{"key": None}, {"serializer": 3}])
def test_a_call_of_that_name_that_is_no_reference_is_a_call_like_any_other(broken: dict[str, Any]) -> None:
    message = a_message("1", chain=[a_reference(**broken)])

    assert the_rests(a_call("next")).of(message).message is message


def test_a_reference_to_what_may_not_be_read_is_lost_too() -> None:
    rests = the_rests(a_call("next"))

    whole = rests.of(a_message("1", chain=[a_reference(serializer="pickle")]))

    assert whole.lost is not None
    assert whole.lost.reason == "workflow-lost"
    assert len(whole.lost.detail) < 700


def test_a_body_is_opened_and_one_that_is_carried_is_as_it_was() -> None:
    body = a_call("last")

    assert the_rests(body).body(a_reference()).content["options"]["task_id"] == "last"
    assert the_rests().body(body).content is body


def test_a_body_that_is_gone_can_fail_under_the_id_of_its_end() -> None:
    opened = the_rests().body(a_reference(options={"link_error": [a_call("sorry")]}))

    assert opened.lost is not None
    assert opened.content["options"] == {"task_id": "last", "link_error": [a_call("sorry")]}


def test_what_stands_in_for_several_ends_has_a_place_for_each() -> None:
    reference = a_reference(ends=[0, 0], options={"group_id": "g", "group_index": 3, "chord": a_call("body")})

    members = stand_in(reference)["kwargs"]["tasks"]

    assert [(one["options"]["task_id"], one["options"]["group_index"]) for one in members] == [("last-0", 3), ("last-1", 4)]
    assert {one["options"]["group_id"] for one in members} == {"g"}
