"""How a node is: three questions, three answers."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from celeriac.worker.vitals import LIVE_S, Signs, live, progressing, ready

WELL = Signs(turned_s=0.3, announced=True, children=2, store_answers=True, stopping="", waiting=0, still_s=1000.0)
WINDOW_S = 300.0


def test_a_node_without_its_store_is_alive_and_not_ready() -> None:
    signs = replace(WELL, store_answers=False, waiting=None)

    answers = live(signs).ok, ready(signs).ok

    assert answers == (True, False)


def test_a_node_whose_supervisor_is_stuck_is_not_alive() -> None:
    signs = replace(WELL, turned_s=LIVE_S)

    finding = live(signs)

    assert not finding.ok


@pytest.mark.parametrize("change", [{"announced": False}, {"stopping": "warm"}, {"children": 0}, {"store_answers": False}])
def test_a_node_that_takes_no_work_is_not_ready(change: dict[str, object]) -> None:
    signs = replace(WELL, **change)

    finding = ready(signs)

    assert not finding.ok


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"waiting": 0}, True),
        ({"waiting": 7}, False),
        ({"waiting": 7, "still_s": WINDOW_S - 1}, True),
        ({"waiting": 7, "stopping": "warm"}, True),
        ({"waiting": None}, False),
        ({"waiting": None, "still_s": 1.0}, True),
    ],
)
def test_a_node_progresses_while_tasks_end_or_none_waits(change: dict[str, object], expected: bool) -> None:
    signs = replace(WELL, **change)

    finding = progressing(signs, window_s=WINDOW_S)

    assert finding.ok is expected
