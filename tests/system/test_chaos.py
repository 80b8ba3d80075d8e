"""Children and nodes die at any moment: every task ends, none that acks late is lost, none that acks early runs twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from signal import SIGKILL

import pytest

from celeriac import WorkerLostError, states
from system.fleet import Fleet
from system.killer import Killer
from system.patience import eventually
from system.processes import send

CONCURRENCY = 4
FINAL = {states.SUCCESS, states.FAILURE}


@dataclass(frozen=True)
class Sent:
    """What was sent: key of the journal -> id of the task."""

    early: dict[str, str]
    late: dict[str, str]

    @property
    def ids(self) -> list[str]:
        """All ids."""
        return [*self.early.values(), *self.late.values()]


def publish(fleet: Fleet, count: int, *, seconds: float) -> Sent:
    """Publish ``count`` tasks, in turns one that acks early and one that acks late."""
    early: dict[str, str] = {}
    late: dict[str, str] = {}
    for part in range(0, count, 1000):
        keys = [f"{number}" for number in range(part, min(part + 1000, count))]
        for task, ids, chosen in (("early", early, keys[::2]), ("late", late, keys[1::2])):
            sent = fleet.send_many(task, [(key, seconds) for key in chosen])
            ids.update(zip(chosen, (result.id for result in sent), strict=True))
    return Sent(early, late)


def unfinished(fleet: Fleet, ids: Sequence[str]) -> Counter[str]:
    """Return how many of these tasks are in which state that is not final."""
    return Counter({state: number for state, number in fleet.states(ids).items() if state not in FINAL})


def check_books(fleet: Fleet, sent: Sent) -> tuple[int, int]:
    """Hold the journal against results and dead letters; return how many began twice, and how many early ones were lost."""
    begun, ended = fleet.times("begin"), fleet.times("end")
    lost_early = [id for key, id in sent.early.items() if not ended[key]]
    dead = {letter.task_id for letter in fleet.dead_letters()}
    assert [key for key in sent.late if not ended[key]] == [], "late-acked tasks that were never executed"
    assert [key for key in sent.early if begun[key] > 1] == [], "early-acked tasks that were executed twice"
    assert set(lost_early) <= dead <= set(sent.early.values())
    for id in lost_early:
        error = fleet.client.AsyncResult(id).get(timeout=1, propagate=False)
        assert isinstance(error, WorkerLostError)
    return sum(1 for key in sent.late if begun[key] > 1), len(lost_early)


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(2_000, marks=pytest.mark.timeout(90)),
        pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(300)]),
    ],
)
def test_whoever_is_killed_every_task_ends_and_none_is_lost(
    fleet: Fleet, count: int, record_property: Callable[[str, object], None]
) -> None:
    sent = publish(fleet, count, seconds=0.01)
    first = fleet.start("-c", str(CONCURRENCY))
    killer = Killer(first, seed=count)
    killer.start()
    eventually(lambda: len(fleet.times("begin")) > count * 0.6, within_s=120, what="most tasks have begun")
    killer.stop()

    first.kill()
    first.wait_until_gone()
    second = fleet.start("-c", str(CONCURRENCY))
    eventually(lambda: not unfinished(fleet, sent.ids), within_s=60, what="every task in a final state")
    code = second.stop()

    doubled, lost_early = check_books(fleet, sent)
    kills = killer.kills + CONCURRENCY
    for name, value in (("kills", kills), ("doubled", doubled), ("lost early", lost_early)):
        record_property(name, value)
        print(f"{name}: {value}")
    assert code == 0
    assert doubled <= kills


@pytest.mark.timeout(90)
@pytest.mark.parametrize("pool", ["threads", "asyncio"])
def test_a_child_of_many_slots_may_be_killed_too(fleet: Fleet, pool: str) -> None:
    slots, count = 8, 600
    sent = publish(fleet, count, seconds=0.05)
    first = fleet.start("-P", pool, "-c", str(slots))
    killer = Killer(first, seed=count)
    killer.start()
    eventually(lambda: len(fleet.times("begin")) > count * 0.6, within_s=60, what="most tasks have begun")
    killer.stop()

    first.kill()
    fleet.start("-P", pool, "-c", str(slots))
    eventually(lambda: not unfinished(fleet, sent.ids), within_s=60, what="every task in a final state")

    doubled, _ = check_books(fleet, sent)
    assert doubled <= (killer.kills + 1) * slots


def test_a_killed_supervisor_takes_its_family_with_it(fleet: Fleet) -> None:
    node = fleet.start("-c", "2")

    node.kill()

    node.wait_until_gone(within_s=2)


def test_a_node_without_its_template_ends_and_says_so(fleet: Fleet) -> None:
    node = fleet.start("-c", "2")
    running = fleet.send("late", "running", 1.0)
    eventually(lambda: fleet.times("begin"), what="the task runs")

    send(node.template(), SIGKILL)
    code = node.process.wait(10)
    node.wait_until_gone()
    fleet.start("-c", "1")

    assert code == 1
    assert "template" in node.log
    assert running.get(timeout=10) == "running"
