"""What is seen of a workflow that ``call --signature`` sent: its tree, from the id that is printed; its values if waited for."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from cli.terminal import Terminal

Start = Callable[..., subprocess.Popen[str]]
SHOP = """
    from celeriac import Celery, group

    app = Celery("shop")
    app.conf.result_extended = True


    @app.task
    def add(x, y=0):
        return x + y


    @app.task
    def total(numbers):
        return sum(map(total, numbers)) if isinstance(numbers, list) else numbers


    @app.task
    def fail(value=None):
        raise ValueError("no such thing")


    @app.task
    def spread(count):
        return (add.s(count, 0) | group(add.s(number) for number in range(count))).delay()


    @app.task
    def postpone():
        return add.apply_async((1,), countdown=3600)


    @app.task
    def listed():
        return [["an id", None], None]
"""
SENT = """
    import json, sys

    from celeriac import signature
    from shop import app

    result = signature(json.loads({stored!r}), app=app).apply_async()
    node = result
    while node.parent is not None:
        node = node.parent
        if hasattr(node, "save"):
            node.save()
    result.get(propagate=False, timeout=20)
    print(result.id)
"""
WAIT = ("--wait", "--timeout", "20")


def task(name: str, *args: Any) -> dict[str, Any]:
    return {"task": f"shop.{name}", "args": list(args)}


def chain(*steps: Any) -> dict[str, Any]:
    return {"task": "celery.chain", "subtask_type": "chain", "kwargs": {"tasks": list(steps)}}


def group(*members: Any) -> dict[str, Any]:
    return {"task": "celery.group", "subtask_type": "group", "kwargs": {"tasks": list(members)}}


def chord(header: list[Any], body: Any) -> dict[str, Any]:
    return {"task": "celery.chord", "subtask_type": "chord", "kwargs": {"header": header, "body": body}}


def chunks(*items: Any, size: int = 2) -> dict[str, Any]:
    kwargs = {"task": task("add"), "it": list(items), "n": size}
    return {"task": "celery.chunks", "kwargs": kwargs, "immutable": True}


FAILED_AND_GROUP = chord([chain(task("add", 1, 1), group(task("add", 1), task("add", 2))), task("fail")], task("total"))
WHOLE = {
    "a header with a member that ends with a group": (
        chord([task("add", 1), chain(task("add", 1, 1), group(task("add", 1), task("add", 2)))], task("total")),
        """
        2 in a row
        ├── group of 2  2 SUCCESS
        │   ├── shop.add  SUCCESS
        │   └── 2 in a row
        │       ├── shop.add  SUCCESS
        │       └── group of 2  2 SUCCESS
        │           ├── shop.add  SUCCESS
        │           └── shop.add  SUCCESS
        └── shop.total  SUCCESS  <--
        """,
    ),
    "the same with one that failed": (
        FAILED_AND_GROUP,
        """
        2 in a row
        ├── group of 2  1 SUCCESS, 1 FAILURE
        │   ├── shop.fail  FAILURE
        │   └── 2 in a row
        │       ├── shop.add  SUCCESS
        │       └── group of 2  2 SUCCESS
        │           ├── shop.add  SUCCESS
        │           └── shop.add  SUCCESS
        └── FAILURE  <--
        """,
    ),
    "a chain through a chord that fails": (
        chain(task("add", 1), group(task("add", 1), task("fail")), task("total"), task("add", 1)),
        """
        4 in a row
        ├── shop.add  SUCCESS
        ├── group of 2  1 SUCCESS, 1 FAILURE
        │   ├── shop.fail  FAILURE
        │   └── shop.add  SUCCESS
        ├── FAILURE
        └── FAILURE  <--
        """,
    ),
    "a chord in a header": (
        chord([chord([task("add", 1, 1), task("fail")], task("total")), task("add", 2, 2)], task("total")),
        """
        2 in a row
        ├── group of 2  1 FAILURE, 1 SUCCESS
        │   ├── 2 in a row
        │   │   ├── group of 2  1 SUCCESS, 1 FAILURE
        │   │   │   ├── shop.fail  FAILURE
        │   │   │   └── shop.add  SUCCESS
        │   │   └── FAILURE
        │   └── shop.add  SUCCESS
        └── FAILURE  <--
        """,
    ),
    "chunks": (
        chunks([1, 1], [2, 2], [3, 3]),
        """
        2 in a row
        ├── celery.chunks  SUCCESS  <--
        └── group of 2  2 SUCCESS
            ├── celery.starmap  SUCCESS
            └── celery.starmap  SUCCESS
        """,
    ),
}
_KNOWN = r"  ([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00)"


@pytest.fixture
def shop(terminal: Terminal, worker: Start) -> Terminal:
    terminal.write("shop.py", SHOP)
    worker()
    return terminal


def send(terminal: Terminal, stored: Any, *more: str) -> Any:
    return terminal.celeriac("-A", "shop", "call", "--signature", "-", *more, stdin=json.dumps(stored))


def outline(text: str) -> list[str]:
    """Return the lines of a tree: names and states."""
    lines = [re.sub(_KNOWN, "", line.replace("── ", "──   ")) for line in text.splitlines()]
    return [re.sub(r"FAILURE  (?!<--).*?(  <--)?$", r"FAILURE\1", line).replace("──   ", "── ") for line in lines]


def expected(text: str) -> list[str]:
    return [line[8:] for line in text.splitlines()[1:-1]]


@pytest.mark.parametrize("what", WHOLE)
def test_the_tree_of_the_id_that_is_printed_has_everything_that_was_sent(shop: Terminal, what: str) -> None:
    workflow, tree = WHOLE[what]
    sent = send(shop, workflow)

    ended = shop.celeriac("-A", "shop", "result", sent.out.strip(), "--tree", *WAIT)

    assert outline(ended.out) == expected(tree), ended.err


def test_a_long_chain_is_seen_whole_though_none_of_its_later_steps_ran(shop: Terminal) -> None:
    sent = send(shop, chain(task("fail"), *(task("add", 1) for _ in range(120))))

    ended = shop.celeriac("-A", "shop", "result", sent.out.strip(), "--tree", *WAIT)

    lines = outline(ended.out)
    assert (lines[0], len(lines)) == ("121 in a row", 122), ended.err
    assert lines[1] == "├── shop.fail  FAILURE"
    assert lines[-1] == "└── FAILURE  <--"


@pytest.mark.parametrize("what", ["a header with a member that ends with a group", "the same with one that failed"])
def test_the_tree_of_what_a_program_sent_has_the_header_that_it_saved(shop: Terminal, what: str) -> None:
    workflow, tree = WHOLE[what]
    sent = shop.python(SENT.format(stored=json.dumps(workflow)))

    ran = shop.celeriac("-A", "shop", "result", sent.out.strip(), "--tree")

    assert outline(ran.out) == expected(tree), sent.err + ran.err


def test_a_group_inside_a_workflow_that_was_sent_is_found_by_its_id(shop: Terminal) -> None:
    sent = send(shop, WHOLE["a chord in a header"][0])
    rows = shop.celeriac("-A", "shop", "result", sent.out.strip(), "--tree", "--json", *WAIT).json
    [inner] = [row for row in rows if row["kind"] == "group" and row["group"] is None and row["id"] != sent.out.strip()][1:]

    ran = shop.celeriac("-A", "shop", "result", inner["id"], "--tree")

    assert outline(ran.out)[0].startswith("group of 2"), ran.err


@pytest.mark.parametrize(
    ("workflow", "values"),
    [
        (chunks([1, 1], [2, 2], [3, 3]), "[[2, 4], [6]]\n"),
        (group(task("add", 1), chunks([1, 1], [2, 2], [3, 3])), "[1, [[2, 4], [6]]]\n"),
        (chain(task("add", 1), chunks([1, 1], [2, 2], size=1)), "[[2], [4]]\n"),
        (task("spread", 3), "[3, 4, 5]\n"),
        (task("listed"), "[['an id', None], None]\n"),
    ],
)
def test_values_are_printed_of_what_the_end_has_sent_and_returns(shop: Terminal, workflow: Any, values: str) -> None:
    ran = send(shop, workflow, *WAIT)

    assert (ran.code, ran.out) == (0, values), ran.err


def test_a_chunk_that_fails_is_a_failure_of_what_was_sent(shop: Terminal) -> None:
    workflow = chunks([1, 1], [2, "x"], [3, 3])

    told = send(shop, workflow, *WAIT)
    listed = send(shop, workflow, "--json", *WAIT)

    assert (told.code, told.out) == (1, "")
    assert re.fullmatch(r"celeriac: 1 of 3 tasks of \S+ have not succeeded; the first: TypeError: unsupported.*\n", told.err)
    assert (listed.code, listed.json["completed"], listed.json["total"], listed.json["result"][1]) == (1, 2, 3, [6])


def test_a_wait_for_what_the_end_has_sent_has_an_end_in_time(shop: Terminal) -> None:
    ran = send(shop, task("postpone"), "--wait", "--timeout", "1")

    assert ran.code == 1
    assert ran.err.endswith("within 1 s; the task goes on\n")
