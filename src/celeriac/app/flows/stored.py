"""Workflows as plain data: what a stored signature is, which kind, of which parts.

In a job's life: everything that plans, keeps, draws or carries on a workflow reads signatures through these functions, so that it
does not matter who has written them: a caller, a message, the result backend. In Celery's stored form. Does not know: ids that
are yet to be made, what is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from celeriac.core.errors import WorkflowTooDeep

Stored = Mapping[str, Any]
"""A signature as data: ``task``, ``args``, ``kwargs``, ``options``, ``subtask_type``, ``immutable``."""
KEPT: Final = "celeriac.kept"
"""Task of a reference: a call that stands for a part of the workflow which is kept elsewhere (``keeping.py``)."""
ABANDON: Final = "celeriac.abandon"
"""Task that ends such a part as failed, because what comes before it has."""
ENDS: Final = "ends"
"""Argument of a reference whose part does not end with one task: its shape."""
DEEPEST: Final = 100
"""Groups in chords in chains in ...: deeper ones are refused, here and in a worker, before Python's own limit is met."""


def kind_of(signature: Stored) -> str | None:
    """Return ``"chain"``, ``"group"``, ``"chord"``, or ``None`` for a single task."""
    kind = signature.get("subtask_type")
    return kind if kind in {"chain", "group", "chord"} else None


def is_kept(signature: Stored) -> bool:
    """Say whether this is a reference to a part of the workflow that is kept elsewhere.

    A call of that task by somebody who does not know how it is called is a call like any other, and fails as one.
    """
    if signature.get("task") != KEPT:
        return False
    kwargs, options = signature["kwargs"], signature["options"]
    return all(isinstance(each, str) for each in (kwargs.get("key"), kwargs.get("serializer"), options.get("task_id")))


def members_of(signature: Stored) -> Sequence[Stored]:
    """Return the steps of a chain, the members of a group, the header of a chord."""
    kwargs = signature["kwargs"]
    members: Any = kwargs["tasks"] if kind_of(signature) != "chord" else kwargs["header"]
    # Of a chord Celery writes a list, or the group itself.
    found: Sequence[Stored] = members["kwargs"]["tasks"] if isinstance(members, Mapping) else members
    return found


def ungrouped(members: Iterable[Stored], depth: int = 0) -> Iterator[Stored]:
    """Yield the members of a group, or of a header, as they are called: those of groups among them are members themselves, and of
    empty chains nothing is left.

    Raises:
        WorkflowTooDeep: groups lie in more than ``DEEPEST`` others.
    """
    check_depth(depth)
    for member in members:
        if kind_of(member) == "group":
            yield from ungrouped(members_of(member), depth + 1)
        elif not calls_nothing(member, depth + 1):
            yield member


def calls_nothing(signature: Stored, depth: int = 0) -> bool:
    """Say whether this is a chain or group that calls nothing: without members, or of such alone.

    Raises:
        WorkflowTooDeep: it is nested in more than ``DEEPEST`` others.
    """
    check_depth(depth)
    return kind_of(signature) in {"chain", "group"} and all(calls_nothing(each, depth + 1) for each in members_of(signature))


def is_empty(signature: Stored) -> bool:
    """Say whether this is a chain without steps: there is nothing to be sent, and nothing to wait for."""
    return kind_of(signature) == "chain" and not members_of(signature)


def body_of(chord: Stored) -> Stored:
    """Return the body of a chord that is to be sent.

    Raises:
        TypeError: it has none.
    """
    body: Stored | None = chord["kwargs"].get("body")
    if body is None:
        raise TypeError("a chord needs a body: chord(header)(body), or group | body")
    return body


def header_id(options: Stored, body: Stored | None) -> Any:
    """Return the id of the group that is the header of a chord of these; ``None``: it has none yet.

    Where the body is frozen, the chord's own id is that of its header, as in Celery. Before that it is meant for the body.
    """
    return options.get("group_id") or (options.get("task_id") if is_frozen(body) else None)


def with_header_id(options: Stored, body: Stored, id: str) -> dict[str, Any]:
    """Return the options of a chord of this frozen body, whose header has this id.

    Of a chord whose own options say a group, Celery's workers take that for the group of its body. So if the body is a member of
    a group itself, the id stands where theirs does.
    """
    name = "task_id" if any(end["options"].get("group_id") is not None for end in ends_of(body)) else "group_id"
    return {**{key: value for key, value in options.items() if key != "group_id"}, name: id}


def is_frozen(signature: Stored | None) -> bool:
    """Say whether what ``signature`` begins with has an id."""
    while signature and (kind := kind_of(signature)) in {"chain", "chord"}:
        signature = next(iter(members_of(signature)), None) if kind == "chain" else signature["kwargs"].get("body")
    return bool(signature and (signature.get("options") or {}).get("task_id"))


def calls_in(signature: Stored) -> Iterator[Stored]:
    """Yield every single call in a signature, in the order of their places; references among them."""
    match kind_of(signature):
        case None:
            yield signature
        case kind:
            for member in members_of(signature):
                yield from calls_in(member)
            if kind == "chord":
                yield from calls_in(signature["kwargs"]["body"])


def ends_of(signature: Stored) -> Iterator[Stored]:
    """Yield the calls that a signature ends with: the last step of a chain, each member of a group, the body of a chord."""
    match kind_of(signature):
        case None:
            yield signature
        case "chain":
            yield from ends_of(members_of(signature)[-1])
        case "chord":
            yield from ends_of(signature["kwargs"]["body"])
        case _:
            for member in members_of(signature):
                yield from ends_of(member)


def at_its_end(workflow: Stored, change: Callable[[Stored], Stored]) -> Stored:
    """Return a workflow with each call that it ends with changed: the ones that ``ends_of`` yields."""
    match kind_of(workflow):
        case None:
            return change(workflow)
        case "chain":
            *steps, last = members_of(workflow)
            return chain_of([*steps, at_its_end(last, change)], workflow["options"])
        case "group":
            return group_of([at_its_end(one, change) for one in members_of(workflow)], workflow["options"])
    return chord_of(members_of(workflow), at_its_end(workflow["kwargs"]["body"], change), workflow["options"])


def later_ids(signature: Stored) -> Iterator[str]:
    """Yield every id in a frozen signature: of tasks that never run when what comes before them has failed. Not of those that are
    kept elsewhere."""
    for call in calls_in(signature):
        if (id := call["options"].get("task_id")) is not None and not is_kept(call):
            yield id


def chain_of(steps: Sequence[Stored], options: Stored | None = None) -> dict[str, Any]:
    """Return a chain as data."""
    return _composite("chain", {"tasks": list(steps)}, options)


def group_of(members: Sequence[Stored], options: Stored | None = None) -> dict[str, Any]:
    """Return a group as data."""
    return _composite("group", {"tasks": list(members)}, options)


def chord_of(header: Sequence[Stored], body: Stored, options: Stored | None = None) -> dict[str, Any]:
    """Return a chord as data."""
    return _composite("chord", {"header": list(header), "body": body, "kwargs": {}}, options)


def _composite(kind: str, kwargs: dict[str, Any], options: Stored | None) -> dict[str, Any]:
    return {
        "task": f"celery.{kind}",
        "args": (),
        "kwargs": kwargs,
        "options": dict(options or {}),
        "subtask_type": kind,
        "immutable": False,
    }


def with_options(signature: Stored, **options: Any) -> Stored:
    """Return the signature with these options, which win over its own."""
    return {**signature, "options": {**signature["options"], **options}}


def several(link: Any) -> list[Stored]:
    """Return the signatures of a ``link`` or ``link_error``, which is one, a list of them, or ``None``."""
    if link is None:
        return []
    return [link] if isinstance(link, Mapping) else list(link)


def check_depth(depth: int) -> None:
    """Refuse what lies in more than ``DEEPEST`` others.

    Raises:
        WorkflowTooDeep: it does.
    """
    if depth > DEEPEST:
        raise WorkflowTooDeep(f"this workflow is nested more than {DEEPEST} levels deep: build it flat or in parts")
