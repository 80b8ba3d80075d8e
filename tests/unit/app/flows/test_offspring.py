"""What a task remembers of a workflow that begins: what is sent now, and the body that waits for it."""

from __future__ import annotations

import itertools
from typing import Any

from celeriac.app.flows.frozen import Handle, freeze
from celeriac.app.flows.keeping import Keeping
from celeriac.app.flows.normal import chained
from celeriac.app.flows.offspring import LEVELS, as_child, offspring, trimmed
from celeriac.app.flows.stored import chain_of, chord_of, group_of, is_kept


def call(name: str) -> dict[str, Any]:
    return {"task": name, "args": [], "kwargs": {}, "options": {"task_id": name}}


def children(workflow: Any) -> list[Any]:
    numbers = map("id-{}".format, itertools.count())
    return [as_child(handle) for handle in offspring(freeze(chained([workflow]), lambda: next(numbers)))]


def test_of_a_chain_the_first_step_is_remembered() -> None:
    found = children(chain_of([call("a"), call("b")]))

    assert found == [[["a", None], None]]


def test_of_a_group_the_group_is_remembered_with_its_members() -> None:
    found = children(group_of([call("a"), chain_of([call("b"), call("c")])], {"task_id": "g"}))

    assert found == [[["g", None], [[["a", None], None], [["c", [["b", None], None]], None]]]]


def test_of_a_chord_the_header_is_remembered_and_the_body_as_what_follows_it() -> None:
    found = children(chord_of([call("a"), call("b")], chain_of([call("c"), call("d")]), {"group_id": "g"}))

    assert found == [[["g", None], [[["a", None], None], [["b", None], None]]], [["c", [["g", None], []]], None]]


def test_a_body_that_is_a_chord_follows_the_header_before_it() -> None:
    inner = chord_of([call("b"), call("c")], call("d"), {"group_id": "h"})

    found = children(chord_of([call("a"), call("x")], inner, {"group_id": "g"}))

    assert [child[0] for child in found] == [["g", None], ["h", [["g", None], []]], ["d", [["h", None], []]]]


def test_of_a_chord_without_members_the_body_is_remembered() -> None:
    found = children(chord_of([], call("c"), {"group_id": "g"}))

    assert found == [[["c", None], None]]


def test_a_long_line_is_cut_before_a_reader_refuses_it_as_too_deep() -> None:
    long: Any = [["t0", None], None]
    handle = Handle("t0")
    for number in range(1, 500):
        long, handle = [[f"t{number}", long], None], Handle(f"t{number}", handle)

    cut = trimmed(long)

    assert cut == as_child(handle)
    assert str(cut).count("t") == LEVELS


def test_of_a_body_that_is_kept_its_first_task_is_remembered() -> None:
    body = chain_of([call("c"), *(call(f"d{number}") for number in range(9))])
    whole = freeze(chained([chord_of([call(f"m{number}") for number in range(9)], body, {"group_id": "g"})]), lambda: "id")

    thin = Keeping(lambda signature: 1_000, 100, "json").thin(whole)

    assert is_kept(thin["kwargs"]["body"])
    assert [as_child(handle)[0] for handle in offspring(thin)][1:] == [["c", [["g", None], []]]]
