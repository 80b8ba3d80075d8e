"""Dates of limited task types, shared by the processes of a node."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

import pytest

from celeriac.worker.throttle import Throttle

fork = multiprocessing.get_context("fork")


def test_all_processes_share_one_rate() -> None:
    throttle = Throttle()

    def child(sender: Connection) -> None:
        sender.send(sum(throttle.begin("shop.charge", 4000.0, now=1000.0) for _ in range(1000)))

    counts = in_processes(4, child)

    # What may be early by a quarter of a second, and one.
    assert sum(counts) == pytest.approx(1001, abs=1)
    assert throttle.look("shop.charge")[1] == sum(counts)


def test_each_type_has_a_date_of_its_own() -> None:
    throttle = Throttle()

    began = [throttle.begin(task, 1.0, now=1000.0) for task in ("a", "b", "a", "b", "\udcff")]

    assert began == [True, True, False, False, True]


def test_types_that_are_met_in_different_orders_are_the_same() -> None:
    throttle = Throttle()
    names = [f"task-{number}" for number in range(200)]

    def child(sender: Connection) -> None:
        sender.send(sum(throttle.begin(name, 1.0, now=1000.0) for name in reversed(names)))

    ours = sum(throttle.begin(name, 1.0, now=1000.0) for name in names[:100])
    [theirs] = in_processes(1, child)

    assert (ours, theirs) == (100, 100)


def test_a_process_that_is_killed_while_it_has_the_lock_keeps_nobody_out() -> None:
    throttle = Throttle()

    def child(sender: Connection) -> None:
        with throttle._locked():
            sender.send(1)
            signal.pause()

    receiver, sender = fork.Pipe(duplex=False)
    process = fork.Process(target=child, args=(sender,))
    process.start()
    receiver.recv()
    waiting = threading.Thread(target=throttle.begin, args=("a", 1.0, 1000.0))
    waiting.start()
    assert process.pid is not None

    os.kill(process.pid, signal.SIGKILL)
    process.join()
    waiting.join(10)

    assert throttle.look("a")[1] == 1


def test_threads_of_one_process_do_not_begin_the_same_run() -> None:
    throttle = Throttle()
    began: list[bool] = []

    def work() -> None:
        began.extend(throttle.begin("a", 4000.0, now=1000.0) for _ in range(500))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(began) == pytest.approx(1001, abs=1)


def in_processes(count: int, child: Callable[[Connection], None]) -> list[int]:
    """Run ``child`` in so many forks; return what each of them has sent."""
    pipes = [fork.Pipe(duplex=False) for _ in range(count)]
    processes = [fork.Process(target=child, args=(sender,)) for _, sender in pipes]
    for process in processes:
        process.start()
    answers = [receiver.recv() for receiver, _ in pipes]
    for process in processes:
        process.join()
    return answers
