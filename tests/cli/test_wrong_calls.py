"""Wrong calls: one sentence each, on stderr, with the right exit code, and nothing of Python in it."""

from __future__ import annotations

import pytest

from cli.quick import Quick

AWAY = "redis://127.0.0.1:1/0"
WRONG = [
    ("-A",),
    ("-Z", "worker"),
    ("nonsense",),
    ("wroker",),
    ("--workdir", "/nowhere", "list", "tasks"),
    ("list", "nonsense"),
    ("list", "tasks", "extra"),
    ("call",),
    ("call", ""),
    ("call", "x", "--eta", "tomorrow"),
    ("call", "x", "--countdown", "soon"),
    ("call", "x", "--countdown", "nan"),
    ("call", "x", "--countdown", "1e999"),
    ("call", "x", "--expires", "inf"),
    ("call", "x", "--args", "[1"),
    ("call", "x", "--args", '{"x": 1}'),
    ("call", "x", "--kwargs", "[]"),
    ("call", "x", "--queue", ""),
    ("call", "x", "--queue", "a b"),
    ("call", "x", "--queue", "a" * 256),
    ("call", "x", "--timeout", "5"),
    ("call", "x", "--wait", "--timeout", "-1"),
    ("call", "x", "--signature", "nowhere.json"),
    ("call", "--signature", "nowhere.json"),
    ("result",),
    ("result", ""),
    ("result", "x", "--timeout", "nan"),
    ("result", "x", "--timeout", "-1"),
    ("result", "x", "--tree", "--traceback"),
    ("result", "x", "--tree", "--task", "y"),
    ("purge", "-Q", "", "-f"),
    ("purge", "-Q", "a,,b", "-f"),
    ("purge", "-Q", "a", "-X", "a", "-f"),
    ("status", "-d", ""),
    ("status", "extra"),
    ("health", "nowhere"),
    ("health", ":99999"),
    ("queue", "pause", ""),
    ("queue", "pause", "a b"),
    ("task", "pause", ""),
    ("dlq", "list", "-n", "0"),
    ("dlq", "show"),
    ("dlq", "replay"),
    ("dlq", "purge"),
    ("worker", "-c", "-1"),
    ("worker", "-l", "LOUD"),
    ("worker", "-n", "a b"),
    ("worker", "-Q", ""),
    ("worker", "--time-limit", "soon"),
    ("worker", "--max-tasks-per-child", "0"),
    ("worker", "nonsense"),
    ("events", "--dump", "--pidfile", "monitor.pid"),
    ("events", "--dump", "--detach"),
    ("migrate",),
    ("migrate", "memory://a"),
    ("migrate", "memory://a", "memory://b", "-t", "nan"),
    ("upgrade", "settings"),
    ("upgrade", "settings", "/nowhere"),
    ("logtool", "nonsense"),
    ("logtool", "stats", "/nowhere"),
    ("amqp", "basic.get"),
    ("amqp", "basic.ack", "x"),
    ("graph", "workflow"),
    ("graph", "workflow", "nowhere:x"),
    ("graph", "workers", "x"),
    ("graph", "bootsteps", "x"),
    ("shell", "--pythonn"),
    ("shim", "nonsense"),
    ("completion", "tcsh"),
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_wrong_call_is_told_in_one_sentence(quick: Quick, words: tuple[str, ...]) -> None:
    ran = quick.celeriac(*words)

    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1), ran
    assert ran.err.startswith("celeriac: ")
    assert "(--traceback shows where)" not in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("call", "x"),
        ("migrate", AWAY, "memory://b", "-t", "0"),
    ],
    ids=" ".join,
)
def test_a_store_that_is_away_is_told_in_one_sentence(quick: Quick, words: tuple[str, ...]) -> None:
    ran = quick.celeriac("-b", AWAY, *words, bare=True)

    assert (ran.code, ran.out, len(ran.err.splitlines())) == (69, "", 1), ran
    assert "does not answer" in ran.err


@pytest.mark.parametrize("url", ["nonsense", "nonsense://", "redis://127.0.0.1:notaport/0", "sqlite:////nowhere/at/all.db"])
def test_a_url_that_cannot_be_is_told_in_one_sentence(quick: Quick, url: str) -> None:
    ran = quick.celeriac("-b", url, "list", "queues", bare=True)

    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1), ran
    assert "--traceback" not in ran.err


@pytest.mark.parametrize("group", ["list", "dlq", "graph", "logtool", "upgrade", "shim"])
def test_a_group_without_a_command_shows_its_help(quick: Quick, group: str) -> None:
    ran = quick.celeriac(group)

    assert ran.err.startswith(f"Usage: celeriac {group} ")
    assert ran.code == 2
