"""Unrolling: what is sent first, what follows, and that the whole of it computes what the workflow says."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from celeriac.app.keeping import Keeping, opened
from celeriac.app.unrolling import (
    DEEPEST,
    KEPT,
    Handle,
    Stored,
    chain_of,
    chained,
    chord_of,
    freeze,
    group_of,
    handle_of,
    is_kept,
    kind_of,
    later_ids,
    members_of,
    size_of,
    unroll,
)
from celeriac.core.errors import WorkflowTooDeep
from celeriac.worker.workflow import in_shape


def call(name: str, **options: Any) -> Stored:
    return {"task": name, "args": (), "kwargs": {}, "options": options, "subtask_type": None, "immutable": False}


def counting() -> Callable[[], str]:
    numbers = itertools.count()
    return lambda: f"id{next(numbers)}"


def shown(signature: Stored) -> str:
    """Return a signature as a formula."""
    match kind_of(signature):
        case None:
            return str(signature["task"])
        case "chain":
            return "(" + " | ".join(map(shown, members_of(signature))) + ")"
        case "group":
            return "[" + ", ".join(map(shown, members_of(signature))) + "]"
    return "[" + ", ".join(map(shown, members_of(signature))) + "] > " + shown(signature["kwargs"]["body"])


A, B, C, D = (call(name) for name in "abcd")


@pytest.mark.parametrize(
    ("signatures", "form"),
    [
        ([A, B], "(a | b)"),
        ([chain_of([A, B]), chain_of([C, D])], "(a | b | c | d)"),
        ([A, group_of([B, C])], "(a | [b, c])"),
        ([group_of([A, B]), C], "[a, b] > c"),
        ([group_of([A, B]), C, D], "[a, b] > (c | d)"),
        ([A, group_of([B, C]), D], "(a | [b, c] > d)"),
        ([chord_of([A, B], C), D], "[a, b] > (c | d)"),
        ([group_of([A, B]), group_of([C, D])], "[a, b] > [c, d]"),
        ([A, group_of([B]), C], "(a | b | c)"),
        ([A, group_of([]), C], "(a | c)"),
        ([A], "a"),
        ([], "()"),
    ],
)
def test_the_normal_form(signatures: list[Stored], form: str) -> None:
    assert shown(chained(signatures)) == form


def test_links_of_a_chain_go_to_its_last_step_and_its_errbacks_to_every_step() -> None:
    inner = {**chain_of([A, B]), "options": {"link": [C], "link_error": D}}

    steps = members_of(chained([inner, A]))

    assert [step["options"] for step in steps] == [{"link_error": [D]}, {"link_error": [D], "link": [C]}, {}]


def test_links_of_what_is_nested_go_to_where_it_ends_and_its_errbacks_to_who_can_fail() -> None:
    inner = {**chain_of([A, B]), "options": {"link": [C], "link_error": [D]}}
    crossing = {**chord_of([A], B), "options": {"link": [C], "link_error": [D]}}

    frozen = freeze(group_of([inner, crossing, chord_of([A, B], inner)]), counting())

    first, second, third = members_of(frozen)
    for chain in (first, third["kwargs"]["body"]):
        assert [set(step["options"]) for step in members_of(chain)] == [
            {"task_id", "link_error"},
            {"task_id", "link_error", "link"},
        ]
        assert chain["options"] == {}
    assert second["kwargs"]["body"]["options"].keys() == {"task_id", "link", "link_error"}
    assert second["options"].keys() == {"group_id"}


def test_ids_are_fixed_once_and_kept() -> None:
    once = freeze(chained([A, group_of([B, C]), D]), counting())

    again = freeze(once, counting())

    assert again == once
    assert len(set(later_ids(once))) == 4


def test_the_handle_of_a_chain_leads_back_to_its_beginning() -> None:
    frozen = freeze(chained([call("a", task_id="a"), call("b", task_id="b"), group_of([call("c", task_id="c")] * 2)]), counting())

    handle = handle_of(frozen)

    assert handle.members == (Handle("c"), Handle("c"))
    assert handle.parent == Handle("b", Handle("a"))


def test_the_rest_of_a_chain_is_reversed_in_its_first_message() -> None:
    [first] = unroll(freeze(chained([A, B, C]), counting())).calls

    assert [step["task"] for step in first["options"]["chain"]] == ["c", "b"]


def test_members_of_a_group_know_their_group_and_place() -> None:
    frozen = freeze(group_of([A, B]), counting(), id="g")

    assert [(one["options"]["group_id"], one["options"]["group_index"]) for one in unroll(frozen).calls] == [("g", 0), ("g", 1)]


def test_members_of_a_header_carry_the_body() -> None:
    unrolled = unroll(freeze(chord_of([A, chain_of([B, C])], D), counting()))

    [chord] = unrolled.chords
    plain, first = unrolled.calls
    assert chord.size == 2
    assert plain["options"]["chord"]["task"] == "d"
    assert "chord" not in first["options"]
    assert first["options"]["chain"][0]["options"]["chord"]["task"] == "d"


def test_a_chord_without_members_has_a_body_that_begins_at_once() -> None:
    unrolled = unroll(freeze(chord_of([], D), counting()))

    assert ([one["task"] for one in unrolled.empty], unrolled.calls, unrolled.chords) == (["d"], (), ())


def test_nothing_is_changed_that_was_handed_in() -> None:
    before = chained([A, group_of([B, C]), D])
    image = repr(before)

    unroll(freeze(before, counting()))

    assert repr(before) == image


def test_what_is_nested_too_deep_is_refused() -> None:
    deep = A
    for _ in range(DEEPEST + 5):
        deep = group_of([deep, B])

    with pytest.raises(WorkflowTooDeep):
        freeze(deep, counting())


# The whole of it: a fleet in a few lines, against what the formula means.


def run(signature: Stored, argument: Any, *, limit: int | None = None) -> dict[str, Any]:
    """Send, run, follow and join until nothing is left; return what each id ended with, and the bodies that were called.

    ``limit``: what multiplies beyond it is kept elsewhere, and opened by whoever gets there.
    """
    blocks: dict[str, Stored] = {}
    results: dict[str, Any] = {}
    new_id = counting()
    chords: dict[str, tuple[int, dict[int, Any]]] = {}
    queue: deque[tuple[Stored, Any]] = deque()

    def send(frozen: Stored, value: Any) -> None:
        if limit is not None:
            keeping = Keeping(lambda each: len(str(each)), limit, "json")
            frozen = keeping.thin(frozen)
            assert all(blocks.setdefault(block.key, block.content) == block.content for block in keeping.blocks)
        unrolled = unroll(frozen)
        for chord in unrolled.chords:
            assert chord.id not in chords
            chords[chord.id] = (chord.size, {})
        queue.extend((one, value) for one in unrolled.calls)
        for body in unrolled.empty:
            send(body, [])

    def whole(one: Stored) -> Stored:
        return opened(one, blocks[one["kwargs"]["key"]]) if is_kept(one) else one

    frozen = freeze(signature, new_id)
    send(frozen, argument)
    while queue:
        one, value = queue.popleft()
        options = one["options"]
        ended = f"{one['task']}({value})"
        assert options["task_id"] not in results, "ran twice"
        results[options["task_id"]] = ended
        rest = list(options.get("chain") or ())
        if rest:
            following = rest.pop()
            send(chained([whole(following), *reversed(rest)]), ended)
        elif options.get("chord"):
            size, parts = chords[options["group_id"]]
            assert options["group_index"] not in parts
            parts[options["group_index"]] = ended
            if len(parts) == size:
                body = whole(options["chord"])
                send(body, str(in_shape(body, [parts[place] for place in sorted(parts)])))
    assert all(len(parts) == size for size, parts in chords.values())
    results["kept"] = len(blocks)
    results["end"] = value_of(handle_of(frozen), results)
    return results


def value_of(handle: Handle, results: Mapping[str, Any]) -> Any:
    return results[handle.id] if handle.members is None else [value_of(member, results) for member in handle.members]


def meaning(signature: Stored, argument: Any) -> Any:
    """Evaluate the formula."""
    match kind_of(signature):
        case None:
            return f"{signature['task']}({argument})"
        case "chain":
            for step in members_of(signature):
                argument = meaning(step, argument)
                if isinstance(argument, list):
                    argument = argument if step is members_of(signature)[-1] else str(argument)
            return argument
        case "group":
            return [meaning(member, argument) for member in members_of(signature)]
    header = [meaning(member, argument) for member in flat(members_of(signature))]
    return meaning(signature["kwargs"]["body"], str(header))


def flat(header: Any) -> Any:
    for member in header:
        if kind_of(member) == "group":
            yield from flat(members_of(member))
        else:
            yield member


def chords_in_a_row(length: int, width: int) -> Stored:
    return chained([group_of([A] * width)] * length + [B])


def bytes_of(frozen: Stored) -> int:
    """Return how many bytes all messages of a workflow have, and all that is kept of it."""
    keeping = Keeping(lambda each: len(str(each)), 2048, "json")
    queue: deque[Stored] = deque([keeping.thin(frozen)])
    blocks = {block.key: block.content for block in keeping.blocks}
    total = sum(len(str(content)) for content in blocks.values())
    bodies = set()
    while queue:
        for one in unroll(queue.popleft()).calls:
            total += len(str(one))
            rest = one["options"].get("chain")
            body = one["options"].get("chord")
            if rest:
                queue.append(blocks[rest[0]["kwargs"]["key"]] if is_kept(rest[-1]) else chained(reversed(rest)))
            elif body is not None and one["options"]["group_id"] not in bodies:
                bodies.add(one["options"]["group_id"])
                queue.append(blocks[body["kwargs"]["key"]] if is_kept(body) else body)
    return total


def nesting(value: Any) -> int:
    match value:
        case dict():
            return 1 + max(map(nesting, value.values()), default=0)
        case list() | tuple():
            return 1 + max(map(nesting, value), default=0)
    return 0


names = st.sampled_from("abcdefgh").map(call)
workflows = st.recursive(
    names,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(chained),
        st.lists(inner, min_size=1, max_size=4).map(group_of),
        st.tuples(st.lists(inner, min_size=1, max_size=4), inner).map(lambda both: chord_of(*both)),
    ),
    max_leaves=25,
)


large = st.recursive(
    names,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=8).map(chained),
        st.lists(inner, min_size=1, max_size=6).map(group_of),
        st.tuples(st.lists(inner, min_size=1, max_size=6), inner).map(lambda both: chord_of(*both)),
    ),
    max_leaves=60,
)


@settings(max_examples=400, deadline=None)
@given(workflows)
def test_every_workflow_computes_what_it_says(workflow: Stored) -> None:
    results = run(workflow, "x")

    assert str(results["end"]) == str(meaning(workflow, "x"))


@settings(max_examples=150, deadline=None)
@given(large)
@example(chain_of([A] * 12))
@example(chain_of([*[A] * 12, group_of([B, C])]))
@example(chord_of([chain_of([A] * 9), chain_of([*[A] * 9, group_of([B, group_of([C, D])])])], D))
def test_every_workflow_computes_the_same_when_parts_of_it_are_kept_elsewhere(workflow: Stored) -> None:
    kept, embedded = run(workflow, "x", limit=0), run(workflow, "x")

    assert str(kept["end"]) == str(embedded["end"])
    assert kept.keys() == embedded.keys()


def test_a_reference_tells_celery_s_workers_whose_failure_it_is_and_who_hears_of_it() -> None:
    body = chain_of([call("body", link_error=[call("errback")]), *[A] * 20, call("last", task_id="last")])
    keeping = Keeping(lambda each: 100, 0, "json")

    thin = keeping.thin(freeze(chord_of([A] * 10, body), counting()))

    reference = thin["kwargs"]["body"]
    assert (reference["task"], reference["options"]["task_id"]) == (KEPT, "last")
    assert reference["options"]["link_error"] == [call("errback")]


@pytest.mark.parametrize("workflow", [chain_of([A] * 2000), chords_in_a_row(90, 10)], ids=["a chain", "chords in a row"])
def test_a_workflow_of_n_tasks_is_o_n_bytes_in_all(workflow: Stored) -> None:
    frozen = freeze(workflow, counting())
    tasks = sum(1 for _ in later_ids(frozen))

    assert bytes_of(frozen) < 4000 * tasks


def test_bodies_in_bodies_stay_flat_in_every_message() -> None:
    keeping = Keeping(lambda each: 100, 10**9, "json")

    thin = keeping.thin(freeze(chords_in_a_row(90, 2), counting()))

    assert max(nesting(each) for each in (thin, *(block.content for block in keeping.blocks))) < 60


@settings(max_examples=100, deadline=None)
@given(workflows)
def test_a_part_of_a_header_is_counted_as_often_as_it_is_sent(workflow: Stored) -> None:
    frozen = freeze(chord_of([workflow, A], B), counting())

    [*_, chord] = [chord for chord in unroll(frozen).chords if chord.id == frozen["options"]["group_id"]]

    assert chord.size == sum(map(size_of, members_of(frozen)))


def linked(links: Any) -> list[str]:
    return [each["task"] for each in links]


def test_links_of_a_chain_that_is_a_member_are_those_of_its_steps() -> None:
    steps = chain_of([call("a"), call("b")], {"link": call("after"), "link_error": call("heard")})

    [first] = unroll(freeze(group_of([steps]), counting())).calls

    [last] = first["options"]["chain"]
    assert (first["options"].get("link"), linked(first["options"]["link_error"])) == (None, ["heard"])
    assert (linked(last["options"]["link"]), linked(last["options"]["link_error"])) == (["after"], ["heard"])


def test_links_of_a_chain_reach_into_its_groups_and_the_bodies_of_its_chords() -> None:
    links = {"link": call("after"), "link_error": call("heard")}

    ends_with_group = chained([chain_of([call("a"), group_of([call("b"), call("c")])], links)])
    ends_with_chord = chained([chain_of([call("a"), chord_of([call("b")], call("body"))], links)])

    first, second = ends_with_group["kwargs"]["tasks"][-1]["kwargs"]["tasks"]
    assert (linked(first["options"]["link"]), first["options"]["link"][0]["immutable"]) == (["after"], True)
    assert "link" not in second["options"]
    assert linked(first["options"]["link_error"]) == linked(second["options"]["link_error"]) == ["heard"]
    made = ends_with_chord["kwargs"]["tasks"][-1]["kwargs"]
    assert (linked(made["body"]["options"]["link"]), linked(made["body"]["options"]["link_error"])) == (["after"], ["heard"])
    assert "link_error" not in made["header"][0]["options"]
