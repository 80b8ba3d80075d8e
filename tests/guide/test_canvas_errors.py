"""What becomes of a workflow of which something fails: the table of the guide, each row on every store.

The table is written from the rows here; a test says so when the page tells something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from celeriac import Celery, GroupResult, Ignore, Reject, chain, chord, group, states
from guide.conftest import Serve
from system.patience import eventually

WAIT_S = 10
PAGE = Path(__file__).parents[2] / "docs" / "guide" / "canvas.md"
PIPE, ESCAPED = "|", "\\|"  # in a cell of a table
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=1)

Make = Callable[[str], Any]
"""Makes a signature of one call whose id is the name that is given."""


class Row(Struct, frozen=True):
    """One way to fail."""

    where: str
    shown: str
    """The workflow, with what fails as ``X``."""
    made: Callable[[Make, Make], Any]
    """Makes it of a task that succeeds and one that fails."""
    raised: str
    """What ``get()`` raises: the first error on the way to the end."""
    ended: Mapping[str, str]
    """States of the tasks."""
    heard: tuple[tuple[str, str], ...]
    """Which errback calls there are: the id and the error of each."""
    fails: str = "raises"
    """What becomes of what fails."""
    own: str = ""
    """The end's own error, where that is another one: ``get(follow_parents=False)``."""
    on_header: bool = False
    """``task_allow_error_cb_on_chord_header``."""


def ends(failure: str = "", success: str = "", **others: str) -> dict[str, str]:
    return {**dict.fromkeys(failure.split(), "FAILURE"), **dict.fromkeys(success.split(), "SUCCESS"), **others}


def forked(ok: Make, x: Make) -> Any:
    return chord([ok("a"), x("X"), ok("c")], ok("d"))


def told(errors: str) -> tuple[tuple[str, str], ...]:
    return tuple(tuple(each.split(":")) for each in errors.split())  # type: ignore[misc]


ROWS = [
    Row(
        "the first step of a chain",
        "X | b | c",
        lambda ok, x: chain(x("X"), ok("b"), ok("c")),
        "ValueError",
        ends("X b c"),
        told("X:ValueError"),
    ),
    Row(
        "a step in the middle",
        "a | X | c",
        lambda ok, x: chain(ok("a"), x("X"), ok("c")),
        "ValueError",
        ends("X c", "a"),
        told("X:ValueError"),
    ),
    Row(
        "the last step",
        "a | b | X",
        lambda ok, x: chain(ok("a"), ok("b"), x("X")),
        "ValueError",
        ends("X", "a b"),
        told("X:ValueError"),
    ),
    Row(
        "a member of a group",
        "group(a, X, c)",
        lambda ok, x: group(ok("a"), x("X"), ok("c")),
        "ValueError",
        ends("X", "a c"),
        told("X:ValueError"),
    ),
    Row(
        "two members of a group",
        "group(X, b, Y)",
        lambda ok, x: group(x("X"), ok("b"), x("Y")),
        "ValueError",
        ends("X Y", "b"),
        told("X:ValueError Y:ValueError"),
    ),
    Row(
        "a member of a header",
        "chord([a, X, c], d)",
        forked,
        "ValueError",
        ends("X d", "a c"),
        told("d:ChordError"), own="ChordError"),
    Row(
        "two members of a header",
        "chord([X, b, Y], d)",
        lambda ok, x: chord([x("X"), ok("b"), x("Y")], ok("d")),
        "ValueError",
        ends("X Y d", "b"),
        told("d:ChordError"), own="ChordError"),
    Row(
        "a member of a header, with `task_allow_error_cb_on_chord_header`",
        "chord([a, X, c], d)",
        forked,
        "ValueError",
        ends("X d", "a c"),
        told("X:ValueError d:ChordError"),
        on_header=True, own="ChordError"),
    Row(
        "the body",
        "chord([a, b], X)",
        lambda ok, x: chord([ok("a"), ok("b")], x("X")),
        "ValueError",
        ends("X", "a b"),
        told("X:ValueError"),
    ),
    Row(
        "what follows the body",
        "chord([a, b], c) | X",
        lambda ok, x: chord([ok("a"), ok("b")], ok("c")) | x("X"),
        "ValueError",
        ends("X", "a b c"),
        told("X:ValueError"),
    ),
    Row(
        "the header of a chord in a chain",
        "a | group(X, c) | d | e",
        lambda ok, x: ok("a") | group(x("X"), ok("c")) | ok("d") | ok("e"),
        "ValueError",
        ends("X d e", "a c"),
        told("d:ChordError"), own="ChordError"),
    Row(
        "a step before a chord",
        "X | group(b, c) | d",
        lambda ok, x: x("X") | group(ok("b"), ok("c")) | ok("d"),
        "ValueError",
        ends("X b c d"),
        told("X:ValueError"),
    ),
    Row(
        "the first of two chords in a chain",
        "group(a, X) | group(c, d) | e",
        lambda ok, x: group(ok("a"), x("X")) | group(ok("c"), ok("d")) | ok("e"),
        "ValueError",
        ends("X c d e", "a"),
        told("e:ChordError"), own="ChordError"),
    Row(
        "a group in a header",
        "chord([group(X, b), c], d)",
        lambda ok, x: chord([group(x("X"), ok("b")), ok("c")], ok("d")),
        "ValueError",
        ends("X d", "b c"),
        told("d:ChordError"), own="ChordError"),
    Row(
        "a group at the end of a chain in a header",
        "chord([a | group(X, c), d], e)",
        lambda ok, x: chord([ok("a") | group(x("X"), ok("c")), ok("d")], ok("e")),
        "ValueError",
        ends("X e", "a c d"),
        told("e:ChordError"), own="ChordError"),
    Row(
        "a step before a group in a header",
        "chord([X | group(b, c), d], e)",
        lambda ok, x: chord([x("X") | group(ok("b"), ok("c")), ok("d")], ok("e")),
        "ValueError",
        ends("X b c e", "d"),
        told("e:ChordError"), own="ChordError"),
    Row(
        "a step of a chain in a header",
        "chord([a | X | c, d], e)",
        lambda ok, x: chord([ok("a") | x("X") | ok("c"), ok("d")], ok("e")),
        "ValueError",
        ends("X c e", "a d"),
        told("e:ChordError"), own="ChordError"),
    Row(
        "a member of a chord in a header",
        "chord([chord([X, b], c), d], e)",
        lambda ok, x: chord([chord([x("X"), ok("b")], ok("c")), ok("d")], ok("e")),
        "ChordError",
        ends("X c e", "b d"),
        told("c:ChordError e:ChordError"),
    ),
    Row(
        "the body of a chord in a header",
        "chord([chord([a, b], X), d], e)",
        lambda ok, x: chord([chord([ok("a"), ok("b")], x("X")), ok("d")], ok("e")),
        "ValueError",
        ends("X e", "a b d"),
        told("X:ValueError e:ChordError"),
        own="ChordError",
    ),
    Row("a step that is revoked", "a | X | c", lambda ok, x: chain(ok("a"), x("X"), ok("c")), "TaskRevokedError",
        ends("c", "a", X="REVOKED"), (), fails="is revoked"),
    Row("a member that is revoked", "chord([a, X, c], d)", forked, "TaskRevokedError", ends("d", "a c", X="REVOKED"),
        told("d:ChordError"), fails="is revoked", own="ChordError"),
    Row("a member that has expired", "chord([a, X, c], d)", forked, "TaskRevokedError", ends("d", "a c", X="REVOKED"),
        told("d:ChordError"), fails="expires", own="ChordError"),
    Row("a member that raises `Ignore`", "chord([a, X, c], d)", forked, "ChordError", ends("d", "a c", X="PENDING"),
        told("d:ChordError"), fails="ignores"),
    Row("a member that raises `Reject`", "chord([a, X, c], d)", forked, "Reject", ends("X d", "a c"),
        told("d:ChordError"), fails="rejects", own="ChordError"),
    Row("a member whose retries are used up", "chord([a, X, c], d)", forked, "ValueError", ends("X d", "a c"),
        told("d:ChordError"), fails="retries", own="ChordError"),
    Row("a member that nobody knows", "chord([a, X, c], d)", forked, "NotRegistered", ends("X d", "a c"),
        told("d:ChordError"), fails="is unknown", own="ChordError"),
    Row("a member that does not take its arguments", "chord([a, X, c], d)", forked, "TypeError", ends("X d", "a c"),
        told("d:ChordError"), fails="takes nothing", own="ChordError"),
    Row("a member whose value cannot be written", "chord([a, X, c], d)", forked, "EncodeError", ends("X d", "a c"),
        told("d:ChordError"), fails="returns an object", own="ChordError"),
    Row("a step whose value cannot be written", "a | X | c", lambda ok, x: chain(ok("a"), x("X"), ok("c")), "EncodeError",
        ends("X c", "a"), told("X:EncodeError"), fails="returns an object"),
    Row("a step that nobody knows", "a | X | c", lambda ok, x: chain(ok("a"), x("X"), ok("c")), "NotRegistered",
        ends("X c", "a"), told("X:NotRegistered"), fails="is unknown"),
    Row("a body that nobody knows", "chord([a, b], X)", lambda ok, x: chord([ok("a"), ok("b")], x("X")), "NotRegistered",
        ends("X", "a b"), told("X:NotRegistered"), fails="is unknown"),
    Row("a body that does not take its arguments", "chord([a, b], X)", lambda ok, x: chord([ok("a"), ok("b")], x("X")),
        "TypeError", ends("X", "a b"), told("X:TypeError"), fails="takes nothing"),
]  # fmt: skip


def ids_of(row: Row) -> list[str]:
    return sorted(row.ended)


@pytest.fixture
def heard(app: Celery) -> list[tuple[str, str]]:
    """Give what the errbacks were called with."""
    calls: list[tuple[str, str]] = []

    @app.task(name="hear")
    def hear(request: Any, exc: BaseException, traceback: Any) -> None:
        calls.append((request.id, type(exc).__name__))

    return calls


@pytest.fixture
def makers(app: Celery) -> Callable[[str], tuple[Make, Make]]:
    """Give a function that gives the two that make calls: one that succeeds, and one that fails so."""

    @app.task(name="ok")
    def ok(value: Any = None) -> str:
        return "value"

    @app.task(name="raises")
    def raises(value: Any = None) -> None:
        raise ValueError("it broke")

    @app.task(name="ignores")
    def ignores(value: Any = None) -> None:
        raise Ignore

    @app.task(name="rejects")
    def rejects(value: Any = None) -> None:
        raise Reject("no")

    @app.task(name="retries", bind=True, max_retries=1)
    def retries(self: Any, value: Any = None) -> None:
        raise self.retry(countdown=0, exc=ValueError("it broke"))

    @app.task(name="takes nothing")
    def takes_nothing() -> None: ...

    @app.task(name="returns an object")
    def returns_an_object(value: Any = None) -> object:
        return object()

    def make(fails: str) -> tuple[Make, Make]:
        name = {"is revoked": "ok", "expires": "ok", "is unknown": "nobody.knows"}.get(fails, fails)
        options: dict[str, Any] = {"expires": LONG_AGO} if fails == "expires" else {}
        args = ("too", "many") if fails == "takes nothing" else ()

        def fail(id: str) -> Any:
            return app.signature(name, args=args).set(task_id=id, **options)

        return lambda name: ok.s().set(task_id=name), fail

    return make


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.where.replace("`", ""))
def test_each_way_to_fail(row: Row, app: Celery, makers: Any, heard: list[tuple[str, str]], serve: Serve) -> None:
    app.conf.task_allow_error_cb_on_chord_header = row.on_header
    workflow = row.made(*makers(row.fails))
    errback = app.tasks["hear"].s()
    workflow.link_error(errback)

    result = workflow.apply_async()
    if row.fails == "is revoked":
        app.AsyncResult("X").revoke()
    serve()

    error, own = caught(result), caught(result, follow_parents=False)
    expected = {id: state for id, state in row.ended.items() if state != "PENDING"}
    eventually(lambda: all(app.AsyncResult(id).state in states.READY_STATES for id in expected), what="every end")
    eventually(lambda: len(heard) >= len(row.heard), what=f"errbacks; heard {heard}", within_s=3)
    app.tasks["ok"].delay().get(timeout=WAIT_S)  # whatever else was sent has run before it
    assert (type(error).__name__, type(own).__name__) == (row.raised, row.own or row.raised)
    assert {id: app.AsyncResult(id).state for id in row.ended} == dict(row.ended)
    assert sorted(heard) == sorted(row.heard)


def caught(result: Any, *, follow_parents: bool = True) -> BaseException | None:
    """Return what ``get`` raises."""
    try:
        if isinstance(result, GroupResult):
            result.get(timeout=WAIT_S)
        else:
            result.get(timeout=WAIT_S, follow_parents=follow_parents)
    except Exception as error:
        return error
    return None


def line(row: Row) -> str:
    """Return a row of the page's table."""
    called = "; ".join(f"`{id}`: `{error}`" for id, error in row.heard) or "none"
    failed = " ".join(f"`{id}`" for id, state in row.ended.items() if state == "FAILURE") or "none"
    own = f", its own error is `{row.own}`" if row.own else ""
    return f"| {row.where} | `{row.shown.replace(PIPE, ESCAPED)}` | {called} | {failed} | `{row.raised}`{own} |"


def test_the_page_has_these_rows() -> None:
    lines = PAGE.read_text().splitlines()
    first = lines.index("| what fails | workflow | errback calls | end as FAILURE | `get()` raises |")

    told = lines[first + 2 : first + 2 + len(ROWS)]

    assert told == [line(row) for row in ROWS]
    assert not lines[first + 2 + len(ROWS)].startswith("|")
