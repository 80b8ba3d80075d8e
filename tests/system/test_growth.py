"""A node that has done much is no larger than one that has done a little: nothing is kept of what is over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from celeriac import states
from system.fleet import Fleet, Node
from system.patience import eventually
from system.processes import pss_kib

FINAL = {states.SUCCESS, states.FAILURE, states.REVOKED}
PART = 1_500
"""Tasks that are sent and awaited together."""
TIMED_OUT_EACH = 1_000


def do_some(fleet: Fleet, start: int, count: int) -> None:
    """Have ``count`` tasks done that end in every way there is."""
    numbers = range(start, start + count)
    sent = [
        *fleet.send_many("add", [(number, 1) for number in numbers if number % 10 < 7]),
        *fleet.send_many("fail", [("as it should",) for number in numbers if number % 10 == 7]),
        *fleet.send_many("flaky", [(1,) for number in numbers if number % 10 == 8]),
        *fleet.send_many("over_the_limit_soon", [(str(number),) for number in numbers if not number % TIMED_OUT_EACH]),
    ]
    revoked = fleet.send_many("add", [(number, 1) for number in numbers if number % 10 == 9], countdown=1.0)
    revoked.revoke()
    ids = [result.id for result in [*sent, *revoked]]
    eventually(lambda: sum(fleet.states(ids)[state] for state in FINAL) == len(ids), within_s=60, what="every end")
    fleet.client.results.forget(ids)


def sizes(node: Node) -> dict[str, int]:
    """Return the memory of the processes of a node, in KiB."""
    alone = {"supervisor": pss_kib(node.pid), "template": pss_kib(node.template())}
    return {**alone, "children": sum(pss_kib(pid) for pid in node.children())}


@pytest.mark.alone
@pytest.mark.parametrize(
    ("count", "growth"),
    [
        pytest.param(6_000, 0.25, marks=pytest.mark.timeout(120)),
        pytest.param(200_000, 0.05, marks=[pytest.mark.long, pytest.mark.timeout(1800)]),
    ],
)
def test_a_node_does_not_grow_with_what_it_has_done(
    fleet: Fleet, count: int, growth: float, record_property: Callable[[str, object], None]
) -> None:
    node = fleet.start("-c", "2", "-l", "CRITICAL", wait=False)
    warm = count // 4
    for start in range(0, warm, PART):
        do_some(fleet, start, PART)
    before = sizes(node)

    for start in range(warm, count, PART):
        do_some(fleet, start, PART)

    after = sizes(node)
    for kind, size in after.items():
        record_property(kind, f"{before[kind]} -> {size} KiB")
        print(kind, before[kind], "->", size, "KiB")
    assert all(after[kind] < before[kind] * (1 + growth) for kind in after), (before, after)
