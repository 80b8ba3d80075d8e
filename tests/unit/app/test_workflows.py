"""Chains and chords as objects: what programs read of them, change in them, and call."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
from typing import Any

import pytest

from celeriac import Celery, NotRegistered, Signature, chain, chord, group, signature
from celeriac.app.signature import maybe_signature
from celeriac.app.streaming import STREAMED_FROM
from unit.app.serving import waiting

# ---- What may be set -----------------------------------------------------------------------------------------------


def test_the_parts_of_a_signature_may_be_set(app: Celery, add: Any) -> None:
    call = signature("none", app=app)

    call.task, call.args, call.kwargs, call.options = "add", [1], {"y": 2}, {"priority": 3}
    call.id, call.root_id, call.parent_id, call.immutable, call.subtask_type = "id", "root", "parent", True, None

    call.delay(9)
    [message] = waiting(app)
    assert (message.task, list(message.args), message.kwargs, message.priority) == ("add", [1], {"y": 2}, 3)
    assert (message.id, message.root_id, message.parent_id) == ("id", "root", "parent")
    assert call.name == "add"


def test_the_members_of_workflows_may_be_set(add: Any, total: Any) -> None:
    steps: Any = add.s(1) | add.s(2)
    whole: Any = chord([add.s(1)], total.s())

    steps.tasks = [dict(add.s(5)), add.s(6)]
    whole.tasks, whole.body = group([add.s(7), add.s(8)]), dict(add.s(9))

    assert repr(steps) == "add(5) | add(6)"
    assert repr(whole) == "%add([add(7), add(8)], 9)"
    assert all(isinstance(each, Signature) for each in (*steps.tasks, *whole.tasks, whole.body))


def test_a_task_that_the_app_does_not_know_may_be_handed_in(app: Celery, add: Any) -> None:
    other = Celery("other", broker="memory://", set_as_current=False)

    @other.task(name="elsewhere", shared=False)
    def elsewhere(x: int) -> int:
        return x

    call: Any = Signature("elsewhere", (1,), type=elsewhere, app=app)

    assert (call.type, call.clone().type, copy.deepcopy(call).type) == (elsewhere, elsewhere, elsewhere)
    assert call.freeze().id
    with pytest.raises(NotRegistered):
        _ = Signature("elsewhere", (1,), app=app).type
    other.close()


def test_a_signature_class_of_ones_own_is_read_back_as_such(app: Celery, add: Any) -> None:
    @Signature.register_type("twice")
    class Twice(Signature[Any]):
        @classmethod
        def from_dict(cls, d: Any, app: Any = None) -> Any:
            return cls(d["task"], d["args"], subtask_type="twice", app=app)

        def apply_async(self, *args: Any, **options: Any) -> Any:
            once, again = super().apply_async(*args, **options), super().apply_async(*args, **options)
            return [once, again]

    try:
        stored = json.loads(json.dumps(Twice("add", (1, 2), subtask_type="twice", app=app)))
        maybe_signature(stored, app).apply_async()
    finally:
        del Signature.TYPES["twice"]

    assert [list(each.args) for each in waiting(app)] == [[1, 2], [1, 2]]


def test_what_is_elected_is_sent_once_under_its_id(app: Celery, add: Any) -> None:
    call = add.s(1)
    frozen = call.freeze()

    assert call.election().id == frozen.id
    assert add.s(2).election().id

    assert [list(each.args) for each in waiting(app)] == [[1], [2]]


def test_a_stored_signature_keeps_keys_that_are_not_ours(app: Celery) -> None:
    stored: dict[str, Any] = {"task": "add", "args": [1], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False}
    stored["chord_size"] = 3

    assert json.loads(json.dumps(Signature.from_dict(stored, app))) == stored
    assert pickle.loads(pickle.dumps(Signature.from_dict(stored, app)))["chord_size"] == 3


@pytest.mark.parametrize("stored", [{}, {"task": 5}, {"task": None, "args": []}, {"args": [1]}])
def test_what_names_no_task_is_no_signature(app: Celery, stored: Any) -> None:
    with pytest.raises(TypeError, match="names its task"):
        Signature.from_dict(stored, app)


def test_stamps_and_the_group_stay_when_options_are_added(add: Any) -> None:
    call = add.s(1).stamp(stamp="mine").set(group_id="g", queue="q")

    copy = call.clone(stamp="other", group_id="other", queue="other", priority=1)

    assert copy.options == {"stamp": "mine", "stamped_headers": ["stamp"], "group_id": "g", "queue": "other", "priority": 1}


# ---- Chains --------------------------------------------------------------------------------------------------------


def test_a_chain_that_is_run_is_sent(app: Celery, add: Any) -> None:
    steps: Any = add.s(1) | add.s(2)

    result = steps.run((5,), {"y": 3}, task_id="end", link=add.s(9), link_error=add.si(8), parent_id="parent", queue="celery")

    [message] = waiting(app)
    assert (result.id, list(message.args), message.kwargs, message.parent_id) == ("end", [5, 1], {"y": 3}, "parent")
    [last] = message.chain or ()
    assert [each["args"] for each in last["options"]["link"]] == [[9]]
    assert [each["args"] for each in (*last["options"]["link_error"], *(message.errbacks or ()))] == [[8], [8]]


def test_a_chain_is_sent_by_the_app_that_is_given(app: Celery, add: Any) -> None:
    with Celery("other", broker="memory://other-app", set_as_current=False) as other:
        steps: Any = chain(signature("add", (1,)), signature("add", (2,)))

        steps.run(app=other)

        assert len(waiting(other)) == 1
        assert waiting(app) == []


def test_options_of_a_workflow_say_how_it_is_sent(app: Celery, add: Any) -> None:
    with Celery("other", broker="memory://sent-elsewhere", set_as_current=False) as other:
        steps: Any = add.s(1) | add.s(2)

        steps.apply_async(connection=other.connection_for_write())

        assert [list(each.args) for each in waiting(other)] == [[1]]
        assert waiting(app) == []


def test_a_workflow_that_a_task_sends_is_remembered_unless_it_says_otherwise(app: Celery, add: Any) -> None:
    @app.task(name="parent", bind=True)
    def parent(self: Any) -> list[str]:
        kept = (add.s(1) | add.s(2)).apply_async(task_id="kept")
        (add.s(1) | add.s(2)).apply_async(add_to_parent=False)
        return [kept.parent.id, *(each.id for each in self.request.children)]

    first, *children = parent.apply().get()

    assert children == [first]


def test_an_immutable_workflow_takes_no_arguments(app: Celery, add: Any, total: Any) -> None:
    steps: Any = add.s(1) | add.s(2)

    steps.set(immutable=True).apply_async((9,), {"y": 9})

    [message] = waiting(app)
    assert (list(message.args), message.kwargs) == ([1], {})


def test_a_chain_that_was_stored_by_others_in_another_form_gets_the_normal_one_when_it_is_sent(
    app: Celery, add: Any, total: Any
) -> None:
    members = {
        "task": "celery.group",
        "args": [],
        "kwargs": {"tasks": [add.s(1), add.s(2)]},
        "options": {},
        "subtask_type": "group",
    }
    stored = {
        "task": "celery.chain",
        "args": [],
        "kwargs": {"tasks": [members, total.s()]},
        "options": {},
        "subtask_type": "chain",
    }

    read = Signature.from_dict(json.loads(json.dumps(stored)), app)
    read.apply_async()

    assert isinstance(read, chain)
    assert [(message.chord or {})["task"] for message in waiting(app)] == ["total", "total"]
    assert read.apply().get() == 3


def test_the_links_of_a_chain_hear_of_its_end_here_and_now(app: Celery, add: Any) -> None:
    heard: list[Any] = []

    @app.task(name="hear")
    def hear(value: Any) -> None:
        heard.append(value)

    app.conf.task_always_eager = True
    steps: Any = add.s(1) | add.s(2)
    steps.link(hear.s())

    assert steps.apply(task_id="end").id == "end"
    assert heard == [3]


# ---- Chords --------------------------------------------------------------------------------------------------------


def test_a_chord_takes_its_body_when_it_is_called(app: Celery, add: Any, total: Any) -> None:
    header: Any = chord([add.s(1), add.s(2)])

    results = [header(total.s()), header.apply_async((), {"body": total.s(), "y": 4})]

    assert header.body is None
    assert [(list(each.args), each.kwargs) for each in waiting(app)] == [([1], {}), ([2], {}), ([1], {"y": 4}), ([2], {"y": 4})]
    assert len({each.id for each in results}) == 2
    with pytest.raises(TypeError, match="needs a body"):
        header()
    assert repr(header) == "<chord without body: [add(1), add(2)]>"


def test_a_chord_takes_its_body_in_an_event_loop_too(app: Celery, add: Any, total: Any) -> None:
    header: Any = chord([add.s(1), add.s(2)])

    async def program() -> Any:
        return await header.aapply_async((5,), {"body": total.s()}, task_id="body")

    result = asyncio.run(program())

    assert result.id == "body"
    assert [list(each.args) for each in waiting(app)] == [[5, 1], [5, 2]]


def test_a_chord_that_is_run_is_sent_and_what_has_no_effect_is_said_once(
    app: Celery, add: Any, total: Any, caplog: pytest.LogCaptureFixture
) -> None:
    made: Any = chord([], total.s(), app=app)

    with caplog.at_level(logging.WARNING, logger="celeriac"):
        for _ in range(2):
            result = made.run([add.s(1)], total.s(), (5,), interval=3, task_id="body", header_delay={"countdown": 0})
        made.run([add.s(1)], total.s(), ())

    assert result.id == "body"
    assert [list(each.args) for each in waiting(app)] == [[5, 1], [5, 1], [1]]
    assert [record.message for record in caplog.records] == [
        "interval has no effect on a chord: its store counts the members, and nothing is polled"
    ]
    assert made.run([add.s(1)], total.s(), (5,), eager=True).get() == 6


def test_link_error_of_a_chord_is_its_bodys_and_with_the_setting_its_members_too(app: Celery, add: Any, total: Any) -> None:
    plain: Any = chord([add.s(1)], total.s())
    with_header: Any = chord([add.s(1)], total.s())

    plain.link_error(add.s(9))
    app.conf.task_allow_error_cb_on_chord_header = True
    with_header.link_error(add.s(9))

    assert ["link_error" in each.options for each in (plain.tasks[0], plain.body)] == [False, True]
    assert [each.options["link_error"][0]["immutable"] for each in (with_header.tasks[0], with_header.body)] == [True, False]


def test_what_is_linked_before_there_is_a_body_is_linked_to_the_one_that_comes(app: Celery, add: Any, total: Any) -> None:
    header: Any = chord([add.s(1)])
    header.link(add.s(8))
    header.link_error(add.s(9))

    header(total.s())

    [message] = waiting(app)
    body = (message.chord or {})["options"]
    assert [each["args"] for each in (*body["link"], *body["link_error"])] == [[8], [9]]


def test_only_the_members_of_a_chord_become_immutable(add: Any, total: Any) -> None:
    whole: Any = chord([add.s(1), add.s(2)], total.s())

    whole.set_immutable(True)

    assert [each.immutable for each in (*whole.tasks, whole.body)] == [True, True, False]


def test_a_chord_here_and_now_may_go_on_with_the_error_of_a_member(tasks: dict[str, Any]) -> None:
    whole: Any = chord([tasks["add"].s(1), tasks["broken"].s()])

    found = whole.apply(propagate=False, body=tasks["shown"].s(), throw=False).get()

    assert found == "[1, ValueError('it broke')]"


# ---- The tasks of older clients ------------------------------------------------------------------------------------


def test_chain_is_no_task_and_group_and_chord_are(app: Celery, add: Any, total: Any) -> None:
    app.tasks["celery.group"]([dict(add.s(1)), dict(add.s(2))], (("g", None), []), "g", (5,))
    app.tasks["celery.chord"]([dict(add.s(3))], dict(total.s()), (5,))

    assert [(list(each.args), each.group == "g") for each in waiting(app)] == [([5, 1], True), ([5, 2], True), ([5, 3], False)]
    with pytest.raises(NotImplementedError):
        app.tasks["celery.chain"]()


# ---- In an event loop ----------------------------------------------------------------------------------------------


@pytest.fixture
def loops(app: Celery) -> Any:
    """Give tasks that say on which event loop they run."""
    seen: list[Any] = []

    @app.task(name="step")
    async def step(x: int, y: int = 0) -> int:
        seen.append(asyncio.get_running_loop())
        return x + y

    @app.task(name="body")
    async def body(numbers: list[int]) -> int:
        seen.append(asyncio.get_running_loop())
        return sum(numbers)

    return step, body, seen


def test_workflows_run_here_and_now_on_the_event_loop_that_awaits_them(app: Celery, loops: Any) -> None:
    step, body, seen = loops

    async def program() -> tuple[Any, list[Any]]:
        here = asyncio.get_running_loop()
        workflows: list[Any] = [
            step.s(1, 2),
            step.s(1) | step.s(2),
            group([step.s(1), step.s(2) | step.s(3)]),
            chord([step.s(1), step.s(2)], body.s() | step.s(10)),
        ]
        return here, [(await each.aapply()).get() for each in workflows]

    here, values = asyncio.run(program())

    assert values == [3, 3, [1, 5], 13]
    assert (set(seen), len(seen)) == ({here}, 10)


def test_with_task_always_eager_the_twins_run_them_on_that_loop_too(app: Celery, loops: Any) -> None:
    step, body, seen = loops
    app.conf.task_always_eager = True

    async def program() -> tuple[Any, list[Any]]:
        here = asyncio.get_running_loop()
        workflows: list[Any] = [step.s(1) | step.s(2), chord([step.s(1), step.s(2)], body.s())]
        return here, [(await each.adelay()).get() for each in workflows]

    here, values = asyncio.run(program())

    assert (values, set(seen)) == ([3, 3], {here})


def test_what_a_run_in_an_event_loop_raises_is_raised_or_kept(app: Celery) -> None:
    @app.task(name="broken", bind=True, max_retries=1)
    async def broken(self: Any) -> None:
        if not self.request.retries:
            raise self.retry(countdown=60)
        raise ValueError("it broke")

    async def program() -> Any:
        with pytest.raises(ValueError, match="it broke"):
            await broken.aapply(throw=True)
        return await broken.aapply()

    result = asyncio.run(program())

    assert (result.state, str(result.result)) == ("FAILURE", "it broke")


def test_members_that_are_yet_to_be_made_are_stamped_when_they_are_made(app: Celery, add: Any, total: Any) -> None:
    made: list[int] = []

    def members() -> Any:
        for number in range(STREAMED_FROM + 2):
            made.append(number)
            yield add.s(number)

    together: Any = group(members())
    whole: Any = chord(members(), total.s())

    together.stamp(customer="c-7")
    whole.stamp(customer="c-7")

    assert len(made) == 2 * (STREAMED_FROM + 1)
    for sent in (together, whole):
        sent.apply_async()
        found = waiting(app)
        assert (len(found), {each.stamps["customer"] for each in found}) == (STREAMED_FROM + 2, {"c-7"})
    assert found[0].chord is not None
    assert found[0].chord["options"]["customer"] == "c-7"


# ---- Nothing in it -------------------------------------------------------------------------------------------------


def test_a_chain_without_steps_sends_nothing_and_has_no_result_as_in_celery(app: Celery) -> None:
    empty: Any = chain(app=app)

    sent = [
        empty.delay(),
        empty.apply_async(task_id="id"),
        empty(),
        empty.apply(),
        asyncio.run(empty.adelay()),
        empty.clone().delay(),
    ]

    assert sent == [None] * 6
    assert waiting(app) == []


def test_an_empty_chain_is_no_member(app: Celery, add: Any, total: Any) -> None:
    result = group(chain(app=app), add.s(1)).delay()
    ended = chord([chain(app=app)], total.s()).delay()

    assert [message.task for message in waiting(app)] == ["add", "total"]
    assert len(result) == 1
    assert ended.id


def test_what_cannot_do_without_an_end_says_that_the_chain_is_empty(app: Celery, add: Any) -> None:
    for ask in (chain(app=app).freeze, chord([add.s(1)], chain(app=app)).delay):
        with pytest.raises(ValueError, match="has no steps"):
            ask()


def test_an_empty_group_that_runs_here_has_a_result_in_both_ways_to_run_it(app: Celery, total: Any) -> None:
    several: list[group[Any]] = [group(app=app), group([], app=app)]
    for empty in several:
        assert (empty.apply().get(), asyncio.run(empty.aapply()).get()) == ([], [])

    assert asyncio.run(chord([], total.s(), app=app).aapply()).get() == 0


def test_a_member_that_raises_stop_iteration_does_not_end_a_group_in_silence(app: Celery, add: Any) -> None:
    app.conf.task_eager_propagates = True
    stop = app.task(name="stop")(lambda: next(iter(())))
    several = group([stop.s(), add.s(1)], app=app)

    with pytest.raises(StopIteration):
        several.apply()
    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(several.aapply())


def test_each_app_says_once_what_has_no_effect(total: Any, app: Celery, caplog: pytest.LogCaptureFixture) -> None:
    other = Celery("other", broker="memory://other", backend="memory://other", set_as_current=False)

    with caplog.at_level(logging.WARNING, logger="celeriac"):
        for each in (app, app, other, other):
            each.once.warn("interval has no effect")

    assert [record.message for record in caplog.records] == ["interval has no effect"] * 2
    other.close()
