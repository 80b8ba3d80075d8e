"""What follows when a node is asked to stop."""

from __future__ import annotations

import pytest

from celeriac.worker.stopping import Ask, Stage, Stopping, StopTerms

NOW = 100.0
FINISH, QUIT, RESTART = Ask.FINISH, Ask.QUIT, Ask.RESTART


def after(*asked: Ask, soft_s: float = 0.0, warm_s: float = 0.0, busy: bool = True, wait_s: float = 0.0) -> Stopping:
    """Return a stop of which each part was asked for and heeded, one after the other, and ``wait_s`` have passed since."""
    stopping = Stopping(StopTerms(soft_s=soft_s, warm_s=warm_s))
    for what in asked:
        stopping.ask(what, "SIGTERM")
        stopping.advance(NOW, is_busy=lambda: busy)
    stopping.advance(NOW + wait_s, is_busy=lambda: busy)
    return stopping


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([], Stage.WORK),
        ([FINISH], Stage.WARM),
        ([FINISH, FINISH], Stage.COLD),
        ([QUIT], Stage.COLD),
        ([FINISH, QUIT], Stage.COLD),
        ([RESTART], Stage.WARM),
        ([RESTART, RESTART], Stage.WARM),
        ([RESTART, FINISH], Stage.WARM),
        ([RESTART, FINISH, FINISH], Stage.COLD),
        ([RESTART, QUIT], Stage.COLD),
    ],
)
def test_the_first_word_is_warm_and_the_second_is_cold(asked: list[Ask], expected: Stage) -> None:
    stopping = after(*asked, wait_s=1e9)

    assert stopping.stage is expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [([QUIT], Stage.SOFT), ([FINISH, FINISH], Stage.SOFT), ([QUIT, QUIT], Stage.COLD), ([QUIT, FINISH], Stage.COLD)],
)
def test_where_there_is_time_for_it_a_soft_stop_comes_before_the_cold_one(asked: list[Ask], expected: Stage) -> None:
    stopping = after(*asked, soft_s=10.0, wait_s=9.9)

    assert stopping.stage is expected


def test_a_soft_stop_is_cold_when_its_time_is_over() -> None:
    stopping = after(QUIT, soft_s=10.0, wait_s=10.0)

    assert stopping.stage is Stage.COLD


def test_nothing_is_waited_for_where_nothing_runs() -> None:
    stopping = after(QUIT, soft_s=10.0, busy=False)

    assert stopping.stage is Stage.COLD


@pytest.mark.parametrize(("wait_s", "expected"), [(24.9, Stage.WARM), (25.0, Stage.COLD)])
def test_a_warm_stop_with_a_deadline_is_cold_after_it(wait_s: float, expected: Stage) -> None:
    stopping = after(FINISH, warm_s=25.0, wait_s=wait_s)

    assert stopping.stage is expected


def test_a_soft_stop_does_not_put_off_the_deadline_of_the_warm_one() -> None:
    stopping = after(FINISH, QUIT, warm_s=5.0, soft_s=10.0)

    left_s = stopping.left_s(NOW)

    assert (stopping.stage, left_s) == (Stage.SOFT, 5.0)


@pytest.mark.parametrize(("asked", "restarts"), [([RESTART], True), ([RESTART, FINISH], False), ([FINISH, RESTART], False)])
def test_who_is_to_stop_for_good_does_not_begin_again(asked: list[Ask], restarts: bool) -> None:
    stopping = after(*asked)

    assert stopping.restarts is restarts


def test_each_stage_is_told_once() -> None:
    stopping = Stopping()
    stopping.ask(FINISH, "SIGTERM")

    told = [stopping.advance(NOW + second, is_busy=lambda: True) for second in range(3)]

    assert told == [True, False, False]


def test_two_words_before_the_first_look_count_as_two() -> None:
    stopping = Stopping()
    stopping.ask(FINISH, "SIGINT")
    stopping.ask(FINISH, "SIGINT")

    stopping.advance(NOW, is_busy=lambda: True)

    assert stopping.stage is Stage.COLD
