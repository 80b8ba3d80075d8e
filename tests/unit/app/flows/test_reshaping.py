"""What takes a task's place in its workflow, and what a member adds to its chord: as plain data."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from celeriac.app.flows.normal import NESTED, row
from celeriac.app.flows.reshaping import ADDED, added_ids, added_to, in_place_of
from celeriac.app.flows.stored import Stored, chain_of, chord_of, group_of, kind_of, members_of
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.message import Message

BODY: dict[str, Any] = {"task": "body", "args": [], "kwargs": {}, "options": {"task_id": "body"}, "subtask_type": None}


def call(task: str, **options: Any) -> dict[str, Any]:
    return {"task": task, "args": [], "kwargs": {}, "options": options, "subtask_type": None, "immutable": False}


def ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"new{next(numbers)}"


def a_message(**fields: Any) -> Message:
    return Message(**{"id": "mine", "task": "replaced", "root_id": "root", **fields})


def replaced(chosen: Stored, *, members_hear: bool = False, **fields: Any) -> Stored:
    return in_place_of(a_message(**fields), chosen, ids(), members_hear=members_hear)


def options_of(signature: Stored) -> dict[str, Any]:
    return {name: value for name, value in signature["options"].items() if value is not None}


def test_a_single_task_takes_everything_over() -> None:
    found = replaced(call("other"), group="g", group_index=3, chord=BODY, callbacks=[call("hear")], parent_id="parent")

    assert options_of(found) == {
        "task_id": "mine", "root_id": "root", "parent_id": "parent", "group_id": "g", "group_index": 3, "chord": BODY,
        "link": [call("hear")], "replaced_task_nesting": 1,
    }  # fmt: skip


def test_of_a_chain_only_the_end_takes_the_id_and_the_place() -> None:
    found = replaced(chain_of([call("first"), call("last")]), group="g", group_index=3, chord=BODY, callbacks=[call("hear")])

    first, last = members_of(found)
    assert options_of(first) == {"task_id": "new1", "root_id": "root", "replaced_task_nesting": 1}
    assert (last["options"]["task_id"], last["options"]["chord"], last["options"]["link"]) == ("mine", BODY, [call("hear")])


def test_what_followed_follows_with_the_ids_that_it_had() -> None:
    rest = [call("third", task_id="3"), call("second", task_id="2")]

    found = replaced(chord_of([call("a"), call("b")], call("total")), chain=rest)

    body = found["kwargs"]["body"]
    assert [(one["task"], one["options"]["task_id"]) for one in members_of(body)] == [
        ("total", "mine"), ("second", "2"), ("third", "3"),
    ]  # fmt: skip
    assert [one["options"]["replaced_task_nesting"] for one in members_of(body)] == [1, 1, 1]


def test_what_is_kept_elsewhere_stays_as_it_is() -> None:
    reference = {**call("celeriac.kept", task_id="k"), "kwargs": {"key": "kept-k", "serializer": "json"}}

    found = replaced(call("other"), chain=[reference])

    assert members_of(found)[1] == reference


@pytest.mark.parametrize(
    "chosen",
    [
        group_of([call("a")]),
        chain_of([call("z"), group_of([call("a"), call("b")])]),
        chord_of([call("z")], group_of([call("a")])),
    ],
)
def test_what_ends_with_a_group_ends_with_its_list(chosen: Stored) -> None:
    end = replaced(chosen)
    while kind_of(end) is not None:
        end = members_of(end)[-1] if kind_of(end) == "chain" else end["kwargs"]["body"]

    assert (end["task"], end["kwargs"], end["options"]["task_id"]) == ("celery.accumulate", {"index": 0}, "mine")


def test_options_of_a_workflow_are_those_of_what_is_called_first_and_its_links_those_of_its_end() -> None:
    chosen = chain_of([call("first"), call("last")], {"queue": "far", "link": [call("own")], "task_id": "lost"})

    first, last = members_of(replaced(chosen, callbacks=[call("hear")]))

    assert (first["options"]["queue"], last["options"].get("queue")) == ("far", None)
    assert (last["options"]["link"], last["options"]["task_id"]) == ([call("own"), call("hear")], "mine")


@pytest.mark.parametrize("members_hear", [False, True])
def test_errbacks_are_heard_by_every_step_and_by_members_if_the_setting_says_so(members_hear: bool) -> None:
    chosen = chain_of([call("first"), chord_of([call("member")], call("total"))])

    found = replaced(chosen, members_hear=members_hear, errbacks=[call("hear")])

    first, made = members_of(found)
    heard = [first["options"].get("link_error"), made["kwargs"]["body"]["options"].get("link_error")]
    assert heard == [[call("hear")], [call("hear")]]
    assert members_of(made)[0]["options"].get("link_error") == ([call("hear")] if members_hear else None)


def test_headers_and_stamps_are_kept_by_all_and_ones_own_win() -> None:
    chosen = group_of([call("a"), call("b", headers={"h": 2}, stamped_headers=["s"], s="own")])

    found = replaced(chosen, headers={"h": 1}, stamped_headers=["s", "t"], stamps={"s": "s1", "t": "t1"})

    told = [options_of(one) for one in members_of(found)]
    assert [(one["headers"], one["s"], one["t"], sorted(one["stamped_headers"])) for one in told] == [
        ({"h": 1}, "s1", "t1", ["s", "t"]),
        ({"h": 2}, "own", "t1", ["s", "t"]),
    ]


def test_what_is_handed_in_is_not_changed() -> None:
    chosen = chain_of([call("first"), group_of([call("a")])])
    before = repr(chosen)

    replaced(chosen, callbacks=[call("hear")], errbacks=[call("hear")], headers={"h": 1})

    assert repr(chosen) == before


def test_an_empty_chain_and_a_member_of_a_chord_are_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="empty chain"):
        replaced(chain_of([]))
    with pytest.raises(ImproperlyConfigured, match="must not be a member of one already"):
        replaced(call("other", chord=BODY))


# ---- Members that are added ----------------------------------------------------------------------------------------


MEMBER = {"group": "g", "group_index": 1, "chord": BODY}


@pytest.mark.parametrize(
    ("chosen", "parts"),
    [
        (call("a"), 1),
        (chain_of([call("z"), call("a")]), 1),
        (group_of([call("a"), call("b")]), 2),
        (group_of([chain_of([call("z"), call("a")]), chord_of([call("z")], call("b"))]), 2),
        (chord_of([call("z"), call("y")], call("a")), 1),
        (chain_of([call("z"), group_of([call("a"), call("b")])]), 1),
    ],
)
def test_an_added_member_says_by_itself_that_it_is_one_more(chosen: Stored, parts: int) -> None:
    found = added_to(a_message(**MEMBER), chosen, ids(), ordinal=0)

    ends = list(_ends(found))
    assert [end["options"]["task_id"] for end in ends] == added_ids(found)
    assert [(end["options"]["group_id"], end["options"].get("group_index")) for end in ends] == [("g", None)] * parts
    assert all(end["options"]["chord"] == {**BODY, ADDED: True} for end in ends)


def test_a_run_that_is_repeated_adds_the_same_members_and_another_one_others() -> None:
    def added(ordinal: int = 0, **fields: Any) -> list[str]:
        whole = group_of([call("a"), chain_of([call("z"), call("b")])])
        return added_ids(added_to(a_message(**{**MEMBER, **fields}), whole, ids(), ordinal=ordinal))

    assert added() == added()
    assert len({*added(), *added(ordinal=1), *added(retries=1), *added(id="other")}) == 8


def test_a_member_that_has_an_id_keeps_it() -> None:
    found = added_to(a_message(**MEMBER), call("a", task_id="chosen"), ids(), ordinal=0)

    assert added_ids(found) == ["chosen"]


@pytest.mark.parametrize("fields", [{}, {"group": "g", "group_index": 0}, {**MEMBER, "chain": [call("next")]}])
def test_nothing_is_added_by_a_task_that_brings_no_part(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a member of a chord"):
        added_to(a_message(**fields), call("a"), ids(), ordinal=0)


def _ends(signature: Stored) -> Any:
    match kind_of(signature):
        case None:
            yield signature
        case "chain":
            yield from _ends(members_of(signature)[-1])
        case "group":
            for member in members_of(signature):
                yield from _ends(member)
        case _:
            yield from _ends(signature["kwargs"]["body"])


@pytest.mark.parametrize("members_hear", [False, True])
def test_errbacks_of_a_replacement_are_heard_for_the_headers_of_a_long_row_as_for_those_of_a_short_one(
    members_hear: bool,
) -> None:
    pairs = [step for _ in range(NESTED + 3) for step in (group_of([call("a"), call("b")]), call("c"))]

    found = replaced(chain_of([call("first"), *pairs]), errbacks=[call("hear")], members_hear=members_hear)

    steps = row([found])
    members = [member for step in steps if kind_of(step) == "group" for member in members_of(step)]
    assert {"link_error" in member["options"] for member in members} == {members_hear}
    assert all("link_error" in step["options"] for step in steps if kind_of(step) is None)
    assert (len(steps), steps[-1]["options"]["task_id"]) == (1 + len(pairs), "mine")
