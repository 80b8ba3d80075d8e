"""Signatures that cannot be carried out: in circles, too deep, with wrong types. Each is told, whatever is asked of it."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from celeriac import Celery, Signature, StampingVisitor, chain, chord, group, signature
from celeriac.app.drawing.planned import planned
from celeriac.app.signature import maybe_signature
from celeriac.core.errors import EncodeError, WorkflowTooDeep
from unit.app.serving import waiting

DEEP = 10_000

Make = Callable[[Celery], Any]
Ask = Callable[[Any, Celery], Any]


class Numbered(StampingVisitor):
    def on_signature(self, sig: Any, **headers: Any) -> dict[str, Any]:
        return {"number": 1}


@pytest.fixture(autouse=True)
def _tasks(app: Celery) -> None:
    @app.task(name="add")
    def add(x: Any = 0, y: Any = 0) -> int:
        return 1


def add(app: Celery, *args: Any) -> Any:
    return app.tasks["add"].s(*args)


# ---- Circles and depths --------------------------------------------------------------------------------------------


def linked_to_itself(app: Celery) -> Any:
    made = add(app, 1)
    made.link(made)
    return made


def linked_to_each_other(app: Celery) -> Any:
    made, other = add(app, 1), add(app, 2)
    made.link(other)
    other.link(made)
    return made


def its_own_errback(app: Celery) -> Any:
    made = add(app, 1)
    made.link_error(made)
    return made


def a_group_that_holds_itself(app: Celery) -> Any:
    made = group(add(app, 1), add(app, 2))
    made.tasks.insert(0, made)
    return made


def a_chain_in_itself(app: Celery) -> Any:
    made = chain(add(app, 1), add(app, 2))
    made.tasks.append(made)
    return made


def a_chord_that_is_its_body(app: Celery) -> Any:
    made: Any = chord([add(app, 1)], add(app))
    made.body = made
    return made


def a_chord_in_its_header(app: Celery) -> Any:
    made: Any = chord([add(app, 1)], add(app))
    made.tasks.append(made)
    return made


def nested(app: Celery, around: Callable[[Any], Any], levels: int = DEEP) -> Any:
    made = add(app, 1)
    for _ in range(levels):
        made = around(made)
    return made


def chains_in_chains(app: Celery) -> Any:
    def around(inner: Any) -> Any:
        made = chain(add(app, 1), add(app, 2))
        made.tasks[0] = inner
        return made

    return nested(app, around)


def links_of_links(app: Celery) -> Any:
    def around(inner: Any) -> Any:
        made = add(app, 1)
        made.link(inner)
        return made

    return nested(app, around)


def links_that_multiply(app: Celery) -> Any:
    def around(inner: Any) -> Any:
        made = add(app, 1)
        made.link(inner)
        made.link_error(inner)
        return made

    return nested(app, around, 60)


CIRCLES: dict[str, Make] = {
    "linked to itself": linked_to_itself,
    "linked to each other": linked_to_each_other,
    "its own errback": its_own_errback,
    "a group that holds itself": a_group_that_holds_itself,
    "a chain in itself": a_chain_in_itself,
    "a chord that is its body": a_chord_that_is_its_body,
    "a chord in its header": a_chord_in_its_header,
}
DEPTHS: dict[str, Make] = {
    "chains in chains": chains_in_chains,
    "groups in groups": lambda app: nested(app, lambda inner: group(inner, add(app, 1))),
    "chords in bodies": lambda app: nested(app, lambda inner: chord([add(app, 1)], inner)),
    "chords in headers": lambda app: nested(app, lambda inner: chord([inner], add(app, 1))),
    "links of links": links_of_links,
    "links that multiply": links_that_multiply,
}
ASKED: dict[str, Ask] = {
    "delay": lambda sig, _: sig.delay(),
    "apply_async": lambda sig, _: sig.apply_async(),
    "apply": lambda sig, _: sig.apply(),
    "clone": lambda sig, _: sig.clone(),
    "signature": lambda sig, _: signature(sig),
    "maybe_signature": lambda sig, app: maybe_signature(sig, app, clone=True),
    "freeze": lambda sig, _: sig.freeze(),
    "stamp": lambda sig, _: sig.stamp(customer="c-7"),
    "stamp by a visitor": lambda sig, _: sig.stamp(visitor=Numbered()),
    "deepcopy": lambda sig, _: copy.deepcopy(sig),
    "pickle": lambda sig, _: pickle.dumps(sig),
    "flatten_links": lambda sig, _: sig.flatten_links(),
    "as a step": lambda sig, app: chain(add(app, 1), sig, add(app, 2)).delay(),
    "as a member": lambda sig, app: group(add(app, 1), sig).delay(),
    "in a header": lambda sig, app: chord([sig], add(app)).delay(),
    "as a body": lambda sig, app: chord([add(app, 1)], sig).delay(),
    "as a callback": lambda sig, app: app.tasks["add"].apply_async((1,), link=sig),
    "as an errback": lambda sig, app: app.tasks["add"].apply_async((1,), link_error=[sig]),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("made", [*CIRCLES.values(), *DEPTHS.values()], ids=[*CIRCLES, *DEPTHS])
def test_a_signature_that_does_not_end_is_told_whatever_is_asked_of_it(app: Celery, made: Make, asked: Ask) -> None:
    bad = made(app)

    with pytest.raises((WorkflowTooDeep, EncodeError)) as told:
        asked(bad, app)

    assert len(str(told.value)) < 3000
    assert waiting(app) == []


@pytest.mark.parametrize(
    ("made", "way"),
    [
        (linked_to_itself, ".options.link[0]"),
        (linked_to_each_other, ".options.link[0].options.link[0]"),
        (its_own_errback, ".options.link_error[0]"),
        (a_group_that_holds_itself, ".kwargs.tasks[0]"),
        (a_chord_that_is_its_body, ".kwargs.body"),
    ],
)
def test_a_circle_is_told_with_its_way_and_what_to_do(app: Celery, made: Make, way: str) -> None:
    bad = made(app)

    with pytest.raises(WorkflowTooDeep) as told:
        bad.clone()

    assert f"leads back to itself, by way of {way}: a workflow must end; let a task send the next round" in str(told.value)


@pytest.mark.parametrize("made", [*CIRCLES.values(), *DEPTHS.values()], ids=[*CIRCLES, *DEPTHS])
def test_its_repr_is_short_and_says_so(app: Celery, made: Make) -> None:
    bad = made(app)

    shown = repr(bad)

    assert shown == f"<{bad.task}: nested too deep, or leads back to itself>"


@pytest.mark.parametrize("made", [*CIRCLES.values(), links_of_links], ids=[*CIRCLES, "links of links"])
def test_as_an_argument_it_cannot_be_written(app: Celery, made: Make) -> None:
    bad = made(app)

    with pytest.raises(EncodeError):
        app.tasks["add"].delay(bad)


def test_a_call_with_itself_among_its_arguments_is_shown_and_not_sent(app: Celery) -> None:
    bad = add(app)
    bad.kwargs["x"] = bad

    shown = repr(bad)

    assert len(shown) < 200_000
    with pytest.raises(EncodeError):
        app.tasks["add"].apply_async((), {"x": bad})


@pytest.mark.parametrize("made", [*CIRCLES.values(), *DEPTHS.values()], ids=[*CIRCLES, *DEPTHS])
def test_it_is_drawn_as_far_as_there_is_room_or_told(app: Celery, made: Make) -> None:
    try:
        planned(made(app))
    except WorkflowTooDeep:
        return

    assert made not in {a_group_that_holds_itself, a_chain_in_itself, a_chord_that_is_its_body, a_chord_in_its_header}


def test_two_that_are_linked_to_themselves_may_not_be_compared_for_ever(app: Celery) -> None:
    one, other = linked_to_itself(app), linked_to_itself(app)

    with pytest.raises(WorkflowTooDeep):
        one.link(other)


def test_one_errback_that_many_share_is_no_fault(app: Celery) -> None:
    errback = add(app, 1)
    members = [add(app, number).on_error(errback) for number in range(2000)]

    group(members).delay()

    assert len(waiting(app)) == 2000


# ---- Strangers -----------------------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {"task": "add", "args": [1], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False}


def composite(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {**GOOD, "args": [], "task": f"celery.{kind}", "kwargs": kwargs, "subtask_type": kind}


def deep(around: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    made = GOOD
    for _ in range(DEEP):
        made = around(made)
    return made


def each(*values: Any) -> tuple[Any, ...]:
    return values


WRONG: dict[str, Any] = {
    **{f"task={value!r}": {**GOOD, "task": value} for value in each(None, 5, "", [], {}, b"add", "a\nb")},
    "task of 300 characters": {**GOOD, "task": "t" * 300},
    "no task": {"args": [1]},
    **{f"args={value!r}": {**GOOD, "args": value} for value in each("12", 5, {"a": 1}, True)},
    **{f"kwargs={value!r}": {**GOOD, "kwargs": value} for value in each([1], "x", 5, True, {1: 2})},
    **{f"options={value!r}": {**GOOD, "options": value} for value in each([1], "x", 3, {1: 2})},
    **{
        f"{name}={value!r}": {**GOOD, "options": {name: value}}
        for name, value in [
            ("link", 3), ("link", [None]), ("link", "x"), ("link_error", 5), ("link_error", [{"task": 5}]), ("chain", 3),
            ("chain", [3]), ("chord", 3), ("chord", {}), ("stamped_headers", 5),
        ]
    },
    **{f"subtask_type={value!r}": {**GOOD, "subtask_type": value} for value in each(5, [], {}, True)},
    **{f"tasks={value!r}": composite("chain", tasks=value) for value in each(5, "abc", [5], [{}], {"a": 1})},
    **{f"members={value!r}": composite("group", tasks=value) for value in each(5, "abc", [5], [{**GOOD, "args": 3}])},
    **{f"header={value!r}": composite("chord", header=value, body=GOOD) for value in each(5, "abc", [5], {"x": 1})},
    **{f"body={value!r}": composite("chord", header=[GOOD], body=value) for value in each(5, {}, "x", {**GOOD, "kwargs": 3})},
    "kwargs of a chord": composite("chord", header=[GOOD], body=GOOD, kwargs=5),
    **{f"{kind} of nothing": composite(kind) for kind in ("xmap", "xstarmap", "chunks")},
    "map of a number": composite("xmap", task=5, it=[1]),
    "map over a number": composite("xmap", task=GOOD, it=5),
}  # fmt: skip
DEEP_ONES: dict[str, Any] = {
    "deep chains": deep(lambda inner: composite("chain", tasks=[inner, GOOD])),
    "deep groups": deep(lambda inner: composite("group", tasks=[inner, GOOD])),
    "deep bodies": deep(lambda inner: composite("chord", header=[GOOD], body=inner)),
    "deep headers": deep(lambda inner: composite("chord", header=[inner], body=GOOD)),
    "deep links": deep(lambda inner: {**GOOD, "options": {"link": [inner]}}),
    "deep errbacks": deep(lambda inner: {**GOOD, "options": {"link_error": inner}}),
    "deep rests": deep(lambda inner: {**GOOD, "options": {"chain": [inner]}}),
}
READ: dict[str, Ask] = {
    "from_dict": lambda stored, app: Signature.from_dict(stored, app),
    "signature": lambda stored, app: signature(stored, app=app),
    "maybe_signature": lambda stored, app: maybe_signature(stored, app),
    "chain": lambda stored, app: chain(add(app, 1), stored),
    "group": lambda stored, app: group([stored], app=app),
    "header": lambda stored, app: chord([stored], add(app)),
    "body": lambda stored, app: chord([add(app, 1)], stored),
    "link": lambda stored, app: app.tasks["add"].apply_async((1,), link=stored),
    "link_error": lambda stored, app: app.tasks["add"].apply_async((1,), link_error=stored),
    "linked": lambda stored, app: app.tasks["add"].s(1).set(link=[stored]).delay(),
}


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_what_a_stranger_wrote_with_wrong_types_is_refused_where_it_is_read(app: Celery, read: Ask) -> None:
    said = {name: refusal_of(read, stored, app) for name, stored in WRONG.items()}

    assert {name: error for name, error in said.items() if not isinstance(error, TypeError)} == {}
    assert waiting(app) == []


def refusal_of(read: Ask, stored: Any, app: Celery) -> BaseException | None:
    """Return what it raises."""
    try:
        read(stored, app)
    except Exception as error:
        return error
    return None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("read", READ.values(), ids=READ)
@pytest.mark.parametrize("name", DEEP_ONES)
def test_what_a_stranger_nested_too_deep_is_refused_where_it_is_read(app: Celery, name: str, read: Ask) -> None:
    with pytest.raises(WorkflowTooDeep):
        read(DEEP_ONES[name], app)

    assert waiting(app) == []


@pytest.mark.parametrize("value", [5, "add", b"x", True, [5], None])
def test_what_is_no_mapping_is_no_signature(app: Celery, value: Any) -> None:
    with pytest.raises(TypeError, match="and no signature"):
        Signature.from_dict(value, app)


@pytest.mark.parametrize(
    "more", [{"chord_size": "x"}, {"chord_size": -1}, {"immutable": "yes"}, {"immutable": None}, {"new": [1]}]
)
def test_what_says_nothing_about_the_call_is_no_fault(app: Celery, more: dict[str, Any]) -> None:
    Signature.from_dict({**GOOD, **more}, app).delay()

    assert [list(each.args) for each in waiting(app)] == [[1]]


def test_a_fault_is_told_with_its_place(app: Celery) -> None:
    stored = composite("chain", tasks=[GOOD, composite("group", tasks=[{**GOOD, "options": {"link": [{**GOOD, "args": "x"}]}}])])

    with pytest.raises(TypeError, match=r"signature\.kwargs\.tasks\[1\]\.kwargs\.tasks\[0\]\.options\.link\[0\]\.args is a str"):
        Signature.from_dict(stored, app)


def test_an_empty_chain_has_no_result(app: Celery) -> None:
    empty = Signature.from_dict(composite("chain", tasks=[]), app)

    assert empty.delay() is None
    with pytest.raises(ValueError, match="this chain has no steps"):
        empty.freeze()


@pytest.mark.parametrize(
    "within", [lambda one, add: add | one | add, lambda one, add: group(one), lambda one, add: chord([one], add)]
)
def test_a_chord_without_a_body_cannot_be_sent_inside_of_another_workflow(app: Celery, within: Any) -> None:
    bodiless: Any = chord([add(app, 1)])

    with pytest.raises(TypeError, match="a chord needs a body"):
        within(bodiless, add(app, 1)).delay()


# ---- Long and flat -------------------------------------------------------------------------------------------------


@pytest.mark.timeout(60)
@pytest.mark.parametrize("made", ["one after the other", "one before the other", "a list", "chain in chain"])
def test_a_long_chain_is_flat_however_it_is_written(app: Celery, made: str) -> None:
    steps = [add(app, number) for number in range(DEEP)]
    long: Any = steps[0]
    match made:
        case "one after the other":
            for step in steps[1:]:
                long = long | step
        case "one before the other":
            long = steps[-1]
            for step in reversed(steps[:-1]):
                long = step | long
        case "a list":
            long = chain(steps)
        case _:
            for step in steps[1:]:
                long = chain(long, step)

    result = long.clone().stamp(customer="c-7").delay()

    assert [step.args for step in long.tasks] == [step.args for step in steps]
    assert json.loads(json.dumps(long))["kwargs"]["tasks"][-1]["args"] == [DEEP - 1]
    assert len(repr(long)) > DEEP
    assert len(waiting(app)) == 1
    assert result.id


def test_a_chain_that_grows_leaves_the_shorter_one_as_it_was(app: Celery) -> None:
    short: Any = add(app, 1) | add(app, 2)

    longer, earlier = short | add(app, 3), add(app, 0) | short

    assert [len(each.tasks) for each in (short, longer, earlier)] == [2, 3, 3]
