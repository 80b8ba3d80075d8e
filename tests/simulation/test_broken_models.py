"""The simulation can fail: stores with known mistakes are caught within a few worlds."""

from __future__ import annotations

import pytest

from celeriac.testing.simulation import Model, Scale, simulate
from simulation.broken import (
    AdoptsAsIfNothingHadRun,
    CountsBlindly,
    EachTimeFromTheStart,
    EverySuccessIsWelcome,
    ForgetsWhoWasLast,
    HearsTheLate,
    InOrderOfArrival,
    LeavesSomeAside,
    NeverTidiesUp,
    NoFencing,
    NoRenewal,
    ParksTooLate,
    PausesInWordsOnly,
    PopThenNote,
    RobsTheLiving,
    SeveralAreLast,
    TellsNobody,
)

WORLDS = 60
PAUSES = Scale(tasks=120, workflows=0, fault_rate=0.1, pauses=200)
WORKFLOWS = Scale(tasks=4, workflows=10, fault_rate=0.1)


def is_caught(model: Model, noticed: str, scale: Scale | None = None) -> bool:
    """Say whether a world ends with these words within the first few."""
    reports = (simulate(seed, scale, model=model) for seed in range(WORLDS))
    return any(noticed in report.violation for report in reports if report.violation is not None)


@pytest.mark.parametrize(
    ("model", "noticed"),
    [
        (PopThenNote, "there are 0 copies of it"),
        (NoRenewal, "is called dead, and its node was heard"),
        (NoFencing, "came to its end twice"),
        (EachTimeFromTheStart, "there are 2 copies of it"),
        (EverySuccessIsWelcome, "its result was overwritten"),
        (LeavesSomeAside, "there are 0 copies of it"),
        (PausesInWordsOnly, "which is paused"),
        (TellsNobody, "was paused, and was started"),
    ],
    ids=lambda case: case.__name__ if isinstance(case, type) else "",
)
def test_a_broken_store_is_caught(model: Model, noticed: str) -> None:
    assert is_caught(model, noticed)


@pytest.mark.parametrize(
    ("model", "noticed"),
    [
        (CountsBlindly, "have not succeeded"),
        (SeveralAreLast, "was completed twice"),
        (ForgetsWhoWasLast, "was settled without a word of its body"),
        (AdoptsAsIfNothingHadRun, "and 0 are there to call its body"),
        (InOrderOfArrival, "was not called with"),
        (NeverTidiesUp, "is left with"),
    ],
    ids=lambda case: case.__name__ if isinstance(case, type) else "",
)
def test_a_store_that_breaks_workflows_is_caught(model: Model, noticed: str) -> None:
    assert is_caught(model, noticed, WORKFLOWS)


def test_a_store_that_robs_a_node_that_came_back_is_caught() -> None:
    # So seldom that it has a world of its own: a lease ends, and the node speaks before the adoption.
    scale = Scale(nodes=4, tasks=30, workflows=0, faults_s=300, fault_rate=0.04, incidents=30, pauses=0)

    report = simulate(1023, scale, model=RobsTheLiving)

    assert report.violation is not None
    assert "whose node was heard" in report.violation


def test_a_store_that_hears_a_late_child_over_the_end_of_its_task_is_caught() -> None:
    # Who was lost once has failed here: a child that thaws then has an end before it that it may hide.
    scale = Scale(
        nodes=4, children=3, tasks=120, workflows=0, faults_s=300, fault_rate=0.03, incidents=15, max_deliveries=1, pauses=0
    )

    report = simulate(128, scale, model=HearsTheLate)

    assert report.violation is not None
    assert "had ended as FAILURE, and a late STARTED took its place" in report.violation


def test_a_store_that_parks_what_was_resumed_is_caught() -> None:
    # A type must be resumed between the fetch of a message and its parking: where an operator pauses and resumes all the time.
    report = simulate(5, PAUSES, model=ParksTooLate)

    assert report.violation is not None
    assert "there was no rest" in report.violation


def test_every_promise_is_kept_while_an_operator_pauses_and_resumes_all_the_time() -> None:
    reports = [simulate(seed, PAUSES) for seed in range(3)]

    assert all(report.ok for report in reports), reports
