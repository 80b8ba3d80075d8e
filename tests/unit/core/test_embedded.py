"""Signatures that came with a message: what is none is found before anything runs, and named by its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celeriac.core import embedded
from celeriac.core.errors import DecodeError

GOOD: dict[str, Any] = {"task": "add", "args": [1], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False}


def composite(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {**GOOD, "task": f"celery.{kind}", "kwargs": kwargs, "subtask_type": kind}


@pytest.mark.parametrize(
    "stored",
    [
        GOOD,
        [GOOD, GOOD],
        composite("chain", tasks=[GOOD, composite("group", tasks=[GOOD, GOOD])]),
        composite("group", tasks=[]),
        composite("chord", header=[GOOD], body=GOOD, kwargs={}),
        composite("chord", header=composite("group", tasks=[GOOD]), body=composite("chain", tasks=[GOOD])),
        {**GOOD, "subtask_type": "xmap", "task": "celery.map", "kwargs": {"task": GOOD, "it": [1]}},
        {
            **GOOD,
            "options": {"link": GOOD, "link_error": [GOOD], "chord": GOOD, "chain": [GOOD], "group_index": 3, "task_id": "a"},
        },
    ],
)
def test_what_is_a_signature_stays_as_it_is(stored: Any) -> None:
    before = json.dumps(stored)

    embedded.check("chain", stored)

    assert json.dumps(stored) == before


def test_what_may_be_left_out_is_filled_in() -> None:
    stored: dict[str, Any] = {"task": "add", "kwargs": None, "options": {"link": {"task": "sub"}}}

    embedded.check("chord", stored)

    assert stored == {
        "task": "add",
        "args": (),
        "kwargs": {},
        "options": {"link": {"task": "sub", "args": (), "kwargs": {}, "options": {}}},
    }


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (17, " is a int, and no signature"),
        ({}, ".task is no name of a task"),
        ({**GOOD, "task": ""}, ".task is no name"),
        ({**GOOD, "task": "a\nb"}, ".task is no name"),
        ({**GOOD, "task": "t" * 300}, ".task is no name"),
        ({**GOOD, "args": "12"}, ".args is a str"),
        ({**GOOD, "kwargs": [1]}, ".kwargs is a list"),
        ({**GOOD, "options": 3}, ".options is a int"),
        ({**GOOD, "subtask_type": 3}, ".subtask_type is a int"),
        ({**GOOD, "options": {"task_id": 5}}, ".options.task_id is no text"),
        ({**GOOD, "options": {"group_id": "g" * 300}}, ".options.group_id is no text"),
        ({**GOOD, "options": {"group_index": -1}}, ".options.group_index is no count"),
        ({**GOOD, "options": {"group_index": True}}, ".options.group_index is no count"),
        ({**GOOD, "options": {"link": 3}}, ".options.link is a int, and no list of signatures"),
        ({**GOOD, "options": {"link_error": [GOOD, None]}}, ".options.link_error[1] is a NoneType, and no signature"),
        ({**GOOD, "options": {"chord": []}}, ".options.chord is a list, and no signature"),
        ({**GOOD, "options": {"chain": [{}]}}, ".options.chain[0].task is no name"),
        (composite("chain"), ".kwargs.tasks is a NoneType, and no list"),
        (composite("chain", tasks=[]), ".kwargs.tasks is empty"),
        (composite("group", tasks=[GOOD, {**GOOD, "args": 3}]), ".kwargs.tasks[1].args is a int"),
        (composite("chord", header=[GOOD]), ".kwargs.body is a NoneType, and no signature"),
        (composite("chord", header=3, body=GOOD), ".kwargs.header is a int, and no list"),
        (composite("chord", header=GOOD, body=GOOD), ".kwargs.header is no group"),
        ([GOOD, {}], "[1].task is no name of a task"),
    ],
)
def test_what_is_none_is_named_by_its_place(stored: Any, said: str) -> None:
    with pytest.raises(DecodeError) as caught:
        embedded.check("chord", stored)

    assert str(caught.value).startswith(f"chord{said}")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*GOOD, "tasks", "header", "body", "link", "task_id"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(JUNK)
def test_whatever_it_is_it_is_refused_or_has_all_its_parts(stored: Any) -> None:
    try:
        embedded.check("chain", [stored])
    except DecodeError:
        return

    assert {"task", "args", "kwargs", "options"} <= stored.keys()


def test_an_empty_chain_that_follows_something_is_taken_out() -> None:
    empty = {"task": "celery.chain", "kwargs": {"tasks": []}, "subtask_type": "chain"}
    links = {"link": dict(empty), "link_error": [dict(empty), {"task": "b"}]}
    several: list[Any] = [dict(empty), {"task": "a", "options": links}]

    embedded.check("callbacks", several)

    assert [one["task"] for one in several] == ["a"]
    assert several[0]["options"]["link"] is None
    assert [one["task"] for one in several[0]["options"]["link_error"]] == ["b"]
