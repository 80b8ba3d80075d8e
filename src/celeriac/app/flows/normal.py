"""The normal form of workflows: what a chain of anything amounts to, and whom its links belong to.

Nested chains are flat; a group that is followed by something is a chord; what follows a chord is part of its body; a group of
one, when it is a step of a chain, is its member; empty groups and chains are skipped. As what a chord ends with, a group stays
one of however few members, and so it does where ``|`` has made it a header, as in Celery. Callbacks of a workflow are those of
its end, errbacks those of each of its steps. Where a group stays a step of a chain (``chained``), it is the header of a chord all
the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from celeriac.app.flows.stored import (
    Stored,
    body_of,
    calls_nothing,
    chain_of,
    check_depth,
    chord_of,
    group_of,
    header_id,
    is_frozen,
    kind_of,
    members_of,
    several,
    ungrouped,
    with_options,
)

NESTED: Final = 24
"""Chords in a row that are written in each other. Celery's workers know no other form; one message could hold some thirty."""


_HEADER: Final = "header"
"""Option of a group with fewer than two members that is the header of a chord, and stands as a step in a chain."""


def first_step(signatures: Iterable[Stored]) -> Stored | None:
    """Return what these begin with when they follow each other; ``None``: nothing is left of them."""
    return next(_flat(signatures, 0), None)


def chained(signatures: Iterable[Stored]) -> Stored:
    """Return these one after the other, in the normal form: a chain, or the one thing that is left of it.

    Chords in a row lie in each other, as Celery writes them: each in the body of the one before. Of more than ``NESTED`` the
    others stay groups in the chain that the innermost body is, so that a row of thousands is as flat as it looks.
    """
    levels, steps = _levels(signatures, NESTED)
    flat = [as_header(step) if kind_of(step) == "group" else step for step in _in_a_row(levels[NESTED:])]
    return _nested(levels[:NESTED], [*flat, *steps])


def ended(body: Stored, then: Sequence[Stored]) -> Stored:
    """Return the body of a chord that these follow, in the normal form."""
    return chained([as_header(body), *then] if then and kind_of(body) == "group" else [body, *then])


def row(signatures: Iterable[Stored]) -> list[Stored]:
    """Return these as steps that can be run one after the other: of a chord its header, as a group, and then its body."""
    levels, steps = _levels(signatures, 0)
    return [*_in_a_row(levels), *steps]


def _levels(signatures: Iterable[Stored], nested: int) -> tuple[list[tuple[list[Stored], Stored]], list[Stored]]:
    """Return steps with the group or chord after them that all that follows waits for, and the steps after the last of these.

    ``nested``: how many levels may lie in each other.
    """
    levels: list[tuple[list[Stored], Stored]] = []
    steps: list[Stored] = []
    todo = deque(_flat(signatures, 0))
    while todo:
        step = todo.popleft()
        if not _is_opened(step, bool(todo), len(levels), nested):
            steps.append(step)
            continue
        levels.append((steps, step))
        steps = []
        if kind_of(step) == "chord":
            body = body_of(step)
            todo.extendleft([body] if kind_of(body) == "group" else reversed(list(_flat([body], 0))))
    return levels, steps


def longest_row(workflow: Stored) -> int:
    """Return how many chords follow each other in a workflow in the normal form, or in one of its members."""
    found = longest = 0
    inner: Stored | None = workflow
    while inner and (kind := kind_of(inner)) is not None:
        members = members_of(inner)
        if kind == "chain":
            members, inner = members[:-1], next(iter(members[-1:]), None)
            found += sum(kind_of(step) == "group" for step in members)
        else:
            found += kind == "chord"
            inner = inner["kwargs"].get("body")
        longest = max([longest, *map(longest_row, members)])
    return max(found, longest)


def _is_opened(step: Stored, followed: bool, level: int, nested: int) -> bool:
    """Say whether ``step`` begins a level: a group whose values go to what follows, a chord whose body is put with that."""
    match kind_of(step):
        case "group":
            return followed
        case "chord" if followed and level < nested:
            return True
        case "chord" if followed or level + _nesting_of(step) > nested:
            return _is_plain(step)
    return False


def _nesting_of(workflow: Stored) -> int:
    """Return how many chords it ends with that lie in each other."""
    found = 0
    inner: Stored | None = workflow
    while inner and (kind := kind_of(inner)) in {"chain", "chord"}:
        found += kind == "chord"
        inner = inner["kwargs"].get("body") if kind == "chord" else next(iter(members_of(inner)[-1:]), None)
    return found


def _is_plain(chord: Stored) -> bool:
    """Say whether a chord has nothing of its own to say of what it ends with."""
    body = chord["kwargs"].get("body")
    if not body or is_frozen(body):
        return bool(body)
    return set(chord["options"]) <= {"group_id"} and (kind_of(body) is None or not body["options"])


def _in_a_row(levels: Iterable[tuple[list[Stored], Stored]]) -> Iterator[Stored]:
    """Yield the steps of these levels as a chain holds them: a chord is its header, and what follows."""
    for steps, last in levels:
        yield from steps
        if kind_of(last) == "group":
            yield _as_written(last)
            continue
        known = header_id(last["options"], last["kwargs"]["body"])
        yield group_of(members_of(last), {"task_id": known} if known else {})


def _nested(levels: Sequence[tuple[list[Stored], Stored]], last: list[Stored]) -> Stored:
    """Return each level in the body of the one before; the innermost body is made of the steps ``last``."""
    steps = last
    for before, step in reversed(levels):
        body = steps[0] if len(steps) == 1 else chain_of(steps)
        options = of_a_header(step["options"]) if kind_of(step) == "group" else step["options"]
        steps = [*before, chord_of(members_of(step), body, options)]
    return steps[0] if len(steps) == 1 else chain_of(steps)


def _flat(signatures: Iterable[Stored], depth: int) -> Iterator[Stored]:
    """Yield the steps of chains in chains, with what was linked to the inner ones linked to their ends."""
    check_depth(depth)
    for signature in signatures:
        match kind_of(signature):
            case "chain":
                yield from linked_steps(list(_flat(members_of(signature), depth + 1)), signature["options"])
            case "group" if _is_step(signature):
                yield from _flat(members_of(signature), depth + 1)
            case _:
                yield signature


def _is_step(group: Stored) -> bool:
    """Say whether a group, as a step of a chain, stands for its one member, or for nothing."""
    return _HEADER not in group["options"] and (len(members_of(group)) == 1 or calls_nothing(group))


def as_header(group: Stored) -> Stored:
    """Return a group that stays one as a step of a chain, however few its members are: a header of a chord."""
    few = len(list(islice(ungrouped(members_of(group)), 2))) < 2
    return with_options(group, **{_HEADER: True}) if few else group


def without_empty_end(steps: Sequence[Stored]) -> Sequence[Stored]:
    """Return the steps of a chain without groups at its end that call nothing: it ends with what comes before them."""
    end = len(steps)
    while end > 1 and calls_nothing(steps[end - 1]):
        end -= 1
    return steps[:end]


def _as_written(group: Stored) -> Stored:
    """Return a group as it was before ``as_header``."""
    options = group["options"]
    if _HEADER not in options:
        return group
    return group_of(members_of(group), {name: value for name, value in options.items() if name != _HEADER})


def of_a_header(options: Stored) -> dict[str, Any]:
    """Return the options of the chord that a group becomes. A frozen one keeps its id."""
    left = {name: value for name, value in without_links(options).items() if name not in {"task_id", _HEADER}}
    return {**left, "group_id": options["task_id"]} if options.get("task_id") else left


def without_links(options: Stored) -> dict[str, Any]:
    """Return the options of a workflow whose links have been given to its steps."""
    return {name: value for name, value in options.items() if name not in {"link", "link_error"}}


def linked_steps(steps: Sequence[Stored], options: Stored) -> Sequence[Stored]:
    """Give the last step the callbacks of its workflow, and every step the errbacks: as that step's own ``link`` does."""
    link, link_error = several(options.get("link")), several(options.get("link_error"))
    if not steps or not (link or link_error):
        return steps
    last = with_link(with_link(steps[-1], "link_error", link_error), "link", link)
    return [*(_with_errbacks(step, link_error) for step in steps[:-1]), last]


def carried_out(chain: Stored) -> Sequence[Stored]:
    """Return the steps of a chain that is carried out by itself, and is not part of another one, with what it is linked to.

    If it ends with a group, each member has the chain's callbacks, which get that member's value. Source: Celery's ``chain.run``.
    """
    options, steps = chain["options"], members_of(chain)
    if not steps or kind_of(steps[-1]) != "group":
        return linked_steps(steps, options)
    heard = linked_steps(steps, {"link_error": options.get("link_error")})
    return [*heard[:-1], _at_each_end(heard[-1], several(options.get("link")))]


def _at_each_end(signature: Stored, callbacks: Sequence[Stored]) -> Stored:
    """Return ``signature`` with these callbacks; if it is a group, each of its members."""
    if kind_of(signature) != "group":
        return with_link(signature, "link", callbacks)
    return group_of([_at_each_end(member, callbacks) for member in members_of(signature)], signature["options"])


def _with_errbacks(step: Stored, errbacks: Sequence[Stored]) -> Stored:
    """Return a step that is followed with these errbacks: a group is the header of a chord then, and its body hears."""
    if kind_of(step) != "group":
        return with_link(step, "link_error", errbacks)
    return group_of(_chords_with(members_of(step), errbacks), step["options"])


def _chords_with(header: Sequence[Stored], errbacks: Sequence[Stored]) -> list[Stored]:
    return [with_link(member, "link_error", errbacks) if kind_of(member) == "chord" else member for member in header]


def with_link(signature: Stored, option: str, more: Sequence[Stored]) -> Stored:
    """Return ``signature`` linked to ``more``: a chord at its body, a group at its members, as their own methods do."""
    if not more:
        return signature
    kwargs = signature["kwargs"]
    match kind_of(signature):
        case "chord":
            body, header = with_link(kwargs["body"], option, more), kwargs["header"]
            if option == "link_error" and not isinstance(header, Mapping):
                header = _chords_with(header, more)
            return {**signature, "kwargs": {**kwargs, "header": header, "body": body}}
        case "group" if option == "link":
            first, *others = kwargs["tasks"]
            called = [{**each, "immutable": True} for each in more]
            return group_of([with_link(first, option, called), *others], signature["options"])
        case "group":
            return group_of([with_link(member, option, more) for member in kwargs["tasks"]], signature["options"])
    return with_options(signature, **{option: [*several(signature["options"].get(option)), *more]})
