"""Commands as data: for whom they are, and what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from celeriac.control.commands import Answer, Command, Exchanges, ReplyTo, answer_notice, answers_from, as_notice, command_from
from celeriac.core import codecs
from celeriac.core.message import Parcel, Rejected
from celeriac.core.notice import Notice

JSON = codecs.content_types(["json"])


def said(body: object, *, content_type: str = "application/json", headers: Any = None) -> Notice:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    parcel = Parcel(body=data, content_type=content_type, content_encoding="utf-8", headers=headers or {})
    return Notice("celery.pidbox", "", parcel)


def test_what_was_written_is_read() -> None:
    command = Command(
        method="revoke",
        arguments={"task_id": ["a"], "terminate": True},
        destination=["celery@one"],
        pattern="c*",
        matcher="glob",
        ticket="t",
        reply_to=ReplyTo("reply.celery.pidbox", "key"),
        clock=7,
        expires=3.5,
    )

    assert command_from(as_notice(command, Exchanges(), serializer="json"), JSON) == command


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (Command(method="m"), True),
        (Command(method="m", destination=[]), True),
        (Command(method="m", destination=["celery@a"]), True),
        (Command(method="m", destination=["celery@b", "celery@c"]), False),
        (Command(method="m", destination=["celery@b"], pattern="*", matcher="glob"), False),
        (Command(method="m", pattern="celery@*", matcher="glob"), True),
        (Command(method="m", pattern="beat@*", matcher="glob"), False),
        (Command(method="m", pattern=r"celery@\w", matcher="pcre"), True),
        (Command(method="m", pattern=r"a$", matcher="pcre"), False),
        (Command(method="m", pattern="beat@*"), True),
    ],
)
def test_a_command_is_for_those_whom_it_names_or_describes(command: Command, meant: bool) -> None:
    assert command.is_for("celery@a") is meant


@pytest.mark.parametrize(("pattern", "matcher"), [("(", "pcre"), ("*", "soundex"), ("x" * 201, "glob"), ("(a+)+" * 100, "pcre")])
def test_a_pattern_that_cannot_be_read_is_an_error(pattern: str, matcher: str) -> None:
    with pytest.raises(ValueError, match=r"pattern|matcher|regular"):
        Command(method="m", pattern=pattern, matcher=matcher).is_for("celery@a")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[1",
        [],
        "text",
        {},
        {"method": 1},
        {"method": ""},
        {"method": "m" * 256},
        {"method": "m", "arguments": []},
        {"method": "m", "arguments": [1]},
        {"method": "m", "destination": "celery@a"},
        {"method": "m", "destination": [1]},
        {"method": "m", "destination": {"a": 1}},
        {"method": "m", "pattern": 1},
        {"method": "m", "ticket": {}},
    ],
)
def test_what_is_no_command_is_said_to_be_none(body: object) -> None:
    found = command_from(said(body), JSON)

    if body == {"method": "m", "arguments": []}:
        assert found == Command(method="m")  # nothing is said of them: there are none
    else:
        assert isinstance(found, Rejected)


def test_a_content_type_that_is_not_accepted_is_not_read() -> None:
    import pickle

    found = command_from(said(pickle.dumps({"method": "m"}), content_type="application/x-python-serialize"), JSON)

    assert isinstance(found, Rejected)
    assert found.reason == "content-type"


@pytest.mark.parametrize(
    "address", [None, 1, {}, {"exchange": "e"}, {"exchange": 1, "routing_key": "k"}, {"exchange": "", "routing_key": "k"}]
)
def test_who_gives_no_address_is_not_answered(address: object) -> None:
    found = command_from(said({"method": "m", "reply_to": address, "ticket": "t"}), JSON)

    assert isinstance(found, Command)
    assert found.reply_to is None


@pytest.mark.parametrize("headers", [{"clock": "x"}, {"clock": None, "expires": []}, {"expires": "soon"}])
def test_headers_that_make_no_sense_say_nothing(headers: Any) -> None:
    found = command_from(said({"method": "m"}, headers=headers), JSON)

    assert isinstance(found, Command)
    assert (found.clock, found.expires) == (0, 0.0)


def test_an_answer_is_read_by_who_asked_and_by_no_other() -> None:
    command = Command(method="ping", ticket="t", reply_to=ReplyTo("reply.celery.pidbox", "key"))

    notice = answer_notice(command, Answer("celery@a", {"ok": "pong"}), clock=3, lives_s=10, serializer="json")

    assert (notice.exchange, notice.routing_key) == ("reply.celery.pidbox", "key")
    assert answers_from(notice, "t", JSON) == [{"celery@a": {"ok": "pong"}}]
    assert answers_from(notice, "another", JSON) == []


def test_an_answer_that_cannot_be_read_says_so() -> None:
    assert isinstance(answers_from(said([1]), "t", JSON), Rejected)
    assert isinstance(answers_from(said(b"{"), "t", JSON), Rejected)
