"""Delayed tasks live in the store: they are on time when many are due at once, and cost a node nothing while they wait."""

from __future__ import annotations

import time

import pytest

from system.fleet import Fleet
from system.processes import pss_kib

DUE = 5_000
WITHIN_S = 5.0
LATENESS_P99_S = 1.0
FAR = 20_000
GROWTH_KIB = 3 * 1024


@pytest.mark.timeout(120)
@pytest.mark.alone
def test_five_thousand_tasks_due_within_five_seconds_are_on_time(fleet: Fleet) -> None:
    fleet.start("-c", "2", "-l", "WARNING", wait=False)
    results = []
    first = time.time() + 4.0
    for part in range(50):
        due = first + part * WITHIN_S / 50
        results.append(fleet.send_many("due", [(due,)] * (DUE // 50), countdown=due - time.time()))

    sent_in_time = time.time() < first
    lateness = sorted(late for result in results for late in result.get(timeout=30))

    p50, p99 = lateness[DUE // 2], lateness[DUE * 99 // 100]
    print(f"late by {p50:.3f} s (p50), {p99:.3f} s (p99)")
    assert sent_in_time
    assert lateness[0] >= -0.001
    assert p99 < LATENESS_P99_S


@pytest.mark.timeout(120)
@pytest.mark.alone
def test_tasks_an_hour_away_cost_a_node_no_memory(fleet: Fleet) -> None:
    node = fleet.start("-c", "2")
    fleet.send_many("add", [(i, i) for i in range(500)]).get(timeout=10)
    family = [process.pid for process in node.family()]
    before = sum(pss_kib(pid) for pid in family)

    for part in range(0, FAR, 2_000):
        fleet.send_many("early", [(f"{part + i}",) for i in range(2_000)], countdown=3600)
    fleet.send_many("add", [(i, i) for i in range(500)]).get(timeout=10)
    after = sum(pss_kib(pid) for pid in family)

    print(f"{before} KiB before, {after} KiB after")
    assert fleet.client.store.scheduled() == FAR
    assert after - before < GROWTH_KIB
    assert not fleet.entries()
