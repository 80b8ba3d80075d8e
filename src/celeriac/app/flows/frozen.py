"""Fix the id of everything in a workflow, before anything of it is sent, and say who waits for what.

In a job's life: ``chained`` -> **frozen** -> ``unroll``. Ids are made by a function that is handed in. From here on a repeat is
harmless: to unroll the same frozen workflow twice sends the same messages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from celeriac.app.flows.normal import carried_out, linked_steps, with_link, without_empty_end, without_links
from celeriac.app.flows.parts_apart import with_ids_of_their_own
from celeriac.app.flows.stored import (
    Stored,
    body_of,
    calls_nothing,
    chain_of,
    check_depth,
    chord_of,
    group_of,
    header_id,
    is_empty,
    is_kept,
    kind_of,
    members_of,
    several,
    ungrouped,
    with_header_id,
)

_NOTHING: Final[Stored] = {
    "task": "celery.accumulate",
    "args": (),
    "kwargs": {},
    "options": {},
    "subtask_type": None,
    "immutable": True,
}
"""The body of a chord that is a group without members: a chord has to end with something. It returns an empty list."""


class Handle(Struct, frozen=True):
    """Who waits for what: the ids of a result, and of what came before it."""

    id: str
    parent: Handle | None = None
    members: tuple[Handle, ...] | None = None
    """Of a group; ``None``: a task."""
    task: str = ""
    """Name of the task; empty: of a group, or it is kept elsewhere."""
    ignore_result: bool | None = None
    """Whether the call says that its result is not stored; ``None``: as the task says."""


def freeze(signature: Stored, new_id: Callable[[], str], *, id: str | None = None, depth: int = 0) -> Stored:
    """Return the signature with an id for everything in it, and its links where they belong. What has an id keeps it.

    Args:
        signature: In the normal form.
        new_id: Makes ids.
        id: For what it ends with: the task, the last step, the body, the group.
        depth: How deep it lies in another one.

    Raises:
        WorkflowTooDeep: it is nested in more than ``DEEPEST`` others.
        ValueError: it is an empty chain.
    """
    check_depth(depth)
    if is_empty(signature):
        raise ValueError("this chain has no steps: there is nothing to be called, and nothing that has a result")
    options = dict(signature["options"])
    own = options.get("task_id") or id
    below = depth + 1
    match kind_of(signature):
        case None:
            options["task_id"] = own or new_id()
            return {**signature, "options": options}
        case "chain":
            *steps, last = without_empty_end(carried_out(signature))
            frozen = [freeze(_as_step(step), new_id, depth=below) for step in steps]
            return chain_of([*frozen, freeze(last, new_id, id=own, depth=below)], without_links(options))
        case "group":
            options["task_id"] = own or new_id()
            heard = several(options.pop("link_error", None))
            members = [with_link(member, "link_error", heard) for member in ungrouped(members_of(signature))]
            return group_of([freeze(member, new_id, depth=below) for member in members], options)
        case _:
            body = body_of(signature)
            [linked] = linked_steps([_NOTHING if kind_of(body) == "group" and calls_nothing(body) else body], options)
            body = freeze(linked, new_id, id=own, depth=below)
            known = header_id(options, linked) or new_id()
            header = [freeze(member, new_id, depth=below) for member in ungrouped(members_of(signature))]
            return chord_of(with_ids_of_their_own(header, known), body, with_header_id(without_links(options), body, known))


def handle_of(frozen: Stored, parent: Handle | None = None) -> Handle:
    """Return who waits for what ``frozen`` ends with."""
    match kind_of(frozen):
        case None:
            return handle_of_call(frozen, parent)
        case "chain":
            for step in members_of(frozen):
                parent = handle_of(step, parent)
            assert parent is not None  # a frozen chain has steps
            return parent
        case "group":
            return Handle(frozen["options"]["task_id"], parent, tuple(handle_of(member) for member in members_of(frozen)))
        case _:
            header, body = tuple(handle_of(member) for member in members_of(frozen)), frozen["kwargs"]["body"]
            return handle_of(body, Handle(header_id(frozen["options"], body), parent, header))


def handle_of_call(call: Stored, parent: Handle | None) -> Handle:
    """Return who waits for a single frozen call."""
    options = call["options"]
    task = "" if is_kept(call) else call["task"]
    return Handle(options["task_id"], parent, task=task, ignore_result=options.get("ignore_result"))


def _as_step(step: Stored) -> Stored:
    """Return a step that is followed. A group is the header of a chord there, and what follows hears for its members."""
    if kind_of(step) != "group":
        return step
    return group_of(list(ungrouped(members_of(step))), without_links(step["options"]))
