"""Messages that no client should send: each with the reason that it must bear among the dead letters."""

from __future__ import annotations

import bz2
import json
import lzma
import pickle
import zlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

MEGABYTE = 2**20


class Bad(Struct, frozen=True):
    """One bad message."""

    kind: str
    reason: str
    raw: bytes


class Canary:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def envelope(
    *,
    args: Any = (1, 2),
    kwargs: Any = None,
    embed: Any = None,
    body: Any = ...,
    raw_body: bytes | None = None,
    headers: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
    **fields: Any,
) -> bytes:
    """Return the bytes of a good message of ``jobs.add``, but for what is given; ``...`` removes a field."""
    embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None} if embed is None else embed
    body = [args, kwargs or {}, embed] if body is ... else body
    data = json.dumps(body).encode() if raw_body is None else raw_body
    whole: dict[str, Any] = {
        "body": b64encode(data).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": _but({"lang": "py", "task": "jobs.add", "id": "bad", "retries": 0}, headers),
        "properties": _but({"body_encoding": "base64", "delivery_mode": 2, "priority": 0, "delivery_tag": "t"}, properties),
    }
    return json.dumps(_but(whole, {name.replace("_", "-"): value for name, value in fields.items()})).encode()


def _but(good: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in {**good, **(changes or {})}.items() if value is not ...}


def all_kinds(canary: Path) -> list[Bad]:
    """Return every kind of bad message; unpickling one of them would make the file ``canary``."""
    return [
        *no_envelopes(),
        *bad_envelopes(canary),
        *bad_headers(),
        *bad_bodies(),
        *bad_calls(),
        *bombs(),
        *bad_workflows(),
    ]


def no_envelopes() -> Iterator[Bad]:
    """What is no envelope at all."""
    good = envelope()
    for kind, raw in {
        "nothing": b"",
        "garbage": bytes(range(256)),
        "zeros": bytes(1000),
        "text": b"hello, worker",
        "half an envelope": good[: len(good) // 2],
        "all but the last byte": good[:-1],
        "something behind it": good + b"}",
        "null": b"null",
        "a number": b"17",
        "a string": b'"task"',
        "a list": b"[1, 2, 3]",
        "an empty object": b"{}",
        "utf-16": good.decode().encode("utf-16"),
        "not utf-8": good.replace(b"jobs.add", b"jobs.\xff\xfe"),
    }.items():
        yield Bad(kind, "malformed", raw)


def bad_envelopes(canary: Path) -> Iterator[Bad]:
    """Envelopes with a wrong part."""
    yield Bad("no body", "malformed", b'{"headers": {}, "properties": {}, "content-type": "application/json"}')
    yield Bad("not base64", "malformed", json.dumps({**json.loads(envelope()), "body": "a"}).encode())
    yield Bad("body is a number", "malformed", json.dumps({**json.loads(envelope()), "body": 17}).encode())
    yield Bad("unknown body encoding", "malformed", envelope(properties={"body_encoding": "rot13"}))
    yield Bad("body encoding is a number", "malformed", envelope(properties={"body_encoding": 64}))
    yield Bad("headers are a list", "malformed", json.dumps({**json.loads(envelope()), "headers": [1]}).encode())
    yield Bad("properties are text", "malformed", json.dumps({**json.loads(envelope()), "properties": "x"}).encode())
    yield Bad("no content type", "content-type", envelope(content_type=...))
    yield Bad("unknown content type", "content-type", envelope(content_type="text/plain"))
    yield Bad("content type is a number", "malformed", envelope(content_type=17))
    yield Bad("yaml", "content-type", envelope(content_type="application/x-yaml", raw_body=b"- [1, 2]"))
    pickled = pickle.dumps(([Canary(canary)], {}, {}))
    yield Bad("pickle", "content-type", envelope(content_type="application/x-python-serialize", raw_body=pickled))
    yield Bad("pickle called json", "malformed", envelope(raw_body=pickled))
    yield Bad("unknown charset", "malformed", envelope(content_encoding="utf-9"))


def bad_headers() -> Iterator[Bad]:
    """Headers with a wrong value."""
    wrong: dict[str, dict[str, Any]] = {
        "no task": {"task": ...},
        "task is null": {"task": None},
        "task is a number": {"task": 17},
        "task without a name": {"task": ""},
        "task with a long name": {"task": "t" * 300},
        "task with two lines": {"task": "jobs.add\n[2000-01-01 00:00:00,000: INFO/MainProcess] forged"},
        "no id": {"id": ...},
        "id is a list": {"id": ["bad"]},
        "id of a megabyte": {"id": "i" * MEGABYTE},
        "id with an escape sequence": {"id": "\x1b[2J"},
        "eta is no date": {"eta": "tomorrow"},
        "eta is a number": {"eta": 17},
        "eta before all time zones": {"eta": "0001-01-01T00:00:00+14:00"},
        "expires is a list": {"expires": []},
        "retries below zero": {"retries": -1},
        "retries is text": {"retries": "many"},
        "time limits are text": {"timelimit": "long"},
        "three time limits": {"timelimit": [1, 2, 3]},
        "time limit below zero": {"timelimit": [-1, None]},
        "deliveries is text": {"celeriac-deliveries": "many"},
        "compression is a list": {"compression": ["gzip"]},
    }
    for kind, headers in wrong.items():
        yield Bad(kind, "malformed", envelope(headers=headers))
    yield Bad("too many headers", "oversized", envelope(headers={f"h{i}": i for i in range(10_001)}))
    yield Bad("unknown compression", "unsupported", envelope(headers={"compression": "application/x-rar"}))


def bad_bodies() -> Iterator[Bad]:
    """Bodies that hold no call."""
    wrong: dict[str, Any] = {
        "body null": None,
        "body is a list of two": [[], {}],
        "body is text": "add",
        "args is an object": [{"x": 1}, {}, {}],
        "kwargs is a list": [[], [1], {}],
        "embed is a list": [[1, 2], {}, [1]],
        "callbacks is text": [[1, 2], {}, {"callbacks": "x"}],
        "chord is text": [[1, 2], {}, {"chord": "x"}],
    }
    for kind, body in wrong.items():
        yield Bad(kind, "malformed", envelope(body=body))
    for kind, data in {
        "empty body": b"",
        "half a body": b'[[1, 2], {"x": ',
        "binary body": bytes(range(128, 256)),
    }.items():
        yield Bad(kind, "malformed", envelope(raw_body=data))
    yield Bad("a date that is none", "malformed", envelope(args=[{"__type__": "datetime", "__value__": "never"}, 2]))
    yield Bad("not gzip", "malformed", envelope(headers={"compression": "application/x-gzip"}))


GOOD: dict[str, Any] = {"task": "jobs.add", "args": [1], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False}


def wrong_signatures() -> dict[str, Any]:
    """Return what is no signature, by what is wrong with it."""
    good = GOOD
    return {
        "a task that is a number": {**good, "task": 5},
        "args that are text": {**good, "args": "12"},
        "kwargs that are a list": {**good, "kwargs": [1]},
        "options that are a number": {**good, "options": 3},
        "a kind that is a list": {**good, "subtask_type": []},
        "a chain of nothing": {**good, "subtask_type": "chain"},
        "a group of numbers": {**good, "subtask_type": "group", "kwargs": {"tasks": [1, 2]}},
        "a chord without a body": {**good, "subtask_type": "chord", "kwargs": {"header": [good]}},
        "a callback of a callback": {**good, "options": {"link": [{**good, "options": {"link": 3}}]}},
        "an errback without a name": {**good, "options": {"link_error": [{}]}},
        "a place below zero": {**good, "options": {"group_index": -1}},
    }


def bad_workflows() -> Iterator[Bad]:
    """What is to follow a task is no signature, or too deep for anybody."""
    for place in ("chain", "chord", "callbacks", "errbacks"):
        # Errbacks are read where they are told, and logged: they harm nobody.
        for kind, stored in wrong_signatures().items() if place != "errbacks" else ():
            lies = stored if place == "chord" else [stored]
            yield Bad(f"{place}: {kind}", "malformed", envelope(embed={place: lies}, headers={"id": f"{place}-{kind}"}))
        for kind, opens, closes in (
            ("chains in chains", '{"task": "celery.chain", "subtask_type": "chain", "kwargs": {"tasks": [', "]}}"),
            ("groups in groups", '{"task": "celery.group", "subtask_type": "group", "kwargs": {"tasks": [', "]}}"),
            ("bodies in bodies", '{"task": "celery.chord", "subtask_type": "chord", "kwargs": {"header": [], "body": ', "}}"),
            ("links of links", '{"task": "jobs.add", "options": {"link": [', "]}}"),
        ):
            deep = opens * 10_000 + json.dumps(GOOD) + closes * 10_000
            lies = deep if place == "chord" else f"[{deep}]"
            raw = f'[[1, 2], {{}}, {{"{place}": {lies}}}]'.encode()
            yield Bad(f"{place}: {kind}", "too-deep", envelope(raw_body=raw, headers={"id": f"{place}-{kind}"}))


def bad_calls() -> Iterator[Bad]:
    """Calls that nobody can carry out."""
    yield Bad("unknown task", "unknown-task", envelope(headers={"task": "jobs.ad", "id": "unknown"}))
    yield Bad("a task that is an attack", "unknown-task", envelope(headers={"task": "os.system", "id": "attack"}))
    yield Bad("too many arguments", "arguments", envelope(args=[1, 2, 3], headers={"id": "many"}))
    yield Bad("too few arguments", "arguments", envelope(args=[1], headers={"id": "few"}))
    yield Bad("unknown keyword", "arguments", envelope(kwargs={"z": 3}, headers={"id": "keyword"}))
    yield Bad("a keyword twice", "arguments", envelope(kwargs={"x": 3}, headers={"id": "twice"}))
    yield Bad("killed five already", "deliveries", envelope(headers={"celeriac-deliveries": 5, "id": "killer"}))


def bombs() -> Iterator[Bad]:
    """Small or large, they would fill the memory."""
    yield Bad("nested envelope", "too-deep", b"[" * 100_000)
    yield Bad("nested header", "too-deep", envelope().replace(b'"retries": 0', b'"retries": ' + b"[" * 500 + b"]" * 500))
    yield Bad("nested body", "too-deep", envelope(raw_body=b"[" * 100_000 + b"]" * 100_000))
    yield Bad("nested objects", "too-deep", envelope(raw_body=b"[[" + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"], {}, {}]"))
    yield _bomb("x-gzip", zlib.compress(bytes(200 * MEGABYTE)))
    yield _bomb("x-bz2", bz2.compress(bytes(70 * MEGABYTE)))
    yield _bomb("x-lzma", lzma.compress(bytes(70 * MEGABYTE), preset=0))
    yield Bad("a hundred megabytes", "oversized", envelope(raw_body=b'["' + b"x" * (100 * MEGABYTE) + b'"]'))


def _bomb(method: str, packed: bytes) -> Bad:
    return Bad(
        f"bomb, {method}", "oversized", envelope(raw_body=packed, headers={"compression": f"application/{method}", "id": method})
    )
