# ruff: noqa: D102  (the name of a test says what it promises)
"""The chapter of the contract on many callers: threads on one object, and a forked process."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from celeriac.abc import Lessee, Store
from celeriac.core.settlement import Settled
from celeriac.testing.conformance.subject import (
    Contract,
    Subject,
    a_result,
    an_outgoing,
    done,
    id_of,
    take,
    take_ids,
)

PUBLISHERS = CONSUMERS = 4
EACH = 2500
BATCH = 100


class Crowds(Contract):
    """Any thread may call, and a forked child that has called ``abandon``."""

    def test_ten_thousand_messages_among_eight_threads_are_settled_once_each(self, store: Store, me: Lessee) -> None:
        def publish(publisher: int) -> None:
            for start in range(0, EACH, BATCH):
                store.publish([an_outgoing(f"{publisher}-{number}") for number in range(start, start + BATCH)])

        def consume(consumer: int) -> list[str]:
            lessee = Lessee(me.node, f"child-{consumer}")
            settled: list[str] = []
            while deliveries := store.fetch(["q"], lessee=lessee, limit=BATCH, wait_s=2.0).deliveries:
                answers = store.settle([done(one, result=a_result(id_of(one))) for one in deliveries], lessee=lessee)
                pairs = zip(deliveries, answers, strict=True)
                settled += [id_of(delivery) for delivery, answer in pairs if answer is Settled.APPLIED]
            return settled

        with ThreadPoolExecutor(PUBLISHERS + CONSUMERS) as pool:
            consuming = [pool.submit(consume, consumer) for consumer in range(CONSUMERS)]
            publishing = [pool.submit(publish, publisher) for publisher in range(PUBLISHERS)]
            for future in publishing:
                future.result()
            settled = Counter(id for future in consuming for id in future.result())

        expected = [f"{publisher}-{number}" for publisher in range(PUBLISHERS) for number in range(EACH)]
        assert settled == Counter(expected)
        assert None not in store.load(expected)

    def test_an_object_that_abandoned_its_connections_works_on(self, store: Store, me: Lessee) -> None:
        store.publish([an_outgoing("a")])

        store.abandon()

        assert take_ids(store, me) == ["a"]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
    def test_a_forked_child_and_its_parent_do_not_disturb_each_other(self, subject: Subject, store: Store, me: Lessee) -> None:
        if not subject.processes:
            pytest.skip("this storage belongs to one process")
        store.publish([an_outgoing("before")])
        [before] = take(store, me)

        child = fork_and_publish(store, an_id="from-child")
        store.publish([an_outgoing("from-parent")])
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        assert sorted(take_ids(store, me)) == ["from-child", "from-parent"]
        assert list(store.settle([done(before)], lessee=me)) == [Settled.APPLIED]


def fork_and_publish(store: Store, *, an_id: str) -> int:
    """Publish one message in a forked child that ends at once; return its process id."""
    with warnings.catch_warnings():
        # Python warns of forks beside threads. To be safe there is what abandon promises.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    code = 1
    try:
        store.abandon()
        store.publish([an_outgoing(an_id)])
        code = 0
    finally:
        os._exit(code)
