"""When a child lingers before it fetches."""

from __future__ import annotations

from celeriac.worker.pace import LINGER_S, Pace


def paced(count: int, gap_s: float, fetches: int = 200) -> tuple[Pace, float]:
    pace, now = Pace(), 100.0
    for _ in range(fetches):
        now += gap_s
        pace.saw(count, now)
    return pace, now


def test_few_messages_are_fetched_at_once() -> None:
    pace, now = paced(count=3, gap_s=0.1)

    pause = pace.pause_s(now)

    assert pause == 0.0


def test_many_messages_are_worth_a_moment() -> None:
    pace, now = paced(count=2, gap_s=0.0005)

    pause = pace.pause_s(now)

    assert 0 < pause <= LINGER_S


def test_a_caller_who_waits_for_each_result_in_turn_is_never_kept_waiting() -> None:
    pace, now = paced(count=1, gap_s=0.0003)

    pause = pace.pause_s(now)

    assert pause == 0.0


def test_the_moment_counts_from_the_last_fetch() -> None:
    pace, now = paced(count=2, gap_s=0.0005)

    pause = pace.pause_s(now + 2 * LINGER_S)

    assert pause == 0.0


def test_when_the_rush_is_over_nothing_lingers() -> None:
    pace, now = paced(count=2, gap_s=0.0005)

    pace.saw(2, now + 1.0)

    assert pace.pause_s(now + 1.0) == 0.0
