"""Change a workflow from inside one of its tasks: put another one in the task's place, add members to its chord.

In a job's life: ``Task.replace`` and ``Task.add_to_chord``, while the task runs; what comes of it is sent in the step that ends
the run. What replaces a task ends with one task, which has the replaced one's id and reports where that would have reported: to
the rest of its chain, to its callbacks, to its chord. Works on signatures as plain data and changes none that it is handed. Pure:
ids are made by a function that is handed in. Source: Celery's reference of ``Task.replace`` and ``Task.add_to_chord``.
Does not know: apps, stores.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from celeriac.app.flows.frozen import freeze
from celeriac.app.flows.normal import chained
from celeriac.app.flows.stored import (
    Stored,
    at_its_end,
    chain_of,
    chord_of,
    ends_of,
    group_of,
    is_kept,
    kind_of,
    members_of,
    several,
    with_options,
)
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.message import Message

ADDED: Final = "added"
"""Key of a body, as members carry it that were added while their chord ran: each says by itself that it is one more."""
_ACCUMULATE: Final[Stored] = {
    "task": "celery.accumulate",
    "args": (),
    "kwargs": {"index": 0},
    "options": {},
    "subtask_type": None,
    "immutable": False,
}
"""What a group ends with that has to end with one task: it returns the list of its members' values."""
_OF_THE_END: Final = frozenset({"link", "link_error", "task_id", "group_id"})
"""Options of a workflow that are not those of what is called first."""


def in_place_of(message: Message, chosen: Stored, new_id: Callable[[], str], *, members_hear: bool) -> Stored:
    """Return ``chosen`` as it takes the place of ``message``'s task, with what was to follow that, and every id fixed.

    In this order: it gets one end; the links of both; what all its tasks keep of the replaced one; at its end the id and the
    place of that; fresh ids for the rest; and the rest of the chain behind it.

    Args:
        message: Of the task that is replaced.
        chosen: A signature of any kind.
        new_id: Makes ids.
        members_hear: Errbacks of a chord are those of its members, too: ``task_allow_error_cb_on_chord_header``.

    Raises:
        ImproperlyConfigured: an empty chain, or a signature that is a member of a chord already.
    """
    if chosen["options"].get("chord") is not None:
        raise ImproperlyConfigured("what replaces a task takes its place in its chord, and must not be a member of one already")
    whole = _with_one_end(_opened(chosen))
    options = chosen["options"] if kind_of(chosen) is not None else {}
    whole = _linked(whole, [*several(options.get("link")), *(message.callbacks or ())])
    whole = _heard(whole, [*several(options.get("link_error")), *(message.errbacks or ())], members_hear)
    if message.parent_id is not None:
        whole = _begun_with(whole, {"parent_id": message.parent_id})
    whole = _each(whole, lambda one: _as_kept(one, message))
    whole = at_its_end(whole, lambda one: _as_end(one, message))
    whole = freeze(whole, new_id)
    nesting = message.replaced_task_nesting + 1
    rest = [_each(step, lambda one: with_options(one, replaced_task_nesting=nesting)) for step in reversed(message.chain or ())]
    return chained([whole, *rest]) if rest else whole


def added_to(message: Message, chosen: Stored, new_id: Callable[[], str], *, ordinal: int) -> Stored:
    """Return ``chosen`` as a member that ``message``'s task adds to its chord, with every id fixed.

    The ids under which parts come follow from the task's: a run that is repeated adds the same members, which count once.

    Args:
        message: Of the task that adds.
        chosen: A signature of any kind.
        new_id: Makes all other ids.
        ordinal: How many were added before by this run.

    Raises:
        ValueError: the task is a member of no chord.
        ImproperlyConfigured: an empty chain.
    """
    if message.chord is None or message.group is None or message.chain:
        raise ValueError(f"task {message.task}[{message.id}] is not a member of a chord: nothing can be added to it")
    numbers = itertools.count()
    place = {"group_id": message.group, "chord": {**message.chord, ADDED: True}}

    def placed(end: Stored) -> Stored:
        derived = uuid5(NAMESPACE_OID, f"{message.id}:{message.retries}:{ordinal}:{next(numbers)}")
        return with_options(end, **place, task_id=end["options"].get("task_id") or str(derived))

    member = _each(_opened(chosen), lambda one: with_options(one, root_id=one["options"].get("root_id") or message.root_id))
    return freeze(at_its_end(member if kind_of(member) == "group" else _with_one_end(member), placed), new_id)


def added_ids(member: Stored) -> list[str]:
    """Return the ids under which the parts of an added member will come."""
    return [end["options"]["task_id"] for end in ends_of(member)]


def _opened(chosen: Stored) -> Stored:
    """Return a signature in the normal form, with the options of a workflow where they belong."""
    kind = kind_of(chosen)
    if kind is None:
        return chosen
    if kind == "chain" and not members_of(chosen):
        raise ImproperlyConfigured(
            "an empty chain can take no task's place, and be no member of a chord: there is nothing that it ends with"
        )
    kept = {name: chosen["options"][name] for name in ("group_id",) if name in chosen["options"]}
    bare = {**chosen, "options": kept if kind == "chord" else {}}
    if kind == "group":
        bare = group_of(list(members_of(chosen)))  # a group of one is one, too: it has a list of one value
    first = {name: value for name, value in chosen["options"].items() if name not in _OF_THE_END}
    return _begun_with(bare if kind == "group" else chained([bare]), first)


def _begun_with(workflow: Stored, options: Stored) -> Stored:
    """Give what is called first these options."""
    if not options:
        return workflow
    match kind_of(workflow):
        case None:
            return with_options(workflow, **options)
        case "chain":
            first, *rest = members_of(workflow)
            return chain_of([_begun_with(first, options), *rest], workflow["options"])
        case "group":
            return group_of([_begun_with(one, options) for one in members_of(workflow)], workflow["options"])
    header = [_begun_with(one, options) for one in members_of(workflow)]
    body = workflow["kwargs"]["body"]
    return chord_of(header, body if header else _begun_with(body, options), workflow["options"])


def _with_one_end(workflow: Stored) -> Stored:
    """Let a workflow that ends with a group end with the list of the group's values."""
    match kind_of(workflow):
        case None:
            return workflow
        case "chain":
            *steps, last = members_of(workflow)
            return chain_of([*steps, _with_one_end(last)], workflow["options"])
        case "group":
            return chord_of(members_of(workflow), _ACCUMULATE)
    return chord_of(members_of(workflow), _with_one_end(workflow["kwargs"]["body"]), workflow["options"])


def _linked(workflow: Stored, callbacks: Sequence[Stored]) -> Stored:
    if not callbacks:
        return workflow
    return at_its_end(workflow, lambda end: _and(end, "link", callbacks))


def _heard(workflow: Stored, errbacks: Sequence[Stored], members_hear: bool) -> Stored:
    """Let every step have these errbacks; of a chord the body, for which those of its members count."""
    if not errbacks:
        return workflow
    match kind_of(workflow):
        case None:
            return _and(workflow, "link_error", errbacks)
        case "chain":
            *steps, last = members_of(workflow)
            heard = [
                each if kind_of(each) == "group" and not members_hear else _heard(each, errbacks, members_hear) for each in steps
            ]
            return chain_of([*heard, _heard(last, errbacks, members_hear)], workflow["options"])
        case "group":
            return group_of([_heard(one, errbacks, members_hear) for one in members_of(workflow)], workflow["options"])
    header = members_of(workflow)
    if members_hear:
        header = [_heard(member, errbacks, members_hear) for member in header]
    return chord_of(header, _heard(workflow["kwargs"]["body"], errbacks, members_hear), workflow["options"])


def _as_kept(one: Stored, message: Message) -> Stored:
    """Return a task of a replacement with what all of them keep of the replaced one: its root, headers, stamps."""
    own = one["options"]
    options: dict[str, Any] = {
        "root_id": message.root_id or message.id,
        "replaced_task_nesting": message.replaced_task_nesting + 1,
    }
    if message.headers:
        options["headers"] = {**message.headers, **(own.get("headers") or {})}
    if message.stamps:
        names = [*(own.get("stamped_headers") or ()), *(name for name in message.stamps if name not in own)]
        options |= {**message.stamps, **{name: own[name] for name in names if name in own}}
        options["stamped_headers"] = list(dict.fromkeys(names))
    return with_options(one, **options)


def _as_end(end: Stored, message: Message) -> Stored:
    """Return the last task of a replacement with the id of the replaced one, and its place."""
    own = end["options"]
    return with_options(
        end,
        task_id=message.id,
        group_id=message.group,
        group_index=message.group_index,
        chord=message.chord,
        reply_to=message.reply_to,
        ignore_result=message.ignore_result if own.get("ignore_result") is None else own["ignore_result"],
    )


def _each(workflow: Stored, change: Callable[[Stored], Stored]) -> Stored:
    """Change every task of a workflow that is here, and not kept elsewhere."""
    match kind_of(workflow):
        case None:
            return workflow if is_kept(workflow) else change(workflow)
        case "chain":
            return chain_of([_each(step, change) for step in members_of(workflow)], workflow["options"])
        case "group":
            return group_of([_each(one, change) for one in members_of(workflow)], workflow["options"])
    header = [_each(one, change) for one in members_of(workflow)]
    return chord_of(header, _each(workflow["kwargs"]["body"], change), workflow["options"])


def _and(signature: Stored, option: str, more: Sequence[Stored]) -> Stored:
    return with_options(signature, **{option: [*several(signature["options"].get(option)), *more]})
