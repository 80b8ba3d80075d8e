"""Tasks that change their workflow and die with their process: what they began counts once, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import ChordError, chord
from system.fleet import Fleet
from system.patience import eventually


def begun(fleet: Fleet) -> list[str]:
    """Return what was begun, in order."""
    return [key for what, key, _ in fleet.entries() if what == "begin"]


def test_a_member_that_adds_another_and_dies_has_added_nothing_and_the_chord_ends(fleet: Fleet) -> None:
    fleet.start("-c", "2", "-I", "changing_jobs")
    client = fleet.client
    header = [client.signature("changing_jobs.adds_and_dies"), client.signature("jobs.early", ("other",))]

    result: Any = chord(header, client.signature("jobs.early", ("body",)), app=client).apply_async()

    with pytest.raises(ChordError, match="WorkerLostError"):
        result.get(timeout=30, follow_parents=False)
    assert begun(fleet) == ["other"]


def test_a_member_that_adds_another_and_runs_again_has_added_one(fleet: Fleet) -> None:
    fleet.start("-c", "2", "-I", "changing_jobs")
    client = fleet.client
    header = [client.signature("changing_jobs.adds_and_dies_once"), client.signature("jobs.early", ("other",))]

    result: Any = chord(header, client.signature("changing_jobs.told"), app=client).apply_async()

    assert result.get(timeout=30) == ["adder", "other", "added"]
    eventually(lambda: len(begun(fleet)) >= 2, what="all have begun")
    assert sorted(begun(fleet)) == ["added", "other"]


def test_a_task_that_dies_while_it_is_replaced_is_replaced_once(fleet: Fleet) -> None:
    fleet.start("-c", "2", "-I", "changing_jobs")
    client = fleet.client
    header = [client.signature("changing_jobs.is_replaced_and_dies_once"), client.signature("jobs.early", ("other",))]

    result: Any = chord(header, client.signature("changing_jobs.told"), app=client).apply_async()

    assert result.get(timeout=30) == [42, "other"]
    assert begun(fleet).count("first") == 1
