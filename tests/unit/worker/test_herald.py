"""The thread for hooks of a node: who is told, when, and what a slow or failing one costs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from celeriac import signals
from celeriac.app.runtime import SystemRuntime
from celeriac.worker.herald import Herald

PATIENCE_S = 5.0


class Beats:
    """Hears heartbeats."""

    def __init__(self) -> None:
        self.senders: list[Any] = []
        self.heard = threading.Semaphore(0)

    def hear(self, sender: Any, **named: Any) -> None:
        self.senders.append(sender)
        self.heard.release()


@pytest.fixture
def beats() -> Iterator[Beats]:
    """Give somebody who listens to heartbeats until the test ends."""
    beats = Beats()
    signals.heartbeat_sent.connect(beats.hear)
    yield beats
    signals.heartbeat_sent.disconnect(beats.hear)


def test_it_beats_while_the_store_answers(beats: Beats) -> None:
    herald = Herald(lambda: True, SystemRuntime(), interval=0.001)

    herald.start()
    came = [beats.heard.acquire(timeout=PATIENCE_S) for _ in range(3)]
    herald.stop()

    assert came == [True] * 3
    assert set(beats.senders) == {herald}


def test_it_does_not_beat_while_the_store_does_not_answer(beats: Beats) -> None:
    asked = threading.Semaphore(0)

    def silent() -> bool:
        asked.release()
        return False

    herald = Herald(silent, SystemRuntime(), interval=0.001)
    herald.start()
    came = [asked.acquire(timeout=PATIENCE_S) for _ in range(3)]
    herald.stop()

    assert came == [True] * 3
    assert beats.senders == []


def test_where_nobody_listens_there_is_no_thread() -> None:
    before = threading.active_count()
    herald = Herald(lambda: True, SystemRuntime())

    herald.start()
    herald.stop()

    assert threading.active_count() == before


def test_news_are_told_in_order_and_one_that_fails_does_not_stop_the_next(caplog: pytest.LogCaptureFixture) -> None:
    herald = Herald(lambda: True, SystemRuntime())
    told: list[str] = []

    def broken() -> None:
        raise ValueError("broken")

    for news in (lambda: told.append("first"), broken, lambda: told.append("second")):
        herald.tell(news)
    herald.stop()

    assert told == ["first", "second"]
    assert "telling a hook failed" in caplog.text


def test_news_that_take_for_ever_do_not_keep_a_node_from_ending() -> None:
    herald = Herald(lambda: True, SystemRuntime(), patience_s=0.01)
    free = threading.Event()

    herald.tell(lambda: free.wait(PATIENCE_S))
    herald.stop()
    ended = not free.is_set()
    free.set()

    assert ended
