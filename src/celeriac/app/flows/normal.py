"""The normal form of workflows: what a chain of anything amounts to, and whom its links belong to.

Nested chains are flat; a group that is followed by something is a chord; what follows a chord is part of its body; a group of
one, when chained, is its member; empty groups and chains are skipped. Callbacks of a workflow are those of its end, errbacks
those of each of its steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from celeriac.app.flows.stored import (
    Stored,
    chain_of,
    check_depth,
    chord_of,
    group_of,
    kind_of,
    members_of,
    several,
    with_options,
)


def chained(signatures: Iterable[Stored]) -> Stored:
    """Return these one after the other, in the normal form: a chain, or the one thing that is left of it."""
    steps: list[Stored] = []
    for step in _flat(signatures, 0):
        last = kind_of(steps[-1]) if steps else None
        if last == "group":
            group = steps.pop()
            steps.append(chord_of(members_of(group), step, _of_a_header(group["options"])))
        elif last == "chord":
            chord = steps.pop()
            steps.append(chord_of(members_of(chord), chained([chord["kwargs"]["body"], step]), chord["options"]))
        else:
            steps.append(step)
    return steps[0] if len(steps) == 1 else chain_of(steps)


def _flat(signatures: Iterable[Stored], depth: int) -> Iterator[Stored]:
    """Yield the steps of chains in chains, with what was linked to the inner ones linked to their ends."""
    check_depth(depth)
    for signature in signatures:
        match kind_of(signature):
            case "chain":
                yield from _flat(linked_steps(members_of(signature), signature["options"]), depth + 1)
            case "group" if len(members_of(signature)) < 2:
                yield from _flat(members_of(signature), depth + 1)
            case _:
                yield signature


def _of_a_header(options: Stored) -> dict[str, Any]:
    """Return the options of the chord that a group becomes. A frozen one keeps its id."""
    left = {name: value for name, value in without_links(options).items() if name != "task_id"}
    return {**left, "group_id": options["task_id"]} if options.get("task_id") else left


def without_links(options: Stored) -> dict[str, Any]:
    """Return the options of a workflow whose links have been given to its steps."""
    return {name: value for name, value in options.items() if name not in {"link", "link_error"}}


def linked_steps(steps: Sequence[Stored], options: Stored) -> Sequence[Stored]:
    """Give the last step the callbacks of its workflow, and every step the errbacks."""
    link, link_error = several(options.get("link")), several(options.get("link_error"))
    if not steps or not (link or link_error):
        return steps
    heard = [with_link(step, "link_error", link_error) for step in steps]
    return [*heard[:-1], with_link(heard[-1], "link", link)]


def with_link(signature: Stored, option: str, more: Sequence[Stored]) -> Stored:
    """Return ``signature`` linked to ``more``: a chord at its body, a group at its members, as their own methods do."""
    if not more:
        return signature
    kwargs = signature["kwargs"]
    match kind_of(signature):
        case "chord":
            body, header = with_link(kwargs["body"], option, more), kwargs["header"]
            if option == "link_error" and not isinstance(header, Mapping):
                header = [with_link(member, option, more) if kind_of(member) == "chord" else member for member in header]
            return {**signature, "kwargs": {**kwargs, "header": header, "body": body}}
        case "group" if option == "link":
            first, *others = kwargs["tasks"]
            called = [{**each, "immutable": True} for each in more]
            return group_of([with_link(first, option, called), *others], signature["options"])
        case "group":
            return group_of([with_link(member, option, more) for member in kwargs["tasks"]], signature["options"])
    return with_options(signature, **{option: [*several(signature["options"].get(option)), *more]})
