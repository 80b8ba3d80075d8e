"""A node keeps its lease and buries the dead: its own children, and those of nodes that fell silent."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from celeriac.abc import HANDS, Lessee
from celeriac.core.errors import BrokerUnreachable, WorkerLostError
from celeriac.core.message import Delivery
from celeriac.core.settlement import Done, Settlement
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import VirtualRuntime
from celeriac.worker.leases import TICK_S, DeadChild, EndedRun
from celeriac.worker.recovery import Death, Ending
from unit.worker.bench import ME, NODE, Bench, PlainTask, a_message

KILLED = Death("signal SIGKILL")
OTHER = "node-2"


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "celeriac")


@pytest.fixture
def bench() -> Bench:
    return Bench(PlainTask(lambda: None, "early"), PlainTask(lambda: None, "late", acks_late=True))


class Forgetful(MemoryStore):
    """Adopts, and loses the answer, when it is told to."""

    def __init__(self, *, runtime: VirtualRuntime) -> None:
        super().__init__(runtime=runtime)
        self.losing_adoptions = 0

    def adopt(self, lost: Lessee, *, by: Lessee, limit: int = 1000) -> Sequence[Delivery]:
        answer = super().adopt(lost, by=by, limit=limit)
        if self.losing_adoptions:
            self.losing_adoptions -= 1
            raise BrokerUnreachable("the answer was lost")
        return answer


def a_forgetful_bench() -> tuple[Bench, Forgetful]:
    bench = Bench(PlainTask(lambda: None, "early"), PlainTask(lambda: None, "late", acks_late=True))
    store = Forgetful(runtime=bench.runtime)
    bench.store = store
    bench.keep()
    return bench, store


def silence(bench: Bench, *, of: str) -> None:
    """Let everybody but one node speak until the lease of that one has ended."""
    survivors = {NODE, OTHER} - {of}
    for _ in range(16):
        bench.runtime.advance(2)
        for node in survivors:
            bench.keep(node)


def test_a_tick_keeps_the_node_alive(bench: Bench) -> None:
    leases = bench.leases()

    for _ in range(100):
        bench.runtime.advance(TICK_S)
        leases.tick()

    assert [record.node for record in bench.store.nodes()] == [f"celery@{NODE}"]


def test_a_tick_says_how_long_to_doze(bench: Bench) -> None:
    leases = bench.leases()

    idle_s = leases.tick()
    bench.send(a_message("a"), eta=bench.later(0.25))
    soon_s = leases.tick()

    assert idle_s == TICK_S
    assert soon_s == pytest.approx(0.25)


def test_with_a_short_lease_a_lonely_node_still_finds_the_dead(bench: Bench) -> None:
    bench.store.keep(OTHER, name=OTHER, info={}, queues=["q"], lease_s=2.0)
    bench.send(a_message("a", "late"))
    bench.take(Lessee(OTHER, "0.1"))
    leases = bench.leases(lease_s=2.0)

    for _ in range(20):
        bench.runtime.advance(leases.tick())

    assert bench.waiting() == 1


def test_what_a_dead_child_had_not_begun_goes_back_as_it_was(bench: Bench) -> None:
    bench.send(a_message("a", "early"), a_message("b", "late"))
    before = [delivery.raw for delivery in bench.take()]
    leases = bench.leases()

    leases.child_died(DeadChild(ME, started=0, running=(), death=KILLED))
    leases.tick()

    assert [delivery.raw for delivery in bench.take()] == before
    assert bench.reasons() == []


def test_what_a_dead_child_had_begun_runs_again_if_it_acknowledges_late_and_is_lost_if_early(bench: Bench) -> None:
    bench.send(a_message("a", "early"), a_message("b", "late"), a_message("c", "early"))
    [first, second, third] = bench.take()
    leases = bench.leases()

    leases.child_died(DeadChild(ME, started=second.tag, running=(second.tag,), death=KILLED))
    leases.tick()

    [back, untouched] = bench.take()
    message = bench.reader.message(back)
    assert (message.id, message.deliveries, message.redelivered) == ("b", 1, True)  # type: ignore[union-attr]
    assert untouched.raw == third.raw
    assert bench.reasons() == ["worker-lost"]
    assert isinstance(bench.meta("a").result, WorkerLostError)
    assert first.tag < second.tag


def test_what_a_silent_node_held_counts_as_begun(bench: Bench) -> None:
    bench.keep(OTHER)
    bench.send(a_message("a", "early"), a_message("b", "late"))
    bench.take(Lessee(OTHER, "0.1"))
    silence(bench, of=OTHER)

    bench.leases().tick()

    assert bench.reasons() == ["worker-lost"]
    assert bench.reader.message(bench.take()[0]).deliveries == 1  # type: ignore[union-attr]


def test_what_a_silent_node_only_carried_has_not_begun(bench: Bench) -> None:
    bench.keep(OTHER)
    bench.send(a_message("a", "early"))
    bench.take(Lessee(OTHER, HANDS))
    silence(bench, of=OTHER)

    bench.leases().tick()

    assert bench.reasons() == []
    assert bench.reader.message(bench.take()[0]).deliveries == 0  # type: ignore[union-attr]


def test_a_burial_whose_answer_was_lost_is_made_again() -> None:
    bench, store = a_forgetful_bench()
    bench.send(a_message("a", "late"))
    [delivery] = bench.take()
    leases = bench.leases()
    leases.child_died(DeadChild(ME, started=delivery.tag, running=(), death=KILLED))
    store.losing_adoptions = 1

    with pytest.raises(BrokerUnreachable):
        leases.tick()

    assert leases.has_dead
    leases.tick()
    assert (bench.waiting(), leases.has_dead) == (1, False)


def test_an_orphan_is_buried_although_the_answer_of_its_adoption_was_lost() -> None:
    # It holds nothing any more, so no pulse names it again; what it held is ours, and nobody else would look for it.
    bench, store = a_forgetful_bench()
    bench.keep(OTHER)
    bench.send(a_message("a", "late"))
    bench.take(Lessee(OTHER, "0.1"))
    silence(bench, of=OTHER)
    leases = bench.leases()
    store.losing_adoptions = 1

    with pytest.raises(BrokerUnreachable):
        leases.tick()
    leases.tick()

    assert bench.waiting() == 1


def test_a_node_that_stops_ends_a_burial_that_was_broken_off() -> None:
    bench, store = a_forgetful_bench()
    bench.keep(OTHER)
    bench.send(a_message("a", "late"))
    bench.take(Lessee(OTHER, "0.1"))
    silence(bench, of=OTHER)
    leases = bench.leases()
    store.losing_adoptions = 1
    with pytest.raises(BrokerUnreachable):
        leases.tick()

    leases.bury_children()

    assert bench.waiting() == 1


def test_a_node_that_came_back_keeps_what_it_has_fetched_since() -> None:
    bench, store = a_forgetful_bench()
    bench.keep(OTHER)
    returned = Lessee(OTHER, "0.1")
    bench.send(a_message("a", "late"), a_message("b", "late"))
    bench.take(returned, limit=1)
    silence(bench, of=OTHER)
    leases = bench.leases()
    store.losing_adoptions = 1
    with pytest.raises(BrokerUnreachable):
        leases.tick()

    bench.keep(OTHER)
    [fresh] = bench.take(returned, limit=1)
    leases.tick()

    [held] = store.adopt(returned, by=Lessee(OTHER, "heir"))
    assert held.tag == fresh.tag
    assert bench.waiting() == 1


def test_children_of_one_name_on_two_nodes_are_told_apart() -> None:
    # Our child had not begun, the orphan may have: what became of the one must not be judged by the other.
    bench, store = a_forgetful_bench()
    bench.keep(OTHER)
    bench.send(a_message("theirs", "early"), a_message("ours", "early"))
    bench.take(Lessee(OTHER, ME.child), limit=1)
    bench.take(ME, limit=1)
    silence(bench, of=OTHER)
    leases = bench.leases()
    store.losing_adoptions = 1
    with pytest.raises(BrokerUnreachable):
        leases.tick()

    leases.child_died(DeadChild(ME, started=0, running=(), death=KILLED))
    leases.tick()

    assert [letter.task_id for letter in store.dead_letters()] == ["theirs"]
    assert [bench.reader.message(delivery).id for delivery in bench.take()] == ["ours"]  # type: ignore[union-attr]


def test_a_hard_time_limit_ends_the_running_task_and_no_other(bench: Bench) -> None:
    bench.send(a_message("a", "late"), a_message("b", "late"))
    [first, second] = bench.take()
    leases = bench.leases()

    leases.child_died(
        DeadChild(ME, started=second.tag, running=(second.tag,), death=KILLED, endings={second.tag: Ending(hard_s=5.0)})
    )
    leases.tick()

    assert first.tag < second.tag
    assert bench.states("a", "b") == ["PENDING", "FAILURE"]
    assert [bench.reader.message(delivery).id for delivery in bench.take()] == ["a"]  # type: ignore[union-attr]


def given_up(tag: int) -> EndedRun:
    return EndedRun(ME, tag, Ending(hard_s=5.0))


def test_a_run_that_is_given_up_is_settled_for_a_child_that_keeps_the_others(bench: Bench) -> None:
    bench.send(a_message("a", "late"), a_message("b", "late"))
    [first, second] = bench.take()
    leases = bench.leases()

    leases.run_ended(given_up(first.tag))
    leases.tick()

    held = bench.store.adopt(ME, by=ME, limit=0)
    assert bench.states("a", "b") == ["FAILURE", "PENDING"]
    assert ([delivery.tag for delivery in held], leases.has_dead) == ([second.tag], False)


def test_what_a_child_has_settled_itself_is_not_given_up_any_more(bench: Bench) -> None:
    bench.send(a_message("a", "late"))
    [delivery] = bench.take()
    leases, told = bench.leases(on_lost=lambda request, _error: told.append(request.message.id)), list[str]()
    bench.store.settle([Settlement(tag=delivery.tag, fate=Done())], lessee=ME)

    leases.run_ended(given_up(delivery.tag))
    leases.tick()

    assert (told, bench.states("a"), leases.has_dead) == ([], ["PENDING"], False)


def test_the_end_of_a_task_that_was_terminated_is_told_with_its_signal(bench: Bench) -> None:
    bench.send(a_message("a", task="early"))
    [delivery] = bench.take()
    told: list[tuple[str, int]] = []
    leases = bench.leases(on_terminated=lambda request, signum: told.append((request.message.id, signum)))

    leases.child_died(DeadChild(ME, delivery.tag, (delivery.tag,), KILLED, {delivery.tag: Ending(signum=15)}))
    leases.tick()

    assert (told, bench.states("a")) == ([("a", 15)], ["REVOKED"])


def test_a_second_thread_that_buries_the_same_child_does_no_harm() -> None:
    # A node that stops buries what its children left although its keeper still waits for the store in the same place.
    bench = Bench(PlainTask(lambda: None, "late", acks_late=True))

    class Reentered(MemoryStore):
        def adopt(self, lost: Lessee, *, by: Lessee, limit: int = 1000) -> Sequence[Delivery]:
            if not entered:
                entered.append(True)
                leases.bury_children()
            return super().adopt(lost, by=by, limit=limit)

    entered: list[bool] = []
    bench.store = Reentered(runtime=bench.runtime)
    bench.keep()
    bench.send(a_message("a", "late"), a_message("b", "late"))
    bench.take(ME, limit=1)
    bench.take(Lessee(NODE, "1.1"), limit=1)
    leases = bench.leases()
    for child in (ME, Lessee(NODE, "1.1")):
        leases.child_died(DeadChild(child, started=0, running=(), death=KILLED))

    leases.bury_children()

    assert (bench.waiting(), leases.has_dead) == (2, False)


def test_tasks_that_failed_with_their_process_are_told_and_those_that_run_again_are_not(bench: Bench) -> None:
    bench.send(
        a_message("a", task="early"), a_message("b", task="late"), a_message("c", task="early"), a_message("d", task="early")
    )
    _, _, third, _ = bench.take()
    lost: list[tuple[str, str]] = []
    leases = bench.leases(on_lost=lambda request, error: lost.append((request.message.id, type(error).__name__)))

    leases.child_died(
        DeadChild(ME, started=third.tag, running=(third.tag,), death=KILLED, endings={third.tag: Ending(hard_s=5.0)})
    )
    leases.tick()

    assert lost == [("a", "WorkerLostError"), ("c", "TimeLimitExceeded")]


def test_the_end_of_a_task_by_its_hard_limit_is_logged_with_its_id(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "celeriac")
    bench.send(a_message("a", task="early"))
    [delivery] = bench.take()
    leases = bench.leases()

    leases.child_died(
        DeadChild(ME, started=delivery.tag, running=(delivery.tag,), death=KILLED, endings={delivery.tag: Ending(hard_s=5.0)})
    )
    leases.tick()

    assert [record.getMessage() for record in caplog.records] == ["Task early[a] failed: hard time limit (5 s) exceeded"]


def test_whoever_fails_to_hear_of_a_lost_task_does_not_keep_the_others_from_their_burial(bench: Bench) -> None:
    bench.send(a_message("a", task="early"), a_message("b", task="early"))
    _, second = bench.take()

    def broken(*_: object) -> None:
        raise ValueError("broken")

    leases = bench.leases(on_lost=broken)
    leases.child_died(DeadChild(ME, started=second.tag, running=(second.tag,), death=KILLED))
    leases.tick()

    assert not leases.has_dead
    assert [bench.meta(id).status for id in ("a", "b")] == ["FAILURE", "FAILURE"]
