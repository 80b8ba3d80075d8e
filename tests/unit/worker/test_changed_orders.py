"""A child whose node has other orders than when it began."""

from __future__ import annotations

import threading

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
