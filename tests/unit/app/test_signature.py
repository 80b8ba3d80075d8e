"""Signatures: calls as data."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from celeriac import Celery, Signature, group, signature
from celeriac.app.following import following
from unit.app.serving import waiting


@pytest.fixture
def add(app: Celery) -> Any:
    @app.task(name="add")
    def add(x: int, y: int, z: int = 0) -> int:
        return x + y + z

    return add


def test_it_is_the_mapping_that_celery_writes(add: Any) -> None:
    written = json.loads(json.dumps(add.s(1, z=2).set(countdown=3)))

    assert written == {
        "task": "add",
        "args": [1],
        "kwargs": {"z": 2},
        "options": {"countdown": 3},
        "subtask_type": None,
        "immutable": False,
    }


def test_arguments_given_later_go_first_and_keywords_win(app: Celery, add: Any) -> None:
    add.s(2, z=1).delay(4, z=5)

    [message] = waiting(app)
    assert (list(message.args), message.kwargs) == ([4, 2], {"z": 5})


def test_an_immutable_one_takes_no_arguments_but_options(app: Celery, add: Any) -> None:
    add.si(1, 2).apply_async((9,), {"z": 9}, priority=4)

    [message] = waiting(app)
    assert (list(message.args), message.kwargs, message.priority) == ([1, 2], {}, 4)


def test_a_clone_is_changed_alone(add: Any) -> None:
    original = add.s(2, z=1)

    clone = original.clone((1,), {"z": 3}, countdown=1)

    assert (original.args, original.kwargs, original.options) == ((2,), {"z": 1}, {})
    assert (clone.args, clone.kwargs, clone.options) == ((1, 2), {"z": 3}, {"countdown": 1})
    assert isinstance(clone, Signature)


def test_a_stored_one_is_read_back_even_with_keys_missing(app: Celery) -> None:
    found = app.signature({"task": "add", "args": [1]})

    found.delay(2)

    [message] = waiting(app)
    assert (message.task, list(message.args)) == ("add", [2, 1])


def test_it_can_be_pickled_and_called_as_a_function(app: Celery, add: Any) -> None:
    copy = pickle.loads(pickle.dumps(add.s(1, 2)))

    assert copy == add.s(1, 2)
    assert add.s(2)(1, z=3) == 6


def test_links_are_added_once(add: Any) -> None:
    first = add.s(1)

    first.link(add.s(2))
    first.link(add.s(2))
    first.link_error(add.s(3))

    assert first.options == {"link": [add.s(2)], "link_error": [add.s(3)]}


def test_a_misspelt_option_is_refused_where_it_is_written(add: Any) -> None:
    with pytest.raises(TypeError, match="did you mean 'countdown'"):
        add.s(1).set(countdwn=1)
    with pytest.raises(TypeError, match="did you mean 'queue'"):
        signature("add", (1,), quue="q")  # type: ignore[call-overload]


def test_the_bar_does_not_merge_two_signatures_as_it_would_two_dicts(add: Any) -> None:
    with pytest.raises(TypeError, match="is followed by a signature"):
        _ = add.s(1) | {"args": 2}
    with pytest.raises(TypeError, match="follows a signature"):
        _ = {} | add.s(2)


def test_a_group_takes_signatures_only(add: Any) -> None:
    with pytest.raises(TypeError, match="takes signatures"):
        group([add])


def test_a_group_has_no_end_to_link_to(add: Any) -> None:
    with pytest.raises(TypeError, match="link its members"):
        group(add.s(1, 2)).apply_async(link=add.s(1))


def test_a_callback_that_came_in_a_message_becomes_a_message(app: Celery, add: Any) -> None:
    add.apply_async((1, 1))
    [caller] = waiting(app)
    stored = {
        "task": "add",
        "args": [5],
        "options": {"task_id": "next", "queue": "q", "stamped_headers": ["a"], "a": 1, "new": 2},
    }

    [outgoing] = following(app, stored, [2], caller).messages

    headers = outgoing.parcel.headers
    assert (outgoing.queue, headers["id"], headers["root_id"], headers["parent_id"]) == ("q", "next", caller.id, caller.id)
    assert (headers["stamps"], headers["argsrepr"]) == ({"a": 1}, "(2, 5)")
