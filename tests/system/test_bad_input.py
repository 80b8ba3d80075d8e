"""Whatever lies in a queue: the worker lives, the message is kept with its reason, and the next task runs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from celeriac import NotRegistered
from system.fleet import Fleet
from system.injection import inject
from system.malformed import Bad, all_kinds, envelope, wrong_signatures
from system.patience import eventually
from system.processes import PROC

AT_ONCE = 10


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the path of a file that appears when a pickle is read."""
    return tmp_path_factory.mktemp("canary") / "flew"


@pytest.fixture(scope="module")
def kinds(canary: Path) -> list[Bad]:
    """Give every kind of bad message."""
    return all_kinds(canary)


def batches(kinds: Sequence[Bad]) -> list[Sequence[Bad]]:
    """Cut them into batches."""
    return [kinds[first : first + AT_ONCE] for first in range(0, len(kinds), AT_ONCE)]


@pytest.mark.timeout(120)
def test_every_kind_is_kept_with_its_reason_by_a_worker_that_goes_on(fleet: Fleet, kinds: Sequence[Bad]) -> None:
    node = fleet.start("-c", "1")
    family = {process.pid for process in node.family()}

    sums = []
    for batch in batches(kinds):
        inject(fleet.url, [bad.raw for bad in batch])
        sums.append(fleet.send("add", 1, 1).get(timeout=20))

    assert len(kinds) >= 50
    assert set(sums) == {2}
    assert {process.pid for process in node.family()} == family
    found = {letter.raw: letter.reason for letter in fleet.dead_letters()}
    wrong = {bad.kind: found.get(bad.raw, "nowhere") for bad in kinds if found.get(bad.raw) != bad.reason}
    assert wrong == {}
    assert len(found) == len(kinds)


def test_nobody_forges_a_line_of_the_log_or_runs_code_from_a_queue(fleet: Fleet, kinds: Sequence[Bad], canary: Path) -> None:
    node = fleet.start("-c", "1")

    inject(fleet.url, [bad.raw for bad in kinds if len(bad.raw) < 1_000_000])
    fleet.send("add", 1, 1).get(timeout=20)

    assert not canary.exists()
    assert not re.search(r"^\[2000-01-01", node.log, re.MULTILINE)
    assert "\x1b" not in node.log
    assert "could not be handled" not in node.log


def test_a_bomb_does_not_fill_the_memory(local_fleet: Fleet, kinds: Sequence[Bad]) -> None:
    node = local_fleet.start("-c", "1")
    local_fleet.send("add", 1, 1).get(timeout=5)
    [child] = node.children()
    before = peak_mib(child)

    inject(local_fleet.url, [bad.raw for bad in kinds if bad.kind == "bomb, x-gzip"])
    local_fleet.send("add", 1, 1).get(timeout=20)

    assert peak_mib(child) - before < 50


def test_who_waits_for_what_cannot_be_run_is_told(fleet: Fleet) -> None:
    fleet.start("-c", "1")

    unknown = fleet.send("nowhere")
    wrong = fleet.send("add", 1, 2, 3)

    with pytest.raises(NotRegistered, match=r"jobs\.nowhere"):
        unknown.get(timeout=10)
    with pytest.raises(TypeError):
        wrong.get(timeout=10)


def test_dead_letters_are_listed_shown_replayed_and_dropped_from_the_command_line(fleet: Fleet, kinds: Sequence[Bad]) -> None:
    node = fleet.start("-c", "1")
    some = [bad for bad in kinds if len(bad.raw) < 100_000][:100]  # as many as are listed
    inject(fleet.url, [bad.raw for bad in some])
    fleet.send("add", 1, 1).get(timeout=20)

    listed = json.loads(fleet.celeriac("dlq", "list", "--json").stdout)
    table = fleet.celeriac("dlq", "list")
    unknown = next(letter for letter in listed if letter["reason"] == "unknown-task")
    garbage = next(letter for letter in listed if letter["reason"] == "malformed")
    shown = [json.loads(fleet.celeriac("dlq", "show", "--json", one["id"]).stdout) for one in (unknown, garbage)]
    replayed = fleet.celeriac("dlq", "replay", unknown["id"])
    fleet.send("add", 1, 1).get(timeout=10)
    again = json.loads(fleet.celeriac("dlq", "list", "--json").stdout)
    purged = fleet.celeriac("dlq", "purge", garbage["id"], "--force")
    left = len(fleet.dead_letters())
    emptied = fleet.celeriac("dlq", "purge", "--all", "--force")

    assert len(listed) == len(some)
    assert table.returncode == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", table.stdout)
    assert [letter["id"] for letter in shown] == [unknown["id"], garbage["id"]]
    assert "jobs.ad" in shown[0]["message"]
    assert (replayed.returncode, purged.returncode, emptied.returncode) == (0, 0, 0)
    assert [letter["task"] for letter in again].count("jobs.ad") == 1
    assert unknown["id"] not in [letter["id"] for letter in again]
    assert left == len(some) - 1
    assert fleet.dead_letters() == []
    assert node.process.poll() is None


def test_a_dead_letter_runs_when_it_is_replayed_to_a_worker_that_knows_its_task(fleet: Fleet) -> None:
    old = fleet.start("-c", "1", JOBS_VERSION="1")
    result = fleet.send("brand_new", 20)
    eventually(fleet.dead_letters, what="the old worker keeps it")
    old.stop()

    fleet.start("-c", "1", JOBS_VERSION="2")
    fleet.celeriac("dlq", "replay", "--all")

    assert eventually(lambda: result_of(fleet, result.id), what="the new worker has run it") == 40


def result_of(fleet: Fleet, id: str) -> Any:
    """Return the result of a task that has succeeded."""
    result = fleet.client.AsyncResult(id)
    return result.result if result.successful() else None


def peak_mib(pid: int) -> float:
    """Return the largest resident size that a process has had."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no VmHWM of {pid}")


def test_the_good_message_that_the_bad_ones_are_made_from_runs(fleet: Fleet) -> None:
    fleet.start("-c", "1")

    inject(fleet.url, [envelope()])
    fleet.send("add", 1, 1).get(timeout=10)

    assert fleet.client.AsyncResult("bad").result == 3
    assert fleet.dead_letters() == []


def test_an_errback_that_is_no_signature_harms_nobody(fleet: Fleet) -> None:
    fleet.start("-c", "1")
    wrong = list(wrong_signatures().values())

    for place, stored in enumerate(wrong):
        embed = {"callbacks": None, "errbacks": [stored], "chain": None, "chord": None}
        inject(fleet.url, [envelope(args=["it broke"], embed=embed, headers={"task": "jobs.fail", "id": f"failed-{place}"})])
    fleet.send("add", 1, 1).get(timeout=20)

    assert {fleet.client.AsyncResult(f"failed-{place}").state for place in range(len(wrong))} == {"FAILURE"}
