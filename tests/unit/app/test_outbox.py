"""The thread that publishes for coroutines: batches, errors, endings."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from celeriac.app.gathering import Gatherer
from celeriac.app.outbox import Outbox
from celeriac.core.errors import BrokerUnreachable
from celeriac.core.message import Outgoing, Parcel


def a_message(id: str) -> Outgoing:
    parcel = Parcel(body=b"", content_type="application/json", content_encoding="utf-8", headers={"id": id})
    return Outgoing(parcel=parcel, queue="q")


def test_coroutines_that_send_while_a_publish_runs_share_the_next_one() -> None:
    batches: list[list[str]] = []
    first_is_under_way, go_on = threading.Event(), threading.Event()

    def publish(messages: Sequence[Outgoing], deadline_s: float) -> None:
        batches.append([message.id for message in messages])
        first_is_under_way.set()
        assert go_on.wait(30)

    outbox = Outbox(publish)

    async def program() -> None:
        first = asyncio.create_task(outbox.publish([a_message("0")]))
        await asyncio.to_thread(first_is_under_way.wait, 30)
        others = [asyncio.create_task(outbox.publish([a_message(str(i))])) for i in range(1, 50)]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(first, *others)

    asyncio.run(program())
    outbox.close()

    assert batches == [["0"], [str(i) for i in range(1, 50)]]


def test_of_a_publish_that_broke_each_learns_whether_its_own_messages_are_in() -> None:
    def publish(messages: Sequence[Outgoing], deadline_s: float) -> None:
        error = BrokerUnreachable("gone")
        error.accepted = 0 if len(messages) == 1 else 2
        raise error

    outbox = Outbox(publish)

    async def program() -> tuple[BaseException | None, BaseException | None]:
        return await asyncio.gather(
            outbox.publish([a_message("a"), a_message("b")]), outbox.publish([a_message("c")]), return_exceptions=True
        )

    one, other = asyncio.run(program())
    outbox.close()

    assert one is None
    assert isinstance(other, BrokerUnreachable)


def test_an_error_that_nobody_expected_reaches_the_caller_too() -> None:
    def publish(messages: Sequence[Outgoing], deadline_s: float) -> None:
        raise ZeroDivisionError

    outbox = Outbox(publish)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(outbox.publish([a_message("a")]))
    outbox.close()


def test_what_has_gathered_is_handled_before_the_end_and_a_new_thread_begins_after_it() -> None:
    handled: list[int] = []
    gatherer: Gatherer[int] = Gatherer(handled.extend, name="test", limit=3)

    for number in range(10):
        gatherer.put(number)
    gatherer.close()
    before = list(handled)
    gatherer.put(10)
    gatherer.close()

    assert before == list(range(10))
    assert handled == list(range(11))
