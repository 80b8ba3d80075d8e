"""Logs are asked what became of tasks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from celeriac.cli.log_reading import read
from cli.quick import Quick

IDS = {name: f"{number:08d}-0000-4000-8000-000000000000" for number, name in enumerate(("add", "fail", "again", "slow", "late"))}
MESSAGES = [
    ("INFO", "celery@here ready."),
    ("INFO", f"Task shop.add[{IDS['add']}] received"),
    ("INFO", f"Task shop.fail[{IDS['fail']}] received"),
    ("INFO", f"Task shop.add[{IDS['add']}] succeeded in 0.0019528s: 5"),
    ("ERROR", f"Task shop.fail[{IDS['fail']}] raised unexpected: ValueError('no such thing')"),
    ("INFO", f"Task shop.again[{IDS['again']}] received"),
    ("INFO", f"Task shop.again[{IDS['again']}] retry: Retry in 0s: KeyError('x')"),
    ("INFO", f"Task shop.again[{IDS['again']}] received"),
    ("INFO", f"Task shop.again[{IDS['again']}] succeeded in 0.1s: None"),
    ("INFO", f"Task shop.slow[{IDS['slow']}] received"),
    ("INFO", f"Discarding revoked task: shop.late[{IDS['late']}]"),
]
TRACEBACK = 'Traceback (most recent call last):\n  File "shop.py", line 3, in fail\nValueError: no such thing'
COUNTS = {"total": 5, "completed": 4, "succeeded": 2, "errors": 1, "retries": 1}


def plain(color: str = "") -> str:
    """Return the log as lines."""
    lines = []
    for level, message in MESSAGES:
        lines.append(f"{color}[2026-11-21 22:16:08,297: {level}/MainProcess] {message}{color and chr(27) + '[0m'}")
        if level == "ERROR":
            lines.append(TRACEBACK)
    return "\n".join(lines) + "\n"


def as_objects() -> str:
    """Return the log as JSON."""
    lines = [
        {"time": "2026-11-21T22:16:08.297+00:00", "level": level, "message": message}
        | ({"exception": TRACEBACK} if level == "ERROR" else {})
        for level, message in MESSAGES
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.mark.parametrize("log", [plain(), plain("\033[31m"), as_objects()], ids=["plain", "colored", "json"])
def test_tasks_ends_and_errors_are_counted(quick: Quick, tmp_path: Path, log: str) -> None:
    (tmp_path / "worker.log").write_text(log)

    ran = quick.celeriac("logtool", "stats", "worker.log", "--json", bare=True)

    assert {name: ran.json[name] for name in COUNTS} == COUNTS
    assert ran.json["tasks"]["shop.fail"] == {"total": 1, "succeeded": 0, "errors": 1}


@pytest.mark.parametrize("log", [plain(), as_objects()], ids=["plain", "json"])
def test_each_kind_of_line_can_be_asked_for(quick: Quick, log: str) -> None:
    ran = {name: quick.celeriac("logtool", name, stdin=log, bare=True) for name in ("errors", "traces", "debug", "incomplete")}

    assert ("raised unexpected" in ran["errors"].out, len(ran["errors"].out.splitlines())) == (True, 1)
    assert [line.strip() for line in ran["traces"].out.splitlines()[1:]] == [line.strip() for line in TRACEBACK.splitlines()]
    assert "raised unexpected" in ran["traces"].out.splitlines()[0]
    assert ("ready." in ran["debug"].out, len(ran["debug"].out.splitlines())) == (True, 1)
    assert ran["incomplete"].out == f"Did not complete: shop.slow[{IDS['slow']}] (received)\n"


def test_several_files_are_one_log(quick: Quick, tmp_path: Path) -> None:
    lines = plain().splitlines(keepends=True)
    (tmp_path / "1.log").write_text("".join(lines[:3]))
    (tmp_path / "2.log").write_text("".join(lines[3:]))

    ran = quick.celeriac("logtool", "stats", "1.log", "2.log", bare=True)

    assert ran.out.splitlines()[:3] == ["total:     5", "completed: 4", "succeeded: 2"]


def test_an_end_that_was_written_before_its_beginning_counts() -> None:
    line = "[2026-11-21 22:16:08,297: INFO/Child-1] Task shop.add[1] {}"

    kinds = [entry.kind for entry in read([line.format("succeeded in 1s: 5"), line.format("received")])]

    assert kinds == ["succeeded", "received"]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Received task: shop.add[1]  ", "received"),
        ("Hard time limit (1s) exceeded for shop.add[1]", "failed"),
        ("Task shop.add[1] failed: hard time limit (1 s) exceeded", "failed"),
        ("Task shop.add[1] from queue celery goes to the dead letters, reason unknown-task: ...", "failed"),
        ("Task shop.add[1] ignored", "ended"),
        ("Discarding revoked task: Task shop.add[1] (revoked)", "ended"),
        ("Task shop.add[1] says something of its own", "other"),
        ("Received unregistered task of type 'nope'.", "other"),
    ],
)
def test_lines_of_both_are_understood(message: str, kind: str) -> None:
    [entry] = read([f"[2026-11-21 22:16:08,297: INFO/MainProcess] {message}\n"])

    assert entry.kind == kind


def test_what_is_no_log_is_told(quick: Quick) -> None:
    ran = quick.celeriac("logtool", "stats", stdin="one\ntwo\n", bare=True)

    assert (ran.code, ran.out.splitlines()[0]) == (0, "total:     0")
    assert "no line begins as those of workers do" in ran.err


def test_a_file_that_is_not_there_is_told(quick: Quick) -> None:
    ran = quick.celeriac("logtool", "errors", "nowhere.log", bare=True)

    assert (ran.code, ran.err) == (
        2,
        "celeriac: nowhere.log cannot be read: No such file or directory (see `celeriac logtool errors --help`)\n",
    )


def test_a_line_cannot_command_a_terminal(quick: Quick) -> None:
    log = "[2026-11-21 22:16:08,297: INFO/MainProcess] \x1b]0;owned\x07 \tdone\n"

    ran = quick.celeriac("logtool", "debug", stdin=log, bare=True)

    assert "\x1b" not in ran.out
    assert "\tdone" in ran.out
