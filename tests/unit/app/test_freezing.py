"""Ids that are fixed before a workflow is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from celeriac import AsyncResult, Celery, GroupResult, Signature, chain, chord, group
from celeriac.app.freezing import linked_to
from unit.app.serving import waiting


def ids(app: Celery) -> list[str]:
    return [message.id for message in waiting(app)]


def test_a_frozen_call_has_the_options_that_celery_gives_it(app: Celery, add: Any, total: Any) -> None:
    call = add.s(1, 2)

    result = call.freeze("id", group_id="group", chord=total.s(), root_id="root", parent_id="parent", group_index=3)

    assert isinstance(result, AsyncResult)
    assert (result.id, call.id, call.root_id, call.parent_id) == ("id", "id", "root", "parent")
    assert call.options == {
        "task_id": "id",
        "reply_to": app.here.reply_to,
        "root_id": "root",
        "parent_id": "parent",
        "group_id": "group",
        "group_index": 3,
        "chord": total.s(),
    }


def test_what_is_frozen_stays_and_is_sent_under_its_id_each_time(app: Celery, add: Any) -> None:
    call = add.s(1, 2)
    first = call.freeze()

    again = call.freeze("another", group_id="g")
    sent = [call.apply_async(), call.delay()]

    assert [again.id, *(each.id for each in sent)] == [first.id] * 3
    assert ids(app) == [first.id] * 2
    call.freeze(group_id="other")
    assert call.options["group_id"] == "g"


def test_a_frozen_chain_has_ids_for_all_its_steps(app: Celery, add: Any) -> None:
    steps: Any = chain(add.s(1), add.s(2), add.s(3))

    result = steps.freeze("end", root_id="root", parent_id="parent")
    sent = steps.apply_async()

    assert (result.id, steps.id, sent.id) == ("end", "end", "end")
    assert result.as_list() == sent.as_list() == [step.id for step in reversed(steps.tasks)]
    assert [step.root_id for step in steps.tasks] == ["root"] * 3
    assert [step.parent_id for step in steps.tasks] == ["parent", None, None]
    [message] = waiting(app)
    assert (message.id, message.root_id, message.parent_id) == (steps.tasks[0].id, "root", "parent")
    assert [step["options"]["task_id"] for step in message.chain or ()] == ["end", steps.tasks[1].id]


def test_a_frozen_group_has_ids_for_itself_and_its_members(app: Celery, add: Any) -> None:
    members = group([add.s(1), add.s(2)])

    result = members.freeze()
    sent = members.apply_async()

    assert isinstance(result, GroupResult)
    assert (result.id, [each.id for each in result.results]) == (members.id, [each.id for each in members.tasks])
    assert sent == result
    found = waiting(app)
    assert [(each.id, each.group, each.group_index) for each in found] == [
        (result.results[0].id, result.id, 0),
        (result.results[1].id, result.id, 1),
    ]


def test_a_frozen_chord_has_ids_for_header_members_and_body(app: Celery, add: Any, total: Any) -> None:
    whole: Any = chord([add.s(1), add.s(2)], total.s())

    result = whole.freeze("body")
    sent = [whole.apply_async(), whole()]

    assert result.id == "body"
    assert [each.as_tuple() for each in sent] == [result.as_tuple()] * 2
    assert result.parent.id == whole.id
    found = waiting(app)
    assert {each.group for each in found} == {whole.id}
    assert [each.id for each in found] == [each.id for each in result.parent.results] * 2
    assert {(each.chord or {})["options"]["task_id"] for each in found} == {"body"}


def test_a_nested_workflow_keeps_its_ids_through_json_and_in_another_process(app: Celery, add: Any, total: Any) -> None:
    whole: Any = add.s(1) | group(add.s(1) | add.s(2), add.s(3)) | total.s() | add.s(1)
    result = whole.freeze()

    read = Signature.from_dict(json.loads(json.dumps(whole)), app)

    assert read.freeze().as_tuple() == read.apply_async().as_tuple() == result.as_tuple()
    assert ids(app) == [whole.tasks[0].id]


def test_a_clone_is_frozen_alone(add: Any, total: Any) -> None:
    wholes: list[Any] = [add.s(1) | add.s(2), group([add.s(1), add.s(2)]), chord([add.s(1)], total.s() | add.s(1))]
    before = [json.dumps(each) for each in wholes]

    for each in wholes:
        each.clone().freeze()

    assert [json.dumps(each) for each in wholes] == before


def test_a_group_that_was_frozen_is_the_header_under_its_id(app: Celery, add: Any, total: Any) -> None:
    members: Any = group([add.s(1), add.s(2)])
    frozen = members.freeze()
    wholes: list[Any] = [chord(members, total.s()), members | total.s()]

    for whole in wholes:
        result: Any = whole.apply_async()
        assert result.parent.as_tuple() == frozen.as_tuple()


def test_the_end_of_a_workflow_is_the_member_of_a_chord_or_group_around_it(app: Celery, add: Any, total: Any) -> None:
    steps: Any = add.s(1) | add.s(2)
    around = total.s().set(task_id="body")

    result = steps.run(group_id="around", chord=around, group_index=4, task_id="end", root_id="root")

    [message] = waiting(app)
    assert result.id == "end"
    assert (message.group, message.chord, message.root_id) == (None, None, "root")
    [last] = message.chain or ()
    assert (last["options"]["task_id"], last["options"]["group_id"], last["options"]["group_index"]) == ("end", "around", 4)
    assert last["options"]["chord"]["options"]["task_id"] == "body"


def test_freezing_a_member_says_so_at_its_end(add: Any, total: Any) -> None:
    inner: Any = chord([add.s(1), add.s(2)], total.s())
    pair: Any = add.s(1) | group([add.s(2), add.s(3)])
    body = total.s()

    inner.freeze(group_id="around", chord=body, group_index=1)
    pair.freeze(group_id="around", chord=body, group_index=2)

    assert (inner.body.options["group_id"], inner.body.options["group_index"], inner.body.options["chord"]) == ("around", 1, body)
    assert "group_id" not in inner.options
    assert [(each.options["group_index"], each.options["chord"]) for each in pair.tasks[-1].tasks] == [(2, body), (3, body)]
    assert "chord" not in pair.tasks[0].options


def test_a_result_that_is_its_own_parent_is_found_out(app: Celery) -> None:
    first: AsyncResult[int] = AsyncResult("a", app=app)
    second: AsyncResult[int] = AsyncResult("b", app=app)
    first.parent, second.parent = second, first

    with pytest.raises(RuntimeError, match="circle"):
        linked_to(first, AsyncResult("c", app=app))


def test_a_frozen_call_runs_here_and_now_under_its_id(app: Celery, add: Any, total: Any) -> None:
    steps: Any = add.s(1) | add.s(2)
    whole: Any = chord([add.s(1), add.s(2)], total.s())
    ends = [steps.freeze().id, whole.freeze().id]

    assert [steps.apply().id, whole.apply().id] == ends
    assert whole.apply().parent.id == whole.id
