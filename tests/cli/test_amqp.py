"""Queues are looked after by hand."""

from __future__ import annotations

import sys

import pytest

from celeriac import Celery
from cli.quick import Quick
from cli.terminal import Terminal


def test_one_command_at_a_time(quick: Quick) -> None:
    published = quick.celeriac("amqp", "basic.publish", "hello", "", "letters")
    declared = quick.celeriac("amqp", "queue.declare", "letters")
    taken = quick.celeriac("amqp", "basic.get", "letters", "--json")
    purged = quick.celeriac("amqp", "queue.purge", "letters")

    assert (published.out, declared.out) == ("OK\n", "queue:letters messages:1 consumers:0\n")
    assert (taken.json["body"], taken.json["content_type"]) == ("hello", "text/plain")
    assert purged.out == "1 message deleted.\n"  # what was taken went back


def test_what_is_taken_at_the_prompt_is_deleted_by_ack_or_goes_back(quick: Quick) -> None:
    for text in ("one", "two", "three"):
        quick.celeriac("amqp", "basic.publish", text, "", "letters")

    ran = quick.celeriac("amqp", stdin="basic.get letters\nbasic.get letters\nbasic.ack 1\nbasic.get letters true\nexit\n")

    assert ("'one'" in ran.out, "'two'" in ran.out, "'three'" in ran.out, "OK" in ran.out) == (True, True, True, True), ran.err
    left = quick.celeriac("amqp", "basic.get", "letters", "--json").json
    assert (left["body"], quick.app.store.depth(["letters"])) == ("two", [1])


def test_a_message_of_a_task_is_shown_as_it_lies(quick: Quick) -> None:
    id = quick.celeriac("call", "quick.add", "-a", "[2, 3]").out.strip()

    shown = quick.celeriac("amqp", "basic.get", "celery", "-j").json

    assert shown["body"].startswith("[[2,3],{}")
    assert (shown["headers"]["id"], shown["properties"]["correlation_id"]) == (id, id)


def test_an_empty_queue_is_told(quick: Quick) -> None:
    ran = quick.celeriac("amqp", "basic.get", "nothing")

    assert ran.out == "No messages in queue. basic.publish something.\n"


def test_a_mistake_does_not_end_the_prompt(quick: Quick) -> None:
    wrong = ["nonsense", "queue.declare", "exchange.declare x direct", "basic.ack 7", "queue.declare 'a"]

    ran = quick.celeriac("amqp", "repl", stdin="\n".join([*wrong, "help", "# nothing", "", "queue.purge celery\n"]))

    assert ran.code == 0
    assert len(ran.err.splitlines()) == 5, ran.err
    assert "basic.publish" in ran.out
    assert ran.out.endswith("0 messages deleted.\n")


def test_the_prompt_in_a_terminal(terminal: Terminal) -> None:
    pexpect = pytest.importorskip("pexpect")
    url = f"sqlite:///{terminal.folder}/letters.db"
    child = pexpect.spawn(
        sys.executable, ["-m", "celeriac", "-b", url, "amqp"], cwd=terminal.folder, env=terminal.environment(), timeout=30
    )

    child.expect_exact("amqp> ")
    child.sendline("basic.publish hello '' letters")
    child.expect_exact("OK\r\n")
    child.sendline("basic.get letters")
    child.expect_exact("'hello'")
    child.expect_exact("amqp> ")
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 0
    left = Celery("letters", broker=url, set_as_current=False).store.depth(["letters"])
    assert left == [1]  # what was taken went back


def test_a_queue_is_deleted_unless_it_has_messages(quick: Quick) -> None:
    quick.celeriac("amqp", "basic.publish", "hello", "", "letters")

    refused = quick.celeriac("amqp", "queue.delete", "letters", "false", "true")
    deleted = quick.celeriac("amqp", "queue.delete", "letters")

    assert (refused.code, refused.err) == (1, "celeriac: 'letters' has messages: 1\n")
    assert deleted.out == "1 message deleted.\n"


def test_a_queue_that_a_node_serves_is_not_deleted_if_unused_is_said(quick: Quick) -> None:
    quick.app.store.keep("node-1", name="celery@here", info={"queues": ["letters"]}, queues=["letters"])

    refused = quick.celeriac("amqp", "queue.delete", "letters", "true")
    declared = quick.celeriac("amqp", "queue.declare", "letters", "-j")

    assert (refused.code, refused.err) == (1, "celeriac: 'letters' is served by celery@here\n")
    assert declared.json == {"queue": "letters", "messages": 0, "consumers": 1}


def test_a_message_for_the_exchange_of_one_of_the_apps_queues_goes_there(quick: Quick) -> None:
    quick.celeriac("amqp", "basic.publish", "hello", "celery", "celery")

    assert quick.app.store.depth(["celery"]) == [1]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (
            ("exchange.declare", "x", "direct"),
            1,
            "memory:// has no exchanges: a message goes to the queue",
        ),
        (("exchange.delete", "x"), 1, "has no exchanges"),
        (("queue.bind", "q", "x", "k"), 1, "has no exchanges"),
        (("queue.declare", "q", "false", "false", "true"), 2, "cannot be deleted by itself"),
        (("queue.declare", "a b"), 2, "is no name"),
        (("basic.ack", "1"), 1, "no message of delivery tag 1 is held here"),
        (("basic.publish", "hello", "nowhere", "key"), 1, "none of the app's queues is bound to the exchange 'nowhere' by 'key'"),
        (("basic.publish", "hello", "", "q", "false", "true"), 2, "cannot be sent only if somebody waits for it"),
        (("basic.gett", "q"), 2, "basic.gett"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(quick: Quick, words: tuple[str, ...], code: int, sentence: str) -> None:
    ran = quick.celeriac("amqp", *words)

    assert (ran.code, len(ran.err.splitlines())) == (code, 1)
    assert sentence in ran.err
