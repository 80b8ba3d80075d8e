"""One subscription for all that wait: nothing falls between, nothing is left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from celeriac.app.results.waiting import BATCH, CLOSED, Waiting
from celeriac.core.errors import BrokerUnreachable
from celeriac.core.settlement import StoredResult


class Backend:
    """A result backend that notes what it is asked, and runs ``between`` after each watch."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.watched: dict[str, Callable[[str, bytes], None]] = {}
        self.calls: list[tuple[str, int]] = []
        self.between: Callable[[], None] = lambda: None

    def watch(self, ids: Sequence[str], notify: Callable[[str, bytes], None]) -> None:
        self.calls.append(("watch", len(ids)))
        self.watched.update(dict.fromkeys(ids, notify))
        self.between()

    def unwatch(self, ids: Sequence[str]) -> None:
        self.calls.append(("unwatch", len(ids)))
        for id in ids:
            self.watched.pop(id, None)

    def load(self, ids: Sequence[str]) -> Sequence[bytes | None]:
        self.calls.append(("load", len(ids)))
        return [self.stored.get(id) for id in ids]

    def store(self, id: str, body: bytes) -> None:
        self.stored[id] = body
        if id in self.watched:
            self.watched[id](id, body)

    def store_results(self, results: Sequence[StoredResult]) -> None:
        for result in results:
            self.store(result.id, result.body)

    def forget(self, ids: Sequence[str]) -> None: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...


def test_what_was_stored_before_and_after_is_handed_over() -> None:
    backend = Backend()
    waiting = Waiting(lambda: backend)
    got: list[tuple[str, bytes]] = []
    backend.store("early", b"1")

    waiting.begin(["early", "late"], lambda id_, body: got.append((id_, body)))
    backend.store("late", b"2")

    assert got == [("early", b"1"), ("late", b"2")]


def test_what_is_stored_between_watch_and_load_is_not_missed() -> None:
    backend = Backend()
    waiting = Waiting(lambda: backend)
    got: set[bytes] = set()
    backend.between = lambda: backend.store("a", b"1")

    waiting.begin(["a"], lambda _id, body: got.add(body))

    assert got == {b"1"}


def test_the_second_who_waits_subscribes_nothing_and_the_last_who_leaves_unsubscribes() -> None:
    backend = Backend()
    waiting = Waiting(lambda: backend)
    one: list[bytes] = []
    other: list[bytes] = []

    def first(_id: str, body: bytes) -> None:
        one.append(body)

    def second(_id: str, body: bytes) -> None:
        other.append(body)

    waiting.begin(["a"], first)
    waiting.begin(["a"], second)
    waiting.end(["a"], first)
    backend.store("a", b"1")
    waiting.end(["a"], second)
    waiting.end(["a"], second)

    assert (one, other) == ([], [b"1"])
    assert [call for call in backend.calls if call[0] != "load"] == [("watch", 1), ("unwatch", 1)]


def test_who_comes_while_somebody_elses_subscription_fails_has_his_own() -> None:
    backend = Backend()
    waiting = Waiting(lambda: backend)
    got: list[bytes] = []

    def second(_id: str, body: bytes) -> None:
        got.append(body)

    def fail() -> None:
        backend.between = lambda: None
        waiting.begin(["a"], second)
        raise BrokerUnreachable("no subscription")

    def first(_id: str, _body: bytes) -> None: ...

    backend.between = fail
    with pytest.raises(BrokerUnreachable):
        waiting.begin(["a"], first)
    waiting.end(["a"], first)
    backend.store("a", b"1")

    assert backend.calls.count(("watch", 1)) == 2
    assert got == [b"1"]
    waiting.end(["a"], second)
    assert (waiting.size, backend.watched) == (0, {})


def test_who_comes_between_the_last_ones_leaving_and_the_unsubscription_is_told_all_the_same() -> None:
    backend = Backend()
    waiting = Waiting(lambda: backend)
    got: list[bytes] = []

    def first(_id: str, _body: bytes) -> None: ...

    def come(ids: Sequence[str]) -> None:
        waiting.begin(ids, lambda _id, body: got.append(body))
        Backend.unwatch(backend, ids)

    waiting.begin(["a"], first)
    backend.unwatch = come  # type: ignore[method-assign]
    waiting.end(["a"], first)
    backend.store("a", b"1")

    assert got == [b"1"]


def test_who_has_given_up_may_wait_again() -> None:
    backend = Backend()
    waiting = Waiting(lambda: backend)
    got: list[bytes] = []

    def receive(_id: str, body: bytes) -> None:
        got.append(body)

    waiting.begin(["a"], receive)
    waiting.end(["a"], receive)
    waiting.begin(["a"], receive)
    backend.store("a", b"1")

    assert got == [b"1"]


def test_many_ids_are_asked_for_in_batches() -> None:
    backend = Backend()
    waiting = Waiting(lambda: backend)
    ids = [str(number) for number in range(BATCH + 1)]

    waiting.begin(ids, lambda _id, _body: None)

    assert backend.calls == [("watch", BATCH), ("load", BATCH), ("watch", 1), ("load", 1)]


def test_who_leaves_before_the_thread_has_come_to_him_leaves_nothing_behind() -> None:
    backend = Backend()
    waiting = Waiting(lambda: backend)
    busy, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        busy.set()
        assert go_on.wait(30)

    backend.between = hold
    waiting.begin_later(["first"], lambda _id, _body: None, lambda _error: None)
    assert busy.wait(30)
    request = waiting.begin_later(["second"], lambda _id, _body: None, lambda _error: None)
    waiting.end_later(request)
    go_on.set()
    waiting.close()

    assert [call for call in backend.calls if call[0] == "watch"] == [("watch", 1)]


def test_who_waits_when_it_is_closed_is_told_and_leaves_nothing_behind() -> None:
    backend = Backend()
    waiting = Waiting(lambda: backend)
    got: list[bytes] = []

    def receive(_id: str, body: bytes) -> None:
        got.append(body)

    waiting.begin(["a", "b"], receive)
    waiting.close()
    calls = len(backend.calls)
    waiting.end(["a", "b"], receive)

    assert (got, waiting.size, backend.watched) == ([CLOSED, CLOSED], 0, {})
    assert len(backend.calls) == calls
