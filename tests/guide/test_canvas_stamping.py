"""Stamps, after Celery's chapter "Canvas", section "Stamping": labels that travel with the calls of a workflow, on every store.

Each is an example or a rule of that section in words and names of our own, and a test of what it does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from celeriac import Celery, StampingVisitor, Task, chain, chord, group, signals, signature
from guide.conftest import Serve
from system.patience import eventually

WAIT_S = 10
Seen = dict[Any, tuple[Any, Any]]


@pytest.fixture
def seen() -> Seen:
    """What each call found in its request: its first argument -> names and values of its stamps."""
    return {}


@pytest.fixture
def show(app: Celery, seen: Seen) -> Any:
    app.conf.result_extended = True

    @app.task(name="show", bind=True)
    def show(self: Any, *what: Any) -> Any:
        seen[what[-1]] = (sorted(self.request.stamped_headers or ()), dict(self.request.stamps or {}))
        return what[-1]

    return show


class InGroup(StampingVisitor):
    """Says of each call whether it is inside a group."""

    def __init__(self) -> None:
        self.depth = 0

    def on_group_start(self, group: Any, **headers: Any) -> dict[str, Any]:
        self.depth += 1
        return {}

    def on_group_end(self, group: Any, **headers: Any) -> None:
        self.depth -= 1

    def on_signature(self, sig: Any, **headers: Any) -> dict[str, Any]:
        return {"in_group": self.depth > 0, "stamped_headers": ["in_group"]}


class Monitored(StampingVisitor):
    """Gives each call an id of its own."""

    def on_signature(self, sig: Any, **headers: Any) -> dict[str, Any]:
        return {"monitoring_id": uuid4().hex}


class Linked(StampingVisitor):
    """Says what is linked, and how."""

    def on_signature(self, sig: Any, **headers: Any) -> dict[str, Any]:
        return {"header": "value"}

    def on_callback(self, callback: Any, **header: Any) -> dict[str, Any]:
        return {"on_callback": True}

    def on_errback(self, errback: Any, **header: Any) -> dict[str, Any]:
        return {"on_errback": True}


def heard(seen: Seen, *what: Any) -> Callable[[], bool]:
    return lambda: seen.keys() >= set(what)


# ---- Stamping a workflow -------------------------------------------------------------------------------------------


def test_what_a_group_is_stamped_with_is_kept_with_the_result_of_each_member(app: Celery, show: Any, serve: Serve) -> None:
    first = show.si("a")
    result_of_first = first.freeze()
    members = group(first, show.si("b"))
    members.stamp(stamp="your own")
    serve()

    assert members.apply_async().get(timeout=WAIT_S) == ["a", "b"]

    meta = app.backend.get_task_meta(result_of_first.id)
    assert (meta["stamp"], meta["stamped_headers"]) == ("your own", ["stamp"])


def test_every_call_of_a_workflow_sees_the_stamps(show: Any, seen: Seen, serve: Serve) -> None:
    workflow: Any = chain(show.s("first"), group(show.s("left"), show.s("right")), show.s("body"), show.s("last"))
    serve()

    workflow.stamp(customer="c-7")
    workflow.delay().get(timeout=WAIT_S)

    assert seen == dict.fromkeys(["first", "left", "right", "body", "last"], (["customer"], {"customer": "c-7"}))


def test_a_visitor_says_which_stamps_each_part_gets(show: Any, seen: Seen, serve: Serve) -> None:
    workflow: Any = chain(show.s("before"), group(show.s("in"), show.s("in, too")), show.s("body"))
    serve()

    workflow.stamp(visitor=InGroup())
    workflow.delay().get(timeout=WAIT_S)

    assert {what: stamps["in_group"] for what, (_, stamps) in seen.items()} == {
        "before": False,
        "in": True,
        "in, too": True,
        "body": False,
    }


def test_each_call_may_have_a_value_of_its_own(show: Any, seen: Seen, serve: Serve) -> None:
    header: Any = chord([show.s("a"), show.s("b")], show.s("c"))
    serve()

    header.stamp(visitor=Monitored())
    header().get(timeout=WAIT_S)

    ids = {stamps["monitoring_id"] for _, stamps in seen.values()}
    assert (len(ids), [len(id) for id in ids]) == (3, [32] * 3)


def test_only_what_is_named_is_a_stamp_and_without_names_all_is(show: Any, seen: Seen, serve: Serve) -> None:
    class Named(StampingVisitor):
        def on_signature(self, sig: Any, **headers: Any) -> dict[str, Any]:
            return {"stamp": 1, "priority": 3, "stamped_headers": ["stamp"]}

    class Unnamed(StampingVisitor):
        def on_signature(self, sig: Any, **headers: Any) -> dict[str, Any]:
            return {"stamp": 1, "other": 2}

    serve()

    show.s("named").stamp(visitor=Named()).delay().get(timeout=WAIT_S)
    show.s("all").stamp(visitor=Unnamed()).delay().get(timeout=WAIT_S)

    assert seen["named"] == (["stamp"], {"stamp": 1})
    assert seen["all"] == (["other", "stamp"], {"stamp": 1, "other": 2})


def test_stamps_from_outside_hold_inside_and_are_handed_to_the_visitor(show: Any, seen: Seen, serve: Serve) -> None:
    handed: list[dict[str, Any]] = []

    class Levels(StampingVisitor):
        def on_chain_start(self, chain: Any, **headers: Any) -> dict[str, Any]:
            return {"in_chain": True}

        def on_group_start(self, group: Any, **headers: Any) -> dict[str, Any]:
            return {"in_group": True}

        def on_signature(self, sig: Any, **headers: Any) -> dict[str, Any]:
            handed.append({name: headers[name] for name in headers["stamped_headers"]})
            return {}

    workflow: Any = show.s("first") | group(show.s("a"), show.s("b"))
    serve()

    workflow.stamp(visitor=Levels(), given=1)
    workflow.delay().get(timeout=WAIT_S)

    assert seen["first"][1] == {"given": 1, "in_chain": True}
    assert seen["a"][1] == seen["b"][1] == {"given": 1, "in_chain": True, "in_group": True}
    assert handed == [seen["first"][1], seen["a"][1], seen["b"][1]]


def test_a_stamp_that_is_there_is_replaced_or_becomes_a_list(show: Any, seen: Seen, serve: Serve) -> None:
    serve()

    show.s("replaced").stamp(stamp="old").stamp(stamp="new").delay().get(timeout=WAIT_S)
    show.s("appended").stamp(stamp="old").stamp(append_stamps=True, stamp="new").delay().get(timeout=WAIT_S)

    assert seen["replaced"][1] == {"stamp": "new"}
    assert sorted(seen["appended"][1]["stamp"]) == ["new", "old"]


def test_options_of_one_call_change_no_stamp(show: Any, seen: Seen, serve: Serve) -> None:
    serve()

    show.s("call").stamp(stamp="mine").apply_async(stamp="other", stamped_headers=["stamp", "more"]).get(timeout=WAIT_S)

    assert seen["call"] == (["stamp"], {"stamp": "mine"})


# ---- Callbacks -----------------------------------------------------------------------------------------------------


def test_what_is_linked_is_stamped_too_if_it_was_linked_before(show: Any, seen: Seen, serve: Serve) -> None:
    call = show.s("call")
    call.link(show.si("before"))
    call.stamp(visitor=Linked())
    call.link(show.si("after"))
    serve()

    call.delay()

    eventually(heard(seen, "call", "before", "after"), what="all three ran")
    assert seen["call"] == (["header"], {"header": "value"})
    assert seen["before"] == (["header", "on_callback"], {"header": "value", "on_callback": True})
    assert seen["after"] == ([], {})


def test_errbacks_are_stamped_as_such(app: Celery, show: Any, seen: Seen, serve: Serve) -> None:
    @app.task(name="broken")
    def broken() -> None:
        raise ValueError("it broke")

    call = broken.s()
    call.link_error(show.si("errback"))
    call.stamp(visitor=Linked())
    serve()

    call.delay()

    eventually(heard(seen, "errback"), what="the errback ran")
    assert seen["errback"] == (["header", "on_errback"], {"header": "value", "on_errback": True})


def test_links_of_a_stored_signature_are_stamped_and_a_workflow_that_is_linked(
    app: Celery, show: Any, seen: Seen, serve: Serve
) -> None:
    call = show.s("call")
    call.link(show.si("x") | show.si("y"))
    stored = signature(json.loads(json.dumps(call)), app=app)
    serve()

    stored.stamp(visitor=Linked())
    stored.delay()

    eventually(heard(seen, "call", "x", "y"), what="all three ran")
    assert seen["x"] == seen["y"] == (["header", "on_callback"], {"header": "value", "on_callback": True})


# ---- What happens to a call ----------------------------------------------------------------------------------------


def test_a_retry_keeps_the_stamps(app: Celery, show: Any, seen: Seen, serve: Serve) -> None:
    @app.task(name="flaky", bind=True)
    def flaky(self: Any) -> None:
        if not self.request.retries:
            raise self.retry(countdown=0)
        seen["again"] = (list(self.request.stamped_headers), dict(self.request.stamps))

    serve()

    flaky.s().stamp(stamp=["a", "list"]).delay().get(timeout=WAIT_S)

    assert seen["again"] == (["stamp"], {"stamp": ["a", "list"]})


def test_what_takes_a_calls_place_has_its_stamps_and_those_that_on_replace_gives_it(
    app: Celery, show: Any, seen: Seen, serve: Serve
) -> None:
    class Stamping(Task[Any, Any]):
        def on_replace(self, sig: Any) -> Any:
            sig.stamp(replaced="by " + self.name)
            return super().on_replace(sig)

    @app.task(name="plain", bind=True)
    def plain(self: Any) -> Any:
        return self.replace(show.s("plainly"))

    @app.task(name="custom", bind=True, base=Stamping)
    def custom(self: Any) -> Any:
        return self.replace(show.s("stamped").stamp(own=1))

    serve()

    (plain.s().stamp(stamp="mine") | show.s("next").stamp(stamp="next")).delay().get(timeout=WAIT_S)
    custom.s().stamp(stamp="mine").delay().get(timeout=WAIT_S)

    assert seen["plainly"] == (["stamp"], {"stamp": "mine"})
    assert seen["next"] == (["stamp"], {"stamp": "next"})
    assert seen["stamped"] == (["own", "replaced", "stamp"], {"own": 1, "replaced": "by custom", "stamp": "mine"})


def test_a_call_made_inside_a_task_has_no_stamps_of_it(app: Celery, show: Any, seen: Seen, serve: Serve) -> None:
    @app.task(name="parent")
    def parent() -> None:
        show.delay("child")

    serve()

    parent.s().stamp(stamp=1).delay()

    eventually(heard(seen, "child"), what="the child ran")
    assert seen["child"] == ([], {})


def test_workflows_that_run_here_and_now_have_their_stamps(app: Celery, show: Any, seen: Seen) -> None:
    app.conf.task_always_eager = True
    workflow: Any = chord([show.s("a"), show.s("b") | show.s("c")], show.s("d"))

    workflow.stamp(stamp=1)
    workflow.delay()

    assert seen == dict.fromkeys("abcd", (["stamp"], {"stamp": 1}))


def test_whoever_hears_that_a_task_was_received_sees_its_stamps(show: Any, seen: Seen, serve: Serve) -> None:
    received: list[Any] = []

    def hear(request: Any, **_: Any) -> None:
        received.append((request.name, request.stamped_headers, request.stamps))

    signals.task_received.connect(hear, weak=False)
    serve()
    try:
        show.s("call").stamp(customer="c-7").delay().get(timeout=WAIT_S)
    finally:
        signals.task_received.disconnect(hear)

    assert received == [("show", ["customer"], {"customer": "c-7"})]
