"""What Celery's clients say to workers is understood, ours say the same, and both understand each other's answers."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from celeriac import Celery
from celeriac.control.commands import Answer, Command, answer_notice, answers_from, command_from
from celeriac.core import codecs, envelope
from celeriac.core.message import Parcel
from celeriac.core.notice import Notice
from celeriac.drivers.notices import as_bytes

JSON = codecs.content_types(["json"])
_numbers = count()
NODE = "ctl@wire"
VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors").joinpath("control.json").read_text())
CASES = [pytest.param(vector, id=vector["name"]) for vector in VECTORS]
ANSWERED = [pytest.param(vector, id=vector["name"]) for vector in VECTORS if vector["answered"]]


def opened(raw: str) -> Notice:
    parcel = envelope.unpack(raw.encode())
    assert isinstance(parcel, Parcel)
    address = parcel.properties["delivery_info"]
    return Notice(address["exchange"], address["routing_key"], parcel)


def understood(raw: str) -> Command:
    command = command_from(opened(raw), JSON)
    assert isinstance(command, Command), command
    return command


@pytest.fixture
def app() -> Celery:
    return Celery("wire", broker=f"memory://wire-{next(_numbers)}", set_as_current=False)


@pytest.mark.parametrize("vector", CASES)
def test_every_command_of_celery_is_understood(vector: dict[str, Any]) -> None:
    [raw] = vector["said"]

    command = understood(raw)

    assert command.method
    assert command.clock > 0
    assert (command.ticket is None) == (command.reply_to is None)
    assert command.is_for(NODE) is (vector["name"] != "ping_other_destination")


@pytest.mark.parametrize("vector", CASES)
def test_the_same_call_says_the_same(app: Celery, vector: dict[str, Any]) -> None:
    said: list[Notice] = []
    app.store.broadcast.listen("celery.pidbox", ["#"], said.append)
    names = {"ctl": app.control, "insp": app.control.inspect(timeout=0.01), "NODE": NODE}

    eval(vector["call"].replace("timeout=1.5", "timeout=0.01").replace("timeout=0.5", "timeout=0.01"), names)

    [ours], theirs = said, json.loads(vector["said"][0])
    written = json.loads(as_bytes(ours, tag="t"))
    body, their_body = json.loads(ours.parcel.body), json.loads(opened(vector["said"][0]).parcel.body)
    for one in (body, their_body):
        one.pop("ticket", None)
        one.get("reply_to", {}).pop("routing_key", None)
    assert body == their_body
    assert written["headers"].keys() == theirs["headers"].keys()
    for one in (written, theirs):
        one["properties"].pop("delivery_tag")
        del one["body"], one["headers"]
    assert written == theirs


@pytest.mark.parametrize("vector", ANSWERED)
def test_every_answer_of_celery_is_understood(vector: dict[str, Any]) -> None:
    ticket = understood(vector["said"][0]).ticket
    assert ticket is not None

    answers = [answers_from(opened(raw), ticket, JSON) for raw in vector["answered"]]

    bare = [answer for each in answers if isinstance(each, list) for answer in each]
    assert bare == (vector["returned"] if isinstance(vector["returned"], list) else [vector["returned"]])


@pytest.mark.parametrize("vector", ANSWERED)
def test_the_same_answer_is_written_the_same(vector: dict[str, Any]) -> None:
    command, theirs = understood(vector["said"][0]), json.loads(vector["answered"][0])
    value = json.loads(opened(vector["answered"][0]).parcel.body)[NODE]

    notice = answer_notice(command, Answer(NODE, value), clock=theirs["headers"]["clock"], lives_s=10, serializer="json")

    ours = json.loads(as_bytes(notice, tag=theirs["properties"]["delivery_tag"]))
    # How long it may wait to be read is told beside it; Celery leaves that to the queue.
    assert ours["properties"].pop("expiration") == "10000"
    assert json.loads(notice.parcel.body) == json.loads(opened(vector["answered"][0]).parcel.body)
    assert {**ours, "body": ""} == {**theirs, "body": ""}
