"""A child whose node has other orders than when it began."""

from __future__ import annotations

import threading

from msgspec.structs import replace

from celeriac.core.message import Message
from celeriac.worker.orders import Orders
from unit.worker.bench import Bench, PlainTask, a_message, an_outgoing


def sent_to(bench: Bench, queue: str) -> Message:
    message = a_message(id=f"for {queue}")
    bench.store.publish([an_outgoing(message, queue=queue)])
    return message


def test_a_child_fetches_from_the_queues_of_its_newest_orders() -> None:
    bench = Bench(PlainTask(lambda: None))
    child = bench.child()
    sent_to(bench, "other")
    assert child.step() == 0

    bench.book.write(Orders(queues=("other",)))

    assert child.step() == 1
    assert bench.states("for other") == ["SUCCESS"]


def test_a_child_leaves_a_queue_that_its_orders_do_not_name_any_more() -> None:
    bench = Bench(PlainTask(lambda: None))
    child = bench.child()
    sent_to(bench, "q")

    bench.book.write(Orders(queues=("other",)))

    assert child.step() == 0
    assert bench.store.depth(["q"]) == [1]


def test_new_orders_end_a_wait_for_messages_of_the_old_ones() -> None:
    bench = Bench(PlainTask(lambda: None))
    child = bench.child()
    waiting = threading.Thread(target=child.step, args=(60.0,))
    waiting.start()

    bench.book.write(Orders(queues=("other",)))
    child.look()

    waiting.join(10.0)
    assert not waiting.is_alive()


def test_time_limits_that_were_ordered_hold_for_the_next_run_instead_of_its_own() -> None:
    limits: list[tuple[float, float]] = []
    bench = Bench(PlainTask(lambda: limits.append((bench.slot.seat(0).soft_at, bench.slot.seat(0).hard_at)), time_limit=9.0))
    child = bench.child()
    orders = bench.book.read()[1]
    for ordered in ((None, None), (2.0, 3.0)):
        bench.book.write(replace(orders, time_limits={"shop.charge": ordered}))
        bench.send(a_message(str(ordered)))
        child.step()

    assert limits == [(0.0, 0.0), (bench.runtime.monotonic() + 2.0, bench.runtime.monotonic() + 3.0)]


def test_a_limit_of_the_call_itself_wins_over_what_was_ordered() -> None:
    limits: list[float] = []
    bench = Bench(PlainTask(lambda: limits.append(bench.slot.seat(0).hard_at)))
    child = bench.child()
    bench.book.write(replace(bench.book.read()[1], time_limits={"shop.charge": (None, 3.0)}))
    bench.send(a_message("a", time_limit=7.0))

    child.step()

    assert limits == [bench.runtime.monotonic() + 7.0]
