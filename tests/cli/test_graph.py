"""``celeriac graph workflow``, ``result --tree`` and ``call --signature``: workflows at the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from cli.terminal import Terminal

Start = Callable[..., subprocess.Popen[str]]
FLOWS = """
    from celeriac import Secret, chain, chord, group
    from shop import add, app, fail


    @app.task
    def total(numbers):
        return sum(numbers)


    @app.task
    def login(user, password: Secret[str]):
        return user


    nightly = group(add.s(i, i) for i in range(3)) | total.s()
    entering = chain(add.s(1, 1), login.s("hunter2"))


    def made():
        return nightly


    def needy(count):
        return nightly


    def broken():
        raise RuntimeError("out of flour")


    odd = 3
"""
SHOP = """
    from celeriac import Celery

    app = Celery("shop")


    @app.task
    def add(x, y=0):
        return x + y


    @app.task
    def total(numbers):
        return sum(numbers)
"""
ADD: dict[str, Any] = {"task": "shop.add", "args": [1, 2]}
CHAIN = {"task": "celery.chain", "kwargs": {"tasks": [ADD, {"task": "shop.add", "args": [4]}]}, "subtask_type": "chain"}
GROUP = {"task": "celery.group", "kwargs": {"tasks": [ADD, {"task": "shop.fail"}]}, "subtask_type": "group"}


@pytest.fixture
def flows(terminal: Terminal) -> Terminal:
    terminal.write("flows.py", FLOWS)
    terminal.write("chain.json", json.dumps(CHAIN))
    terminal.write("group.json", json.dumps(GROUP))
    return terminal


@pytest.mark.parametrize("name", ["flows:nightly", "flows.nightly", "flows:made"])
def test_a_signature_is_drawn_by_its_name_or_that_of_what_makes_it(flows: Terminal, name: str) -> None:
    ran = flows.celeriac("graph", "workflow", name)

    assert ran.out.splitlines() == [
        "chain of 2",
        "├── chord of 3",
        "│   ├── shop.add(0, 0)",
        "│   ├── shop.add(1, 1)",
        "│   └── shop.add(2, 2)",
        "└── flows.total()",
    ], ran.err


def test_a_task_is_drawn_as_a_call_of_it(flows: Terminal) -> None:
    ran = flows.celeriac("graph", "workflow", "shop:add")

    assert ran.out == "shop.add()\n", ran.err


def test_arguments_of_a_task_that_has_secrets_are_not_drawn(flows: Terminal) -> None:
    ran = flows.celeriac("graph", "workflow", "flows:entering")

    assert "hunter2" not in ran.out
    assert "flows.login(***)" in ran.out, ran.err


@pytest.mark.parametrize(("form", "first"), [("dot", "digraph workflow {"), ("mermaid", "flowchart LR")])
def test_a_signature_in_json_is_drawn_in_the_language_that_is_asked_for(flows: Terminal, form: str, first: str) -> None:
    ran = flows.celeriac("graph", "workflow", "-", "--format", form, stdin=json.dumps(CHAIN))

    assert ran.out.splitlines()[0] == first, ran.err
    assert "shop.add(1, 2)" in ran.out


def test_programs_get_nodes_and_edges_as_json(flows: Terminal) -> None:
    ran = flows.celeriac("graph", "workflow", "chain.json", "--json")

    assert [node["lines"] for node in ran.json["nodes"]] == [["shop.add(1, 2)"], ["shop.add(4)"]]
    assert ran.json["edges"] == [{"start": "n1", "end": "n2", "role": "then"}]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("flows:odd", "flows:odd is no signature, nor does it return one: it is of type 'int'"),
        ("flows:needy", "flows:needy must be called without arguments"),
        ("flows:broken", "flows:broken() failed with RuntimeError: out of flour"),
        ("flows:nothing", "flows:nothing: 'flows' has no attribute 'nothing'"),
        ("nowhere:x", "nowhere:x: there is no module 'nowhere'"),
        (":x", "':x': that names no module"),
        ("missing.json", "missing.json cannot be read: No such file"),
        ("-", "stdin is not JSON"),
    ],
)
def test_what_is_no_signature_is_told_in_one_sentence(flows: Terminal, source: str, told: str) -> None:
    ran = flows.celeriac("graph", "workflow", source, stdin="[1")

    assert ran.code in {1, 2}
    assert told in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"task": "a", "args": {}}', "the signature.args is a dict"),
        ('{"args": []}', "the signature.task is no name of a task"),
        ("[]", "stdin holds no signature: it is a list"),
        (
            '{"task": "g", "subtask_type": "group", "kwargs": {"tasks": [' * 5000,
            "stdin holds no signature: it is nested too deep",
        ),
        (
            '{"task":"g","subtask_type":"group","kwargs":{"tasks":[' * 200 + '{"task":"a"}' + "]}}" * 200,
            "nested more than 100 levels deep",
        ),
        (
            '{"task":"g","subtask_type":"group","kwargs":{"tasks":[' * 9000 + '{"task":"a"}' + "]}}" * 9000,
            "it is nested too deep",
        ),
    ],
)
def test_a_strangers_signature_is_refused_with_where_it_is_wrong(flows: Terminal, text: str, told: str) -> None:
    ran = flows.celeriac("graph", "workflow", "-", stdin=text)

    assert ran.code in {1, 2}
    assert told in ran.err
    assert ran.err.count("\n") == 1


def test_a_signature_and_a_result_are_two_drawings(flows: Terminal) -> None:
    neither = flows.celeriac("graph", "workflow")
    both = flows.celeriac("graph", "workflow", "flows:nightly", "--result", "x")

    assert (neither.code, both.code) == (2, 2)
    assert "say what to draw" in neither.err
    assert "say what to draw" in both.err


def test_a_workflow_is_sent_and_its_value_printed(flows: Terminal, worker: Start) -> None:
    worker()

    ran = flows.celeriac("-A", "shop", "call", "--signature", "chain.json", "--wait", "--timeout", "20")

    assert (ran.code, ran.out) == (0, "7\n"), ran.err


def test_a_chain_is_seen_from_its_end_with_what_came_before(flows: Terminal, worker: Start) -> None:
    worker()
    id = flows.celeriac("-A", "shop", "call", "--signature", "chain.json").out.strip()

    ran = flows.celeriac("-A", "shop", "result", id, "--tree", "--wait", "--timeout", "20")

    first, before, end = ran.out.splitlines()
    assert first == "2 in a row", ran.err
    assert before.startswith("├── ")
    assert end.startswith(f"└── {id}  SUCCESS  ")
    assert end.endswith("  <--")


def test_a_group_that_was_sent_here_is_found_by_its_id(flows: Terminal, worker: Start) -> None:
    worker()
    id = flows.celeriac("-A", "shop", "call", "--signature", "group.json").out.strip()

    waited = flows.celeriac("-A", "shop", "result", id, "--timeout", "20", "--json")
    tree = flows.celeriac("-A", "shop", "result", id, "--tree")
    rows = flows.celeriac("-A", "shop", "result", id, "--tree", "--json").json
    graph = flows.celeriac("-A", "shop", "graph", "workflow", "--result", id, "--format", "mermaid")

    assert (waited.code, waited.json["completed"], waited.json["total"]) == (1, 1, 2), waited.err
    assert tree.out.splitlines()[0] == f"group of 2  {id}  1 SUCCESS, 1 FAILURE  <--"
    assert tree.out.splitlines()[1].endswith("ValueError: no such thing")
    assert [row["state"] for row in rows if row["kind"] == "task"] == ["SUCCESS", "FAILURE"]
    assert "FAILURE<br/>" in graph.out, graph.err


def test_a_group_in_which_a_task_failed_is_told_in_one_sentence(flows: Terminal, worker: Start) -> None:
    worker()

    ran = flows.celeriac("-A", "shop", "call", "--signature", "group.json", "--wait", "--timeout", "20")

    assert ran.code == 1
    assert ran.err.endswith("have not succeeded; the first: ValueError: no such thing\n")
    assert "1 of 2 tasks" in ran.err


def test_a_task_of_which_nothing_is_known_is_a_tree_of_one_line(flows: Terminal) -> None:
    ran = flows.celeriac("-A", "shop", "result", "nobody", "--tree")

    assert (ran.code, ran.out) == (0, "nobody  PENDING  <--\n"), ran.err


def test_either_a_name_or_a_signature_is_sent(flows: Terminal) -> None:
    neither = flows.celeriac("-A", "shop", "call")
    both = flows.celeriac("-A", "shop", "call", "shop.add", "--signature", "chain.json")

    assert (neither.code, both.code) == (2, 2)
    assert "say what to send" in neither.err
    assert "say what to send" in both.err


@pytest.mark.parametrize("more", [("--tree", "--traceback"), ("--tree", "--timeout", "3")])
def test_options_of_result_that_do_not_go_together_are_refused(flows: Terminal, more: tuple[str, ...]) -> None:
    ran = flows.celeriac("-A", "shop", "result", "nobody", *more)

    assert ran.code == 2


def test_a_chord_that_was_sent_here_is_seen_whole_from_the_id_of_its_body(flows: Terminal, worker: Start) -> None:
    header = [ADD, {"task": "shop.add", "args": [5, 5]}]
    chord = {"task": "celery.chord", "subtask_type": "chord", "kwargs": {"header": header, "body": {"task": "shop.total"}}}
    flows.write("shop.py", SHOP)
    worker()
    id = flows.celeriac("-A", "shop", "call", "--signature", "-", stdin=json.dumps(chord)).out.strip()

    ran = flows.celeriac("-A", "shop", "result", id, "--tree", "--wait", "--timeout", "20")

    lines = ran.out.splitlines()
    assert (lines[0], lines[1][:16], len(lines)) == ("2 in a row", "├── group of 2  ", 5), ran.err
    assert lines[-1].startswith(f"└── {id}  SUCCESS")
