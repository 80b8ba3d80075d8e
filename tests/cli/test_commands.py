"""The commands beside the worker, as a user types them, on the embedded store of a new user."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from celeriac import Celery
from cli.quick import Quick
from cli.terminal import Terminal

Start = Callable[..., subprocess.Popen[str]]


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("worker",),
        ("call",),
        ("result",),
        ("graph",),
        ("graph", "workflow"),
        ("status",),
        ("list",),
        ("purge",),
        ("dlq",),
        ("report",),
        ("shell",),
    ],
)
def test_every_command_has_help(terminal: Terminal, command: tuple[str, ...]) -> None:
    words = (*command, "--help")

    ran = terminal.celeriac(*words)

    assert ran.code == 0
    assert ran.out.startswith("Usage: celeriac")


def test_a_misspelt_command_is_told_the_right_one(terminal: Terminal) -> None:
    words = ("-A", "shop", "wroker")

    ran = terminal.celeriac(*words)

    assert "did you mean 'worker'?" in ran.err
    assert ran.code == 2


def test_call_prints_an_id_and_the_message_waits_in_its_queue(terminal: Terminal) -> None:
    called = terminal.celeriac("-A", "shop", "call", "shop.add", "-a", "[2, 3]")

    listed = terminal.celeriac("-A", "shop", "list", "queues", "--json")

    assert len(called.out.strip()) == 36, called.err
    assert listed.json == {"queues": {"celery": 1}, "scheduled": 0}


def test_call_to_a_queue_with_a_countdown_puts_it_into_the_schedule(terminal: Terminal) -> None:
    called = terminal.celeriac("-A", "shop", "call", "shop.add", "--queue", "slow", "--countdown", "60", "--json")

    listed = terminal.celeriac("-A", "shop", "list", "queues", "--json")

    assert len(called.json["id"]) == 36, called.err
    assert listed.json["scheduled"] == 1


def test_call_waits_for_the_result_and_prints_it(terminal: Terminal, worker: Start) -> None:
    worker()

    ran = terminal.celeriac("-A", "shop", "call", "shop.add", "--args", "[2, 3]", "--wait", "--timeout", "20")

    assert (ran.code, ran.out) == (0, "5\n"), ran.err


def test_the_result_of_a_task_that_failed_is_told_in_one_sentence(terminal: Terminal, worker: Start) -> None:
    worker()
    id = terminal.celeriac("-A", "shop", "call", "shop.fail").out.strip()

    ran = terminal.celeriac("-A", "shop", "result", id, "--timeout", "20")

    assert (ran.code, ran.out, ran.err) == (1, "", f"celeriac: {id} ended as FAILURE: ValueError: no such thing\n")


def test_the_traceback_of_a_task_that_failed_is_printed_when_asked_for(terminal: Terminal, worker: Start) -> None:
    worker()
    id = terminal.celeriac("-A", "shop", "call", "shop.fail").out.strip()

    ran = terminal.celeriac("-A", "shop", "result", id, "--traceback", "--timeout", "20")

    assert "ValueError: no such thing" in ran.out
    assert "Traceback" in ran.out


def test_a_result_that_does_not_come_in_time_is_told(terminal: Terminal) -> None:
    words = ("-A", "shop", "result", "nobody", "--timeout", "0.1")

    ran = terminal.celeriac(*words)

    assert (ran.code, ran.err) == (1, "celeriac: no result of nobody within 0.1 s; the task goes on\n")


def test_a_result_is_asked_of_the_tasks_own_backend(quick: Quick) -> None:
    elsewhere = Celery("elsewhere", broker="memory://", backend=f"memory://{quick.folder.name}-own", set_as_current=False)
    quick.app.task(name="quick.own", backend=elsewhere.backend)(lambda: None)
    elsewhere.backend.store_result("an-id", 42, "SUCCESS")

    ran = quick.celeriac("result", "an-id", "--task", "quick.own", "--timeout", "5")
    usual = quick.celeriac("result", "an-id", "--timeout", "0")
    unknown = quick.celeriac("result", "an-id", "--task", "quick.nothing")

    assert (ran.code, ran.out, usual.code) == (0, "42\n", 1)
    assert "no task is registered as 'quick.nothing'" in unknown.err


def test_purge_asks_first(terminal: Terminal) -> None:
    terminal.celeriac("-A", "shop", "call", "shop.add", "-a", "[2, 3]")

    refused = terminal.celeriac("-A", "shop", "purge", stdin="n\n")
    purged = terminal.celeriac("-A", "shop", "purge", "--force")

    assert refused.code != 0
    assert purged.out == "1 message deleted from celery.\n"


def test_status_says_that_nobody_is_there(terminal: Terminal) -> None:
    words = ("-A", "shop", "status")

    ran = terminal.celeriac(*words)

    assert (ran.code, "0 nodes online." in ran.err) == (69, True)


def test_status_names_a_node_that_is_alive(terminal: Terminal, worker: Start) -> None:
    worker("-n", "shop@here")

    ran = terminal.celeriac("-A", "shop", "status")

    assert (ran.code, ran.out) == (0, "shop@here: OK\n\n1 node online.\n")


def test_an_unknown_task_can_be_seen_among_the_dead_letters_and_replayed(terminal: Terminal, worker: Start) -> None:
    worker()
    id = terminal.celeriac("-A", "shop", "call", "shop.nothing").out.strip()
    terminal.celeriac("-A", "shop", "result", id, "--timeout", "20")

    [letter] = terminal.celeriac("-A", "shop", "dlq", "list", "--json").json
    shown = terminal.celeriac("-A", "shop", "dlq", "show", letter["id"])
    listed = terminal.celeriac("-A", "shop", "dlq", "list")

    assert (letter["reason"], letter["task"], letter["task_id"]) == ("unknown-task", "shop.nothing", id)
    assert "shop.nothing" in shown.out
    assert "unknown-task" in listed.out


def test_a_dead_letter_that_is_not_there_is_told(terminal: Terminal) -> None:
    words = ("-A", "shop", "dlq", "show", "nothing")

    ran = terminal.celeriac(*words)

    assert (ran.code, "there is no dead letter 'nothing'" in ran.err) == (1, True)


@pytest.mark.parametrize("command", ["replay", "purge"])
def test_dead_letters_are_not_touched_without_ids(terminal: Terminal, command: str) -> None:
    words = ("-A", "shop", "dlq", command)

    ran = terminal.celeriac(*words)

    assert (ran.code, "name ids" in ran.err) == (2, True)


def test_report_masks_passwords(terminal: Terminal) -> None:
    terminal.write("shop.py", "from celeriac import Celery\napp = Celery('shop', broker='redis://me:hunter2@nowhere/0')\n")

    ran = terminal.celeriac("-A", "shop", "report")

    assert "hunter2" not in ran.out + ran.err
    assert "redis://me:" in ran.out


def test_the_shell_has_the_app_and_its_tasks(terminal: Terminal) -> None:
    words = ("-A", "shop", "shell", "--python")

    ran = terminal.celeriac(*words, stdin="print(add(2, 3), app.main)\n")

    assert "5 shop" in ran.out


@pytest.mark.parametrize(
    ("library", "asked"),
    [
        ("gevent", "from gevent.monkey import is_module_patched; print(is_module_patched('socket'), app.main)"),
        ("eventlet", "from eventlet.patcher import is_monkey_patched; print(is_monkey_patched('socket'), app.main)"),
    ],
)
def test_the_shell_is_patched_before_the_app_is_imported(terminal: Terminal, library: str, asked: str) -> None:
    pytest.importorskip(library)
    terminal.write(
        "early.py", "import socket\nfrom celeriac import Celery\nprint(socket.socket.__module__)\napp = Celery('early')\n"
    )

    ran = terminal.celeriac("-A", "early", "shell", "--python", f"--{library}", stdin=f"{asked}\n")

    [imported] = [line for line in ran.out.splitlines() if line.startswith(("socket", library))]
    assert imported.startswith(library), ran.err
    assert "True early" in ran.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-b", "redsi://localhost", "call", "x"), "did you mean redis://?"),
        (("-b", "redis://:hunter2@127.0.0.1:1/0", "call", "x"), "127.0.0.1:1"),
        (("-A", "shop", "call", "shop.add", "--args", "2"), "not an array such as"),
        (("-A", "shop", "worker", "task_acks_latte=true"), "did you mean 'task_acks_late'?"),
        (("-A", "shop", "worker", "-X", "celery"), "no queue is left"),
        (("-A", "shop", "worker", "-P", "gevnt"), "did you mean 'gevent'?"),
        (("-A", "shop", "worker", "--autoscale", "many"), "such as 10,3"),
        (("-A", "shop", "worker", "--max-memory-per-child", "1GB"), "such as 250000"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence_without_traceback_or_password(
    terminal: Terminal, words: tuple[str, ...], sentence: str
) -> None:
    given = words

    ran = terminal.celeriac(*given)

    assert sentence in ran.err
    assert ran.code != 0
    assert len(ran.err.splitlines()) == 1
    assert "hunter2" not in ran.err
