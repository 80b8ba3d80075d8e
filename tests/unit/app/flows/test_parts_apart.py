"""No two members of a header end with one id, whatever was frozen before."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from celeriac.app.flows.frozen import freeze
from celeriac.app.flows.normal import chained
from celeriac.app.flows.stored import Stored, calls_in, chain_of, chord_of, ends_of, group_of, members_of
from celeriac.app.flows.unrolling import unroll


def call(name: str, **options: Any) -> Stored:
    return {"task": name, "args": (), "kwargs": {}, "options": options, "subtask_type": None, "immutable": False}


def counting() -> Callable[[], str]:
    numbers = itertools.count()
    return lambda: f"id{next(numbers)}"


def ids_of(chord: Stored) -> list[str]:
    return [end["options"]["task_id"] for member in members_of(chord) for end in ends_of(member)]


FROZEN, OTHER, BODY = call("a", task_id="a"), call("b", task_id="b"), call("body")


@pytest.mark.parametrize(
    "header",
    [
        [FROZEN, FROZEN],
        [FROZEN, OTHER, FROZEN, FROZEN],
        [chain_of([OTHER, FROZEN]), FROZEN],
        [chain_of([OTHER, group_of([FROZEN, OTHER])]), FROZEN, chord_of([OTHER], FROZEN)],
        [group_of([FROZEN, OTHER]), FROZEN],
    ],
)
def test_a_frozen_signature_that_stands_in_a_header_again_has_an_id_of_its_own_there(header: list[Stored]) -> None:
    frozen = freeze(chord_of(header, BODY), counting())

    ids = ids_of(frozen)
    assert len(set(ids)) == len(ids)
    assert "a" in ids


def test_a_chord_that_stands_in_a_header_again_is_another_chord_there() -> None:
    inner = freeze(chord_of([OTHER, call("c")], FROZEN), counting())
    nested = freeze(chain_of([call("first"), inner]), counting())

    for twice in (inner, nested):
        frozen = freeze(chord_of([twice, twice], BODY), counting())

        one, other = unroll(members_of(frozen)[0]), unroll(members_of(frozen)[1])
        ids = [[call["options"]["task_id"] for call in calls_in(member)] for member in members_of(frozen)]
        assert not set(ids[0]) & set(ids[1])
        assert {chord.id for chord in one.chords}.isdisjoint(chord.id for chord in other.chords)


def test_ids_that_differ_stay_as_they_are() -> None:
    frozen = freeze(chord_of([FROZEN, OTHER, call("c")], BODY, {"group_id": "g"}), counting())

    assert ids_of(frozen)[:2] == ["a", "b"]


def test_whoever_freezes_the_same_header_again_sends_the_same_ids() -> None:
    header = chord_of([FROZEN, OTHER, FROZEN], BODY, {"group_id": "g"})

    first, second = freeze(header, counting()), freeze(header, counting())
    again = freeze(first, counting())

    assert ids_of(first) == ids_of(second) == ids_of(again)


def test_members_of_a_group_that_is_followed_are_members_of_a_header() -> None:
    frozen = freeze(chained([group_of([FROZEN, FROZEN]), BODY]), counting())

    assert len(set(ids_of(frozen))) == 2


def test_a_group_that_nobody_follows_may_have_one_id_twice() -> None:
    frozen = freeze(group_of([FROZEN, FROZEN]), counting())

    assert ids_of(frozen) == ["a", "a"]
