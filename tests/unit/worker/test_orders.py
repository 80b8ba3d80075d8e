"""The standing orders of a node, written by one process and read by others."""

from __future__ import annotations

import os

import pytest

from celeriac.worker.orders import SIZE, OrderBook, Orders

FIRST = Orders(queues=("celery",))
SECOND = Orders(
    queues=("a", "b"),
    task_events=True,
    rate_limits={"add": "10/m", "mul": None},
    time_limits={"add": (1.5, 3.0), "mul": (None, None)},
)


def test_the_first_orders_are_there_from_the_beginning() -> None:
    book = OrderBook(FIRST)

    revision, orders = book.read()

    assert (revision, orders) == (book.revision, FIRST)


def test_new_orders_bear_another_revision() -> None:
    book = OrderBook(FIRST)
    before = book.revision

    book.write(SECOND)

    assert book.read() == (book.revision, SECOND)
    assert book.revision != before


def test_shorter_orders_leave_nothing_of_longer_ones() -> None:
    book = OrderBook(SECOND)

    book.write(FIRST)

    assert book.read()[1] == FIRST


def test_orders_that_do_not_fit_are_refused_and_change_nothing() -> None:
    book = OrderBook(FIRST)
    before = book.revision

    with pytest.raises(ValueError, match="at most"):
        book.write(Orders(queues=("q" * SIZE,)))

    assert book.read() == (before, FIRST)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_reads_what_was_written_after_it_began() -> None:
    book, (reader, writer) = OrderBook(FIRST), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(reader, 1)
        os._exit(0 if book.read()[1] == SECOND else 1)

    book.write(SECOND)
    os.write(writer, b"!")

    assert os.waitpid(pid, 0)[1] == 0
    os.close(reader)
    os.close(writer)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_reader_never_sees_orders_that_are_half_written() -> None:
    book = OrderBook(FIRST)
    variants = [
        Orders(queues=tuple(f"{letter}{i}" for i in range(count))) for letter, count in (("a", 500), ("b", 3), ("c", 2000))
    ]
    pid = os.fork()
    if pid == 0:
        for round in range(3000):
            book.write(variants[round % 3])
        os._exit(0)

    seen = []
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        seen.append(book.read()[1])

    assert seen
    assert all(orders in (FIRST, *variants) for orders in seen)
