"""What Celery sent is understood, and what we send for the same call is the same."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from celeriac.core import codecs, envelope, protocol
from celeriac.core.message import Message, Outgoing, Parcel

ACCEPT = codecs.content_types(["json", "yaml", "msgpack", "pickle"])
VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors").joinpath("messages.json").read_text())
MESSAGES = [pytest.param(raw, id=f"{vector['name']}-{n}") for vector in VECTORS for n, raw in enumerate(vector["raw"])]
VERSION_2 = [case for case in MESSAGES if "task" in json.loads(str(case.values[0]))["headers"]]


def understood(raw: str) -> tuple[Parcel, Message]:
    parcel = envelope.unpack(raw.encode())
    assert isinstance(parcel, Parcel)
    message = protocol.decode(parcel, accept=ACCEPT)
    assert isinstance(message, Message), message
    return parcel, message


def vector(name: str) -> str:
    return next(str(case["raw"][0]) for case in VECTORS if case["name"] == name)


def encoded_again(parcel: Parcel, message: Message, like: dict[str, Any]) -> dict[str, Any]:
    """Return the envelope that we write for the message at the moment at which Celery wrote its own."""
    now = datetime.now().astimezone()
    if message.expires is not None:
        now = message.expires - timedelta(milliseconds=int(parcel.properties["expiration"]))
    ours = protocol.encode(
        message,
        now=now,
        serializer=parcel.content_type,
        compression=parcel.headers.get("compression"),
        delivery_mode=parcel.properties["delivery_mode"],
    )
    address = like["properties"]["delivery_info"]
    outgoing = Outgoing(parcel=ours, queue=address["routing_key"], exchange=address["exchange"], priority=message.priority)
    written: dict[str, Any] = json.loads(envelope.pack(outgoing, tag=like["properties"]["delivery_tag"]))
    return written


@pytest.mark.parametrize("raw", MESSAGES)
def test_every_message_of_celery_is_understood(raw: str) -> None:
    _, message = understood(raw)

    assert message.task.startswith(("wire.", "celery."))
    assert message.id


@pytest.mark.parametrize("raw", VERSION_2)
def test_a_message_of_celery_is_written_again_as_it_was_key_by_key(raw: str) -> None:
    theirs = json.loads(raw)
    parcel, message = understood(raw)

    ours = encoded_again(parcel, message, theirs)

    if theirs["headers"]["eta"] == "2030-01-02T03:04:05":  # sent without a zone, which is added when it is read
        theirs["headers"]["eta"] += "+00:00"
    del ours["body"], theirs["body"]
    assert json.dumps(ours) == json.dumps(theirs)


@pytest.mark.parametrize("raw", [case for case in VERSION_2 if '"application/json"' in str(case.values[0])])
def test_the_body_is_the_same_json_after_a_round_trip(raw: str) -> None:
    theirs = json.loads(raw)
    parcel, message = understood(raw)

    ours = encoded_again(parcel, message, theirs)

    if "compression" not in theirs["headers"]:
        assert repr(json.loads(b64decode(ours["body"]))) == repr(json.loads(b64decode(theirs["body"])))


def test_a_call_is_written_as_celery_writes_it() -> None:
    theirs = json.loads(vector("simple_delay"))
    message = Message(
        id=theirs["headers"]["id"],
        task="wire.add",
        args=(2, 3),
        origin=theirs["headers"]["origin"],
        reply_to=theirs["properties"]["reply_to"],
        ignore_result=False,
    )

    parcel = protocol.encode(message, now=datetime.now().astimezone())

    ours = json.loads(envelope.pack(Outgoing(parcel=parcel, queue="celery"), tag=theirs["properties"]["delivery_tag"]))
    assert json.loads(b64decode(ours.pop("body"))) == json.loads(b64decode(theirs.pop("body")))
    assert json.dumps(ours) == json.dumps(theirs)


def test_times_with_another_offset_are_the_moments_they_say() -> None:
    _, message = understood(vector("eta_other_zone"))

    assert message.eta is not None
    assert message.eta.utcoffset() == timedelta(hours=5, minutes=30)


def test_a_time_without_zone_is_read_in_the_zone_of_the_reader() -> None:
    parcel = envelope.unpack(vector("eta_naive").encode())
    assert isinstance(parcel, Parcel)

    message = protocol.decode(parcel, accept=ACCEPT, zone=ZoneInfo("Europe/Paris"))

    assert isinstance(message, Message)
    assert message.eta == datetime(2030, 1, 2, 3, 4, 5, tzinfo=ZoneInfo("Europe/Paris"))


def test_version_1_has_its_fields_in_the_body() -> None:
    _, message = understood(vector("protocol_1"))

    assert (message.task, list(message.args), message.kwargs) == ("wire.add", [2, 3], {"z": 1})
    assert message.eta is not None
    assert message.expires is not None
    assert (message.chain, message.root_id, message.parent_id) == (None, None, None)


def test_version_1_names_its_group_taskset() -> None:
    _, message = understood(vector("protocol_1_group"))

    assert message.group
    assert message.group_index is not None


def test_headers_of_the_caller_are_kept() -> None:
    _, message = understood(vector("headers"))

    assert message.headers == {"x-tenant": "acme", "n": 1}


def test_the_rest_of_a_chain_is_kept_in_its_reversed_order() -> None:
    _, message = understood(vector("chain_3"))

    assert message.chain is not None
    assert len(message.chain) == 2


def test_typed_values_come_back_as_what_they_were() -> None:
    _, message = understood(vector("args_bytes"))

    assert message.args == [b"ascii", b"\xff\x00\x80"]
