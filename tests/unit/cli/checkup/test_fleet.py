"""What the doctor says of nodes, queues and dead letters."""

from __future__ import annotations

import pytest

from celeriac.abc import NodeRecord
from celeriac.cli.checkup.fleet import judge_letters, judge_nodes, judge_queues
from celeriac.core.remark import Level


def node(name: str, version: str) -> NodeRecord:
    return NodeRecord(name, {"version": version, "queues": ["celery"]}, 0.1)


def test_nobody_alive_is_worth_a_word() -> None:
    [remark] = judge_nodes([], version="2.0")

    assert (remark.level, remark.text) == (Level.WARNING, "no worker is alive")


def test_nodes_of_another_version_and_of_one_name_are_named() -> None:
    _, version, name = judge_nodes([node("a@x", "2.0"), node("b@x", "1.0"), node("a@x", "2.0")], version="2.0")

    assert version.text == "b@x runs version 1.0, this is 2.0"
    assert name.text.startswith("2 nodes are called a@x")


@pytest.mark.parametrize(
    ("depth", "served", "paused", "anybody", "expected"),
    [
        (3, True, False, True, Level.FINE),
        (3, False, False, True, Level.ERROR),
        (3, False, False, False, Level.ERROR),
        (0, False, False, True, Level.WARNING),
        (0, False, False, False, Level.FINE),
        (3, True, True, True, Level.WARNING),
    ],
)
def test_a_queue_that_nobody_serves_is_named(depth: int, served: bool, paused: bool, anybody: bool, expected: Level) -> None:
    chosen = {"q"} if served else set[str]()

    [remark] = judge_queues({"q": depth}, served=chosen, paused=frozenset("q" if paused else ""), anybody=anybody)

    assert remark.level is expected


@pytest.mark.parametrize(("count", "expected"), [(0, []), (3, ["3 wait"]), (1000, ["1000 or more wait"])])
def test_dead_letters_are_counted_up_to_a_bound(count: int, expected: list[str]) -> None:
    remarks = [remark.text.partition(":")[0] for remark in judge_letters(count)]

    assert remarks == expected
