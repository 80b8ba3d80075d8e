"""The lanes of greenlets, each in an interpreter of its own that was patched before anything else."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from celeriac.worker.lanes.patching import FIRST_LINES

TESTS = Path(__file__).parents[3]
PROGRAM = "import runpy; runpy.run_module('unit.worker.lanes.green_runs', run_name='__main__')"


@pytest.fixture(scope="module", params=["gevent", "eventlet"])
def scenes(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Give what came of each run of ``green_runs``."""
    pool = request.param
    if find_spec(pool) is None:
        pytest.skip(f"{pool} is not installed")
    words = [sys.executable, "-c", f"{FIRST_LINES[pool]}; {PROGRAM}", pool]
    done = subprocess.run(words, cwd=TESTS, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_hundred_tasks_that_sleep_take_as_long_as_one(scenes: dict[str, Any]) -> None:
    assert scenes["a_hundred_that_sleep_take_as_long_as_one"] == [100, True]


def test_each_task_has_a_context_of_its_own(scenes: dict[str, Any]) -> None:
    assert scenes["each_has_a_context_of_its_own"] == [["nobody", "1", "1"], ["nobody", "2", "2"]]


def test_a_task_that_waits_hears_its_soft_limit(scenes: dict[str, Any]) -> None:
    assert scenes["one_that_waits_hears_its_soft_limit"] == ["cleaned up"]


def test_a_task_that_lets_nobody_run_hears_it_from_the_signal(scenes: dict[str, Any]) -> None:
    assert scenes["one_that_lets_nobody_run_hears_it_from_the_signal"] == ["SoftTimeLimitExceeded"]


def test_an_end_is_no_failure_and_the_others_go_on(scenes: dict[str, Any]) -> None:
    assert scenes["an_end_is_no_failure_and_the_others_go_on"] == [True, True]


def test_coroutines_run_on_a_loop_and_leave_the_main_thread_without_one(scenes: dict[str, Any]) -> None:
    assert scenes["coroutines_run_on_a_loop_beside_the_others"] == [1, 2, None, 3]


def test_a_coroutine_hears_its_soft_limit(scenes: dict[str, Any]) -> None:
    assert scenes["a_coroutine_hears_its_soft_limit"] == ["cleaned up"]


def test_whatever_is_raised_is_a_failure_and_the_lane_goes_on(scenes: dict[str, Any]) -> None:
    expected = ["ValueError", "SystemExit", "KeyboardInterrupt", "NoneType", True]

    assert scenes["whatever_is_raised_is_a_failure_and_the_lane_goes_on"] == expected
