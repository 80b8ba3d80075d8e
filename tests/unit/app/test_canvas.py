"""Several calls as one: groups, maps, chunks."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import Celery, group
from celeriac.app.maps import chunks, xmap, xstarmap
from celeriac.app.signature import Signature, maybe_signature, signature
from celeriac.core.outcome import Success
from unit.app.serving import serve, waiting


def test_map_calls_the_task_with_each_item_in_one_task(app: Celery, add: Any) -> None:
    result = add.map(iter([1, 2, 3])).delay()

    assert len(waiting(app)) == 1
    add.map([1, 2, 3]).delay()
    assert serve(app)[-1] == Success([1, 2, 3])
    assert result.id


def test_starmap_spreads_each_item_out(app: Celery, add: Any) -> None:
    add.starmap([(1, 2), (3, 4)]).apply_async()

    assert serve(app) == [Success([3, 7])]


def test_a_map_of_coroutines_is_one_too(app: Celery) -> None:
    @app.task
    async def double(x: int) -> int:
        return 2 * x

    double.map([1, 2]).delay()

    assert serve(app) == [Success([2, 4])]


def test_chunks_are_a_group_of_maps(app: Celery, add: Any) -> None:
    result = add.chunks([(i, i) for i in range(5)], 2).apply_async()

    assert serve(app) == [Success([0, 2]), Success([4, 6]), Success([8])]
    assert result.get(timeout=1) == [[0, 2], [4, 6], [8]]


def test_a_map_goes_where_its_task_goes(app: Celery, add: Any) -> None:
    app.conf.task_routes = {"add": {"queue": "sums"}}

    add.map([1]).delay()
    add.chunks([(1, 1), (2, 2)], 1).apply_async()
    add.starmap([(1, 1)]).apply_async(queue="other")

    assert [message.task for message in waiting(app, "sums")] == ["celery.map", "celery.starmap", "celery.starmap"]
    assert [message.task for message in waiting(app, "other")] == ["celery.starmap"]


def test_a_map_travels_as_celery_writes_it(add: Any) -> None:
    assert dict(add.starmap([(1, 2)])) == {
        "task": "celery.starmap",
        "args": (),
        "kwargs": {"task": add.s(), "it": [(1, 2)]},
        "options": {},
        "subtask_type": None,
        "immutable": True,
    }
    assert add.chunks([(1, 2)], 3)["kwargs"]["n"] == 3


def test_a_chunk_has_one_call_at_least(add: Any) -> None:
    with pytest.raises(ValueError, match="n=0"):
        add.chunks([(1, 2)], 0)


def test_they_can_be_shown(add: Any) -> None:
    assert repr(add.map([1, 2])) == "[add(x) for x in [1, 2]]"
    assert repr(add.starmap([(1, 2)])) == "[add(*x) for x in [(1, 2)]]"
    assert repr(add.chunks([(1, 2)], 2)) == "chunks of 2: [add(*x) for x in [(1, 2)]]"


def test_what_was_stored_is_made_into_its_own_class_again(app: Celery, add: Any) -> None:
    stored = dict(group(add.s(1), add.s(2)))

    back = signature(stored, app=app)

    assert isinstance(back, group)
    assert [one.args for one in back.tasks] == [(1,), (2,)]
    assert Signature.TYPES["group"] is group
    assert {Signature.TYPES[name] for name in ("xmap", "xstarmap", "chunks")} == {xmap, xstarmap, chunks}


def test_a_group_of_tasks_with_their_own_way_to_be_sent_goes_that_way(app: Celery) -> None:
    seen: list[Any] = []

    class Counting(app.Task):  # type: ignore[name-defined, misc]
        def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
            seen.append((args, options["group_index"]))
            return super().apply_async(args, kwargs, **options)

    work = app.task(name="work", base=Counting)(lambda x: x)

    result = group(work.s(1), work.s(2)).apply_async()

    assert seen == [((1,), 0), ((2,), 1)]
    assert [(message.group, message.group_index) for message in waiting(app)] == [(result.id, 0), (result.id, 1)]


def test_a_group_runs_here_when_calls_do(app: Celery, add: Any) -> None:
    app.conf.task_always_eager = True

    assert group(add.s(1, 1), add.s(2, 2)).apply_async().get() == [2, 4]
    assert waiting(app) == []


def test_a_group_can_be_run_here(app: Celery, add: Any) -> None:
    assert group(add.s(1), add.s(2)).apply((10,)).get() == [11, 12]


def test_members_start_one_after_the_other(add: Any) -> None:
    together = group(add.s(i) for i in range(3)).skew(start=1, step=2)

    assert [one.options["countdown"] for one in together.tasks] == [1, 3, 5]


def test_a_signature_of_a_task_that_replaces_apply_async_goes_through_it(app: Celery) -> None:
    seen: list[Any] = []

    class Noting(app.Task):  # type: ignore[name-defined, misc]
        def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:
            seen.append((args, kwargs))
            return super().apply_async(args, kwargs, **options)

    work = app.task(name="work", base=Noting)(lambda *args: args)

    work.s(2).delay(1)

    assert seen == [((1, 2), {})]


def test_a_signature_refuses_arguments_that_its_task_does_not_take(add: Any) -> None:
    with pytest.raises(TypeError, match="takes"):
        add.s(1, 2).delay(3)


def test_a_signature_of_an_unknown_task_is_sent_by_its_name(app: Celery) -> None:
    app.signature("elsewhere", args=(1,)).delay()

    [message] = waiting(app)
    assert (message.task, [*message.args]) == ("elsewhere", [1])


def test_a_signature_tells_its_parts(app: Celery, add: Any) -> None:
    one = add.s(1).set(task_id="id", root_id="root", parent_id="parent")

    assert (one.name, one.type, one.id, one.root_id, one.parent_id) == ("add", add, "id", "root", "parent")
    assert one.reprcall(5, y=2) == "add(5, 1, y=2)"
    assert one.AsyncResult("id").id == "id"


def test_a_signature_can_be_replaced_in_part(add: Any) -> None:
    one = add.s(1, y=2).set(countdown=3)

    assert one.replace(args=(5,)).args == (5,)
    assert one.replace(kwargs={}).kwargs == {}
    assert one.replace(options={"eta": None}).options == {"eta": None}
    assert (one.args, one.kwargs, one.options) == ((1,), {"y": 2}, {"countdown": 3})
    assert one.partial((4,)).args == (4, 1)


def test_a_signature_may_be_one_already_or_nothing(app: Celery, add: Any) -> None:
    one = add.s(1)

    assert maybe_signature(None) is None
    assert maybe_signature(one) is one
    assert maybe_signature(one, clone=True) == one
    assert maybe_signature(one, clone=True) is not one
    assert maybe_signature(dict(one), app=app).type is add


def test_of_the_options_the_later_win_but_for_the_group(add: Any) -> None:
    one = add.s(1).set(priority=1, group_id="first")

    options = one.call(options={"priority": 2, "group_id": "second"}).options

    assert (options.priority, options.group_id) == (2, "first")


def test_a_signature_runs_here(add: Any) -> None:
    assert add.s(2).apply((1,)).get() == 3


def test_links_can_be_listed(add: Any) -> None:
    last = add.s(3)
    middle = add.s(2)
    middle.link(last)
    first = add.s(1)
    first.link(middle)

    assert [one.args for one in first.flatten_links()] == [(1,), (2,), (3,)]


def test_inside_a_task_a_group_is_remembered_as_one_child(app: Celery, add: Any) -> None:
    @app.task(bind=True)
    def parent(self: Any, remember: bool) -> list[str]:
        result = group(add.s(1), add.s(2)).apply_async(add_to_parent=remember)
        return [result.id, *(child.id for child in self.request.children)]

    parent.delay(True)
    parent.delay(False)
    told, silent = serve(app)

    assert isinstance(told, Success)
    assert isinstance(silent, Success)
    assert told.value[0] == told.value[1]
    assert len(silent.value) == 1


def test_what_is_linked_to_a_group_follows_its_first_member_or_each_that_fails(add: Any) -> None:
    together = group(add.s(1), add.s(2))

    together.link(add.s(3))
    together.link_error(add.s(4))

    first, second = together.tasks
    assert [(one["args"], one["immutable"]) for one in first.options["link"]] == [((3,), True)]
    assert [(one["args"], one["immutable"]) for one in second.options["link_error"]] == [((4,), False)]
    assert "link" not in second.options


def test_options_of_a_group_hold_for_its_members(app: Celery, add: Any) -> None:
    group(add.s(1), add.s(2), priority=3).apply_async(shadow="shown")

    assert [(message.priority, message.shadow) for message in waiting(app)] == [(3, "shown"), (3, "shown")]


def test_a_signature_may_be_routed_by_another_name(app: Celery, add: Any) -> None:
    app.conf.task_routes = {"billing.*": {"queue": "billing"}}

    add.s(1).apply_async((), {}, "billing.any")

    assert len(waiting(app, "billing")) == 1


def test_a_signature_can_be_made_of_a_task_or_of_a_mapping(app: Celery, add: Any) -> None:
    assert Signature(add, (1,)).delay(2).id
    assert Signature({"task": "add"}, app=app).call((1,)).args == (1,)
    assert signature(add, (1, 2), countdown=3).options == {"countdown": 3}
    with pytest.raises(TypeError, match="did you mean 'countdown'"):
        signature("add", (1, 2), countdwn=3)  # type: ignore[call-overload]
