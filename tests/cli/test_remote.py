"""Nodes are asked and steered from the command line: words become arguments, answers become lines or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from celeriac.control.answering import Answering
from celeriac.control.commands import Command, Exchanges
from celeriac.control.panel import Panel, inspect_command
from cli.quick import Quick
from cli.terminal import Terminal


@pytest.fixture
def heard(quick: Quick) -> Iterator[list[Command]]:
    """Give what a node hears, which answers with what it was asked; ``list`` with several, ``fails`` with an error."""
    commands: list[Command] = []

    def carry_out(command: Command) -> Any:
        commands.append(command)
        if command.method == "ping":
            return {"ok": "pong"}
        if command.method == "registered":
            return ["a.b [rate_limit=1/s]", "c.d\x1b[31m"]
        if command.method == "rate_limit":
            return {"error": "unknown task"}
        return dict(command.arguments)

    app = quick.app
    node = Answering(
        app.store.broadcast,
        Exchanges(),
        name="celery@a",
        carry_out=carry_out,
        clock=app.clock,
        runtime=app.runtime,
        serializer="json",
        accept=app.accept_content,
        answers_live_s=10,
    )
    node.open()
    app.store.keep("celery@a-1", name="celery@a", info={"pid": 7}, queues=[])
    yield commands
    node.close()


ONE = ("-d", "celery@a")
"""A node that is named is all that is waited for."""


@pytest.mark.usefixtures("heard")
def test_an_answer_is_printed_below_the_name_of_its_node(quick: Quick) -> None:
    assert quick.celeriac("inspect", "ping", *ONE).out == "->  celery@a: OK\n        pong\n\n1 node online.\n"
    assert quick.celeriac("inspect", "registered", *ONE).out.split("\n")[1:3] == [
        "        * a.b [rate_limit=1/s]",
        "        * c.d\\x1b[31m",
    ]
    assert "->  celery@a: ERROR\n        unknown task\n" in quick.celeriac("control", "rate_limit", "x", "1/s", *ONE).out


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_command_that_a_node_could_not_carry_out_is_exit_code_1(quick: Quick, as_json: tuple[str, ...]) -> None:
    assert quick.celeriac("control", "rate_limit", "x", "1/s", *ONE, *as_json).code == 1
    assert quick.celeriac("control", "revoke", "x", *ONE, *as_json).code == 0


@pytest.mark.usefixtures("heard")
def test_answers_are_json_for_programs(quick: Quick) -> None:
    ran = quick.celeriac("inspect", "ping", "--json", *ONE)

    assert json.loads(ran.out) == {"celery@a": {"ok": "pong"}}


@pytest.mark.parametrize(
    ("words", "method", "arguments"),
    [
        ("inspect query_task a b", "query_task", {"ids": ["a", "b"]}),
        ("inspect registered", "registered", {"taskinfoitems": []}),
        ("inspect conf yes", "conf", {"with_defaults": True}),
        ("control revoke a", "revoke", {"task_id": ["a"]}),
        ("control terminate KILL a b", "terminate", {"signal": "KILL", "task_id": ["a", "b"]}),
        ("control time_limit shop.mail 1.5 3", "time_limit", {"task_name": "shop.mail", "soft": 1.5, "hard": 3.0}),
        ("control pool_grow", "pool_grow", {}),
        ("control pool_grow 2", "pool_grow", {"n": 2}),
        ("control autoscale 4 1", "autoscale", {"max": 4, "min": 1}),
        ("control add_consumer q e", "add_consumer", {"queue": "q", "exchange": "e"}),
        ("control revoke_by_stamped_headers team=red", "revoke_by_stamped_headers", {"headers": ["team=red"]}),
    ],
)
def test_words_become_arguments(quick: Quick, heard: list[Command], words: str, method: str, arguments: dict[str, Any]) -> None:
    ran = quick.celeriac(*words.split(), *ONE)

    assert ran.code == 0, ran.err
    assert [(command.method, command.arguments) for command in heard] == [(method, arguments)]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("inspect pnig", "did you mean 'ping'?"),
        ("inspect revoke a", "revoke is said with `control`"),
        ("control ping", "ping is said with `inspect`"),
        ("control pool_grow many", "'many' is no n"),
        ("control cancel_consumer a b", "'b' is too much; it goes cancel_consumer <queue>"),
        ("inspect conf perhaps", "neither true nor false"),
    ],
)
def test_what_is_misspelt_is_told_before_anybody_is_asked(quick: Quick, heard: list[Command], words: str, why: str) -> None:
    ran = quick.celeriac(*words.split())

    assert (ran.code, why in ran.err, heard) == (2, True, []), ran.err


def test_nobody_answers_is_an_exit_code_of_its_own(quick: Quick) -> None:
    ran = quick.celeriac("inspect", "ping", "-t", "0.05")

    assert (ran.code, ran.err) == (69, "nobody answered within 0.05 s\n")


def test_a_shutdown_is_not_waited_for(quick: Quick, heard: list[Command]) -> None:
    ran = quick.celeriac("control", "shutdown", "-t", "30")

    assert (ran.code, "does not answer" in ran.out) == (0, True)


@pytest.mark.parametrize("kind", ["inspect", "control"])
def test_the_commands_can_be_listed_with_their_arguments(quick: Quick, kind: str) -> None:
    ran = quick.celeriac(kind, "--list")

    named = "active_queues" if kind == "inspect" else "cancel_consumer <queue>"
    assert (ran.code, named in ran.out, "hello" in ran.out) == (0, True, False)


def test_a_command_of_the_app_is_known_and_listed(quick: Quick, heard: list[Command]) -> None:
    @inspect_command(args=[("n", int)], signature="[N=1]")
    def depth(state: Any, n: int = 1) -> int:
        """Tell how deep."""
        return n

    try:
        listed = quick.celeriac("inspect", "--list")
        ran = quick.celeriac("inspect", "depth", "3", *ONE)
    finally:
        del Panel.data["depth"], Panel.meta["depth"]

    assert "depth [N=1]" in listed.out
    assert (ran.code, heard[0].arguments) == (0, {"n": 3})


@pytest.mark.usefixtures("heard")
def test_status_tells_the_living_from_those_who_answer(quick: Quick) -> None:
    quick.app.store.keep("celery@b-1", name="celery@b", info={}, queues=[])

    ran, as_json = quick.celeriac("status", "-t", "0.3"), quick.celeriac("status", "--json", *ONE)

    assert ran.out == "celery@a: OK\ncelery@b: alive, hears no commands\n\n2 nodes online.\n"
    assert json.loads(as_json.out)["celery@a"].keys() == {"seen_s", "pid", "ok"}


def test_status_tells_of_nodes_of_one_name(quick: Quick) -> None:
    for node in ("1", "2"):
        quick.app.store.keep(node, name="celery@a", info={}, queues=[])

    assert quick.celeriac("status").err.startswith("2 nodes are called celery@a")


def test_a_command_of_a_users_own_is_carried_out_by_the_node(terminal: Terminal, worker: Any) -> None:
    terminal.write(
        "shop.py",
        """
        from celeriac import Celery
        from celeriac.control.panel import control_command

        app = Celery("shop")


        @control_command(args=[("n", int)], signature="<N>")
        def double(state, n):
            "Double a number."
            return {"ok": f"{2 * n} on {state.hostname}"}
        """,
    )
    worker("-n", "shop@here")

    ran = terminal.celeriac("-A", "shop", "control", "double", "21", "-d", "shop@here")

    assert (ran.code, "42 on shop@here" in ran.out) == (0, True), ran.err
