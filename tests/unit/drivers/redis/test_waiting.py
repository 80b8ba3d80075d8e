"""A wait on a connection ends when there is something to read, when it is interrupted, and in time."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

redis = pytest.importorskip("redis")

from celeriac.drivers.redis.waiting import Waits  # noqa: E402 - redis may be absent

LONG_S = 20.0


class Ours(NamedTuple):
    """A connection whose other end is in this test."""

    connection: Any
    peer: socket.socket


@contextmanager
def a_connection() -> Iterator[Ours]:
    connection = redis.Connection()
    connection._sock, peer = socket.socketpair()
    with peer, connection._sock:
        yield Ours(connection, peer)
    connection._sock = None


@pytest.fixture
def ours() -> Iterator[Ours]:
    with a_connection() as made:
        yield made


def test_a_wait_ends_when_the_server_has_answered(ours: Ours) -> None:
    ours.peer.sendall(b"+PONG\r\n")

    assert Waits().wait(ours.connection, LONG_S) is True


def test_a_wait_ends_when_the_server_hangs_up(ours: Ours) -> None:
    ours.peer.close()

    assert Waits().wait(ours.connection, LONG_S) is True


def test_a_wait_for_nothing_ends_in_time(ours: Ours) -> None:
    with pytest.raises(TimeoutError, match="nothing came within"):
        Waits().wait(ours.connection, 0.01)


def test_a_wait_on_a_closed_connection_says_so() -> None:
    with pytest.raises(OSError, match="closed meanwhile"):
        Waits().wait(redis.Connection(), LONG_S)


def test_an_interrupt_ends_every_wait_that_is_under_way(ours: Ours) -> None:
    waits = Waits()
    with a_connection() as other, ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(waits.wait, each.connection, LONG_S) for each in (ours, other)]
        while len(waits._bells) < 2:
            threading.Event().wait(0.001)

        waits.interrupt()

        assert [each.result(LONG_S) for each in waiting] == [False, False]


def test_an_interrupt_before_any_wait_ends_the_next_one_and_only_that(ours: Ours) -> None:
    waits = Waits()

    waits.interrupt()
    waits.interrupt()

    assert waits.wait(ours.connection, LONG_S) is False
    with pytest.raises(TimeoutError):
        waits.wait(ours.connection, 0.01)


def test_an_interrupt_wins_over_an_answer(ours: Ours) -> None:
    waits = Waits()
    ours.peer.sendall(b"+PONG\r\n")

    waits.interrupt()

    assert waits.wait(ours.connection, LONG_S) is False
    assert waits.wait(ours.connection, LONG_S) is True


def test_waits_leave_no_open_descriptor(ours: Ours) -> None:
    waits = Waits()
    ours.peer.sendall(b"+PONG\r\n")
    waits.wait(ours.connection, LONG_S)
    before = os.dup(0)
    os.close(before)

    for _ in range(10):
        waits.wait(ours.connection, LONG_S)

    after = os.dup(0)
    os.close(after)
    assert after == before
