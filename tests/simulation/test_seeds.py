"""Worlds from fixed seeds: every promise is kept, whatever fails and whenever.

A failing seed is named with all its events: ``python -m pytest "tests/simulation/test_seeds.py" -k <chunk>``, or
``simulate(seed)`` by itself. Put it into ``corpus.txt`` before you mend what it found.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.testing.simulation import Scale, simulate

SEEDS = 1000
CHUNK = 50
CORPUS = [
    int(line.split()[0])
    for line in Path(__file__).with_name("corpus.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
LARGE = Scale(nodes=4, children=3, tasks=100, workflows=12, faults_s=300, fault_rate=0.03, incidents=15)


def fresh_seed() -> int:
    return int(SystemRuntime().random() * 10**12)


def assert_all_kept(seeds: range, scale: Scale | None = None) -> None:
    for seed in seeds:
        report = simulate(seed, scale)
        assert report.ok, f"seed {seed}\n{report}"


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_promise_is_kept_in_a_world_of_faults(first: int) -> None:
    seeds = range(first, first + CHUNK)

    assert_all_kept(seeds)


@pytest.mark.parametrize("seed", CORPUS)
def test_what_once_went_wrong_does_not_again(seed: int) -> None:
    report = simulate(seed)

    assert report.ok, report


@pytest.mark.parametrize("seed", range(5))
def test_every_promise_is_kept_in_a_large_world(seed: int) -> None:
    report = simulate(seed, LARGE)

    assert report.ok, report


def test_without_faults_nothing_goes_wrong_either() -> None:
    calm = Scale(fault_rate=0, incidents=0, tasks=80, workflows=20)

    reports = [simulate(seed, calm) for seed in range(5)]

    assert all(report.ok and report.faults == 0 for report in reports)


def test_the_same_seed_is_the_same_world() -> None:
    first, second = simulate(7), simulate(7)

    assert first == second


def test_worlds_are_hard() -> None:
    reports = [simulate(seed) for seed in range(30)]

    assert sum(report.faults for report in reports) > 50
    assert sum(report.lost for report in reports) > 80
    assert sum(report.starts for report in reports) > 400


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("chunk", range(20))
def test_every_promise_is_kept_in_many_fresh_worlds(chunk: int) -> None:
    first = fresh_seed()

    assert_all_kept(range(first, first + 1000))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("chunk", range(10))
def test_every_promise_is_kept_in_many_fresh_large_worlds(chunk: int) -> None:
    first = fresh_seed()

    assert_all_kept(range(first, first + 100), LARGE)
