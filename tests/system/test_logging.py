"""The log of a real worker: which process writes where, in which form, and for which task it speaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from system.fleet import Fleet, Node
from system.patience import eventually

SPEAK = "speaking.speak"


def start(fleet: Fleet, *words: str, wait: bool = False, setup: str = "") -> Node:
    """Start a worker that has the tasks that speak. ``wait``: until it says that it is ready, which it does not do in files."""
    return fleet.start("-I", "speaking", "-c", "1", *words, wait=wait, PYTHONWARNINGS="always", SPEAKING=setup)


def spoken(fleet: Fleet, *words: str, setup: str = "") -> tuple[Node, str, int]:
    """Start a worker, have it run the task that speaks, stop it; return it, the id of the task, the process that ran it."""
    node = start(fleet, *words, setup=setup)
    result = fleet.client.send_task(SPEAK)
    pid = result.get(timeout=15)
    node.stop()
    return node, result.id, pid


def lines_with(text: str, log: str) -> list[str]:
    """Return the lines of a log that hold a text."""
    return [line for line in log.splitlines() if text in line]


WAYS = ("by the task logger", "by a third party", "by print", "by stderr", "UserWarning: by a warning", "by a told thread")


@pytest.mark.parametrize("pool", ["prefork", "threads", "asyncio", "solo"])
def test_whatever_a_task_says_and_however_it_bears_its_name_and_id(local_fleet: Fleet, pool: str) -> None:
    node, id, _ = spoken(local_fleet, "-P", pool)

    for way in WAYS:
        [line] = lines_with(way, node.log)
        assert f"{SPEAK}[{id}]: " in line
    [line] = lines_with("by a plain thread", node.log)
    assert SPEAK not in line


def test_log_lines_can_be_json_with_everything_that_is_known(local_fleet: Fleet) -> None:
    node, id, pid = spoken(local_fleet, "--log-format", "json", "-f", str(local_fleet.folder / "json.log"))

    told: list[dict[str, Any]] = [json.loads(line) for line in (local_fleet.folder / "json.log").read_text().splitlines()]
    [third] = [line for line in told if line["message"] == "by a third party"]
    assert third | {"time": ""} == {
        "time": "",
        "level": "WARNING",
        "logger": "a.third.party",
        "message": "by a third party",
        "process": pid,
        "process_name": "Child-0.1",
        "task_id": id,
        "task_name": SPEAK,
        "customer": "Ada",
    }
    events = [
        (line["event"], line["task_name"], line["task_id"]) for line in told if line.get("task_id") == id and "event" in line
    ]
    assert events == [("task-received", SPEAK, id), ("task-succeeded", SPEAK, id)]
    assert {line["process"] for line in told} == {pid, node.pid}


def test_json_lines_are_a_setting_too(local_fleet: Fleet) -> None:
    file = local_fleet.folder / "json.log"
    node = local_fleet.start("-c", "1", "-f", str(file), "worker_log_json=true", wait=False)
    local_fleet.send("add", 1, 1).get(timeout=15)
    node.stop()

    assert {"message", "level"} <= set(json.loads(file.read_text().splitlines()[0]))


@pytest.mark.parametrize(
    ("pattern", "files"),
    [("own-%n%I.log", ["own-node0-1.log", "own-node0-2.log", "own-node0.log"]), ("own%i", ["own0", "own1", "own2"])],
)
def test_every_process_can_have_a_file_of_its_own(local_fleet: Fleet, pattern: str, files: list[str]) -> None:
    node = start(local_fleet, "-c", "2", "-f", str(local_fleet.folder / pattern))
    results = [local_fleet.client.send_task(SPEAK) for _ in range(20)]
    pids = {result.get(timeout=15) for result in results}
    [of_node] = [local_fleet.folder / name for name in files if name in ("own-node0.log", "own0")]
    eventually(lambda: "ready." in of_node.read_text(), what="the node says in its own file that it is ready")
    node.stop()

    made = sorted(path.name for path in local_fleet.folder.glob("own*"))
    logs = {name: (local_fleet.folder / name).read_text() for name in made}
    said = {name: len(lines_with("by print", log)) for name, log in logs.items()}
    assert made == files
    assert said[of_node.name] == 0
    assert (sum(said.values()), len([count for count in said.values() if count])) == (20, len(pids))


def test_a_child_that_takes_the_place_of_another_takes_its_file(local_fleet: Fleet) -> None:
    node = local_fleet.start("-c", "1", "-f", str(local_fleet.folder / "own%I.log"), "--max-tasks-per-child", "1", wait=False)
    results = [local_fleet.send("add", number, number) for number in range(3)]
    for result in results:
        result.get(timeout=15)
    node.stop()

    log = (local_fleet.folder / "own-1.log").read_text()
    assert all(result.id in log for result in results)
    assert not (local_fleet.folder / "own-2.log").exists()


def test_children_that_share_a_file_do_not_mix_their_lines(local_fleet: Fleet) -> None:
    file = local_fleet.folder / "shared.log"
    node = start(local_fleet, "-c", "2", "-f", str(file))
    results = [local_fleet.client.send_task("speaking.shout", (50_000,)) for _ in range(100)]
    for result in results:
        result.get(timeout=20)
    node.stop()

    shouted = [line.rpartition(": ")[2] for line in lines_with("xxx", file.read_text())]
    assert shouted == ["x" * 50_000] * 100


def test_a_program_that_sets_logging_up_itself_still_learns_which_task_speaks(local_fleet: Fleet) -> None:
    node = start(local_fleet, setup="by itself")
    node.wait_until_ready()
    local_fleet.client.send_task(SPEAK).get(timeout=15)
    node.stop()

    assert lines_with(f"MINE {SPEAK} a.third.party: by a third party", node.log)
    assert lines_with("MINE ??? celeriac.worker: node0@here ready.", node.log)
    # What is printed is not taken over then.
    assert "by print" in node.log.splitlines()


@pytest.mark.parametrize(("hijack", "begins"), [("true", "["), ("false", "BEFORE ")])
def test_handlers_that_were_there_before_are_kept_when_the_root_logger_is_not_taken_over(
    local_fleet: Fleet, hijack: str, begins: str
) -> None:
    node, _, _ = spoken(local_fleet, f"worker_hijack_root_logger={hijack}", setup="beforehand")

    for way in ("by the task logger", "by a third party", "by print"):
        [line] = lines_with(way, node.log)
        assert line.startswith(begins)


def test_what_tasks_print_can_be_left_alone_or_logged_at_another_level(local_fleet: Fleet) -> None:
    left, _, _ = spoken(local_fleet, "worker_redirect_stdouts=false")
    taken, _, _ = spoken(local_fleet, "worker_redirect_stdouts_level=ERROR")

    assert "by print" in left.log.splitlines()
    [line] = lines_with("by print", taken.log)
    assert "ERROR" in line


def test_a_result_is_shown_in_the_log_as_long_as_its_task_says(local_fleet: Fleet) -> None:
    node = start(local_fleet)
    local_fleet.client.send_task("speaking.ramble").get(timeout=15)
    node.stop()

    [line] = lines_with("succeeded", node.log)
    shown = line.rpartition("s: ")[2]
    assert shown.startswith("'xxxx")
    assert len(shown) < 30


@pytest.mark.parametrize(("level", "shown"), [("15", False), ("debug", True), ("ERROR", False)])
def test_a_level_is_a_name_in_any_case_or_a_number(local_fleet: Fleet, level: str, shown: bool) -> None:
    file = local_fleet.folder / "level.log"
    node = local_fleet.start("-c", "1", "-l", level, "-f", str(file), wait=False)
    local_fleet.send("add", 1, 1).get(timeout=15)
    node.stop()

    assert ("DEBUG" in file.read_text()) is shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-l", "LOUD"), "'LOUD' is no log level"),
        (("-f", "/nowhere/at/all.log"), "the log file /nowhere/at/all.log cannot be opened"),
        (("worker_redirect_stdouts_level=LOUD",), "worker_redirect_stdouts_level"),
        (("--log-format", "xml"), "xml"),
    ],
)
def test_a_mistake_about_the_log_is_told_in_a_sentence(local_fleet: Fleet, words: tuple[str, ...], told: str) -> None:
    ran = local_fleet.celeriac("worker", *words)

    assert ran.returncode != 0
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_log_that_is_rotated_goes_on_in_a_new_file(local_fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "rotated.log"
    node = start(local_fleet, "-f", str(file))
    first = local_fleet.client.send_task(SPEAK)
    first.get(timeout=15)
    file.rename(tmp_path / "rotated.log.1")
    second = local_fleet.client.send_task(SPEAK)
    second.get(timeout=15)
    node.stop()

    assert first.id in (tmp_path / "rotated.log.1").read_text()
    assert (first.id in file.read_text(), second.id in file.read_text()) == (False, True)
