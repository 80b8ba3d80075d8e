"""Unroll a workflow: what is to be sent now, which chords are opened, who waits for which ids.

In a job's life: signatures -> **unrolling** -> plan -> messages. A caller unrolls what ``apply_async`` is asked for, a worker
what comes next in a chain or after a chord. Works on signatures as plain data, in Celery's stored form, and changes none that it
is handed. Pure: ids are made by a function that is handed in, and fixed by ``freeze`` before anything is sent, so that to
unroll the same signature twice sends the same messages. Does not know: apps, tasks, stores.

Normal form (``chained``): nested chains are flat; a group that is followed by something is a chord; what follows a chord is part
of its body; a group of one, when chained, is its member; empty groups and chains are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from msgspec import Struct

from celeriac.core.errors import WorkflowTooDeep

Stored = Mapping[str, Any]
"""A signature as data: ``task``, ``args``, ``kwargs``, ``options``, ``subtask_type``, ``immutable``."""
SHAPE: Final = "shape"
"""Key of a body whose header has members that end with groups. Celery keeps a saved group for that, under the chord's id."""
KEPT: Final = "celeriac.kept"
"""Task of a reference: a call that stands for a part of the workflow which is kept elsewhere (``keeping.py``)."""
ABANDON: Final = "celeriac.abandon"
"""Task that ends such a part as failed, because what comes before it has."""
ENDS: Final = "ends"
"""Argument of a reference whose part does not end with one task: its shape."""
DEEPEST: Final = 100
"""Groups in chords in chains in ...: deeper ones are refused, here and in a worker, before Python's own limit is met."""


class Handle(Struct, frozen=True):
    """Who waits for what: the ids of a result, and of what came before it."""

    id: str
    parent: Handle | None = None
    members: tuple[Handle, ...] | None = None
    """Of a group; ``None``: a task."""


class Chord(Struct, frozen=True):
    """A chord to be opened before its members are sent."""

    id: str
    size: int
    """How many parts its body waits for."""
    members: tuple[Handle, ...] = ()
    """Of its header, if some of them end with groups: a Celery worker that calls the body is to find them."""


class Unrolled(Struct, frozen=True):
    """What begins a workflow."""

    calls: tuple[Stored, ...]
    """Single tasks, all to be called with the same first arguments; ``chain`` and ``chord`` are in their options."""
    chords: tuple[Chord, ...] = ()
    empty: tuple[Stored, ...] = ()
    """Bodies of chords without members: to be called with an empty list."""


def kind_of(signature: Stored) -> str | None:
    """Return ``"chain"``, ``"group"``, ``"chord"``, or ``None`` for a single task."""
    kind = signature.get("subtask_type")
    return kind if kind in {"chain", "group", "chord"} else None


def is_kept(signature: Stored) -> bool:
    """Say whether this is a reference to a part of the workflow that is kept elsewhere."""
    return signature.get("task") == KEPT


def members_of(signature: Stored) -> Sequence[Stored]:
    """Return the steps of a chain, the members of a group, the header of a chord."""
    kwargs = signature["kwargs"]
    members: Any = kwargs["tasks"] if kind_of(signature) != "chord" else kwargs["header"]
    # Of a chord Celery writes a list, or the group itself.
    found: Sequence[Stored] = members["kwargs"]["tasks"] if isinstance(members, Mapping) else members
    return found


def steps_of(chain: Stored) -> Sequence[Any]:
    """Return the steps of a chain that is to be sent."""
    if not (steps := members_of(chain)):
        raise ValueError("an empty chain has nothing to send and no result: give it a step, as in chain(add.s(2, 2))")
    return steps


def body_of(chord: Stored) -> Stored:
    """Return the body of a chord that is to be sent."""
    if (body := chord["kwargs"].get("body")) is None:
        raise TypeError("a chord needs a body: chord(header)(body), or group | body")
    return cast("Stored", body)


def header_id(options: Stored, body: Stored | None) -> Any:
    """Return the id of the group that is the header of a chord of these; ``None``: it has none yet.

    Where the body is frozen, the chord's own id is that of its header, as in Celery. Before that it is meant for the body.
    """
    return options.get("group_id") or (options.get("task_id") if is_frozen(body) else None)


def is_frozen(signature: Stored | None) -> bool:
    """Say whether what ``signature`` begins with has an id."""
    while signature and (kind := kind_of(signature)) in {"chain", "chord"}:
        signature = next(iter(members_of(signature)), None) if kind == "chain" else signature["kwargs"].get("body")
    return bool(signature and (signature.get("options") or {}).get("task_id"))


def chain_of(steps: Sequence[Stored], options: Stored | None = None) -> dict[str, Any]:
    """Return a chain as data."""
    return _composite("chain", {"tasks": list(steps)}, options)


def group_of(members: Sequence[Stored], options: Stored | None = None) -> dict[str, Any]:
    """Return a group as data."""
    return _composite("group", {"tasks": list(members)}, options)


def chord_of(header: Sequence[Stored], body: Stored, options: Stored | None = None) -> dict[str, Any]:
    """Return a chord as data."""
    return _composite("chord", {"header": list(header), "body": body, "kwargs": {}}, options)


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
            steps.append(chord_of(members_of(chord), chained([body_of(chord), step]), chord["options"]))
        else:
            steps.append(step)
    return steps[0] if len(steps) == 1 else chain_of(steps)


def freeze(signature: Stored, new_id: Callable[[], str], *, id: str | None = None, depth: int = 0) -> Stored:
    """Return the signature with an id for everything in it, and its links where they belong. What has an id keeps it.

    Args:
        signature: In the normal form.
        new_id: Makes ids.
        id: For what it ends with: the task, the last step, the body, the group.
        depth: How deep it lies in another one.

    Raises:
        WorkflowTooDeep: it is nested in more than ``DEEPEST`` others.
    """
    _check_depth(depth)
    options = dict(signature["options"])
    own = options.get("task_id") or id
    below = depth + 1
    match kind_of(signature):
        case None:
            options["task_id"] = own or new_id()
            return {**signature, "options": options}
        case "chain":
            *steps, last = _linked(steps_of(signature), options)
            frozen = [freeze(step, new_id, depth=below) for step in steps]
            return chain_of([*frozen, freeze(last, new_id, id=own, depth=below)], _without_links(options))
        case "group":
            options["task_id"] = own or new_id()
            heard = _several(options.pop("link_error", None))
            members = [_and(member, "link_error", heard) for member in members_of(signature)]
            return group_of([freeze(member, new_id, depth=below) for member in members], options)
        case _:
            [linked] = _linked([body_of(signature)], options)
            body = freeze(linked, new_id, id=own, depth=below)
            options["group_id"] = header_id(options, linked) or new_id()
            header = [freeze(member, new_id, depth=below) for member in _ungrouped(members_of(signature))]
            return chord_of(header, body, _without_links(options))


def handle_of(frozen: Stored, parent: Handle | None = None) -> Handle:
    """Return who waits for what ``frozen`` ends with."""
    match kind_of(frozen):
        case None:
            return Handle(frozen["options"]["task_id"], parent)
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


def unroll(frozen: Stored) -> Unrolled:
    """Return what begins the workflow ``frozen``."""
    chords: list[Chord] = []
    empty: list[Stored] = []
    calls = tuple(_unrolled(frozen, (), chords, empty))
    return Unrolled(calls, tuple(chords), tuple(empty))


def later_ids(signature: Stored) -> Iterator[str]:
    """Yield every id in a frozen signature: of tasks that never run when what comes before them has failed. Not of those that are
    kept elsewhere."""
    match kind_of(signature):
        case None:
            if (id := signature.get("options", {}).get("task_id")) is not None and not is_kept(signature):
                yield id
        case kind:
            for member in members_of(signature):
                yield from later_ids(member)
            if kind == "chord":
                yield from later_ids(signature["kwargs"]["body"])


def size_of(signature: Stored) -> int:
    """Return how many parts a member of a header brings."""
    match kind_of(signature):
        case None:
            return leaves_of(signature["kwargs"].get(ENDS, 0)) if is_kept(signature) else 1
        case "chain":
            return size_of(members_of(signature)[-1])
        case "group":
            return sum(map(size_of, members_of(signature)))
        case _:
            return size_of(signature["kwargs"]["body"])


def _unrolled(frozen: Stored, then: Sequence[Stored], chords: list[Chord], empty: list[Stored]) -> Iterator[Stored]:
    """Yield what is to be called first of ``frozen``, which ``then`` follows."""
    match kind_of(frozen):
        case None:
            yield _with(frozen, chain=[*reversed(then), *(frozen["options"].get("chain") or ())]) if then else frozen
        case "chain":
            first, *rest = _linked(members_of(frozen), frozen["options"])
            yield from _unrolled(first, (*rest, *then), chords, empty)
        case "group" if then:
            yield from _unrolled(chained([frozen, *then]), (), chords, empty)
        case "group":
            yield from _members(frozen, frozen["options"]["task_id"], None, chords, empty)
        case _:
            body = chained([frozen["kwargs"]["body"], *then])
            id = header_id(frozen["options"], frozen["kwargs"]["body"])
            header = members_of(frozen)
            if not header:
                empty.append(body)
                return
            ending = _ending(body, id, header)
            nested = tuple(map(handle_of, header)) if SHAPE in ending else ()
            chords.append(Chord(id, sum(map(size_of, header)), nested))
            yield from _members(frozen, id, ending, chords, empty)


def _members(frozen: Stored, group_id: str, body: Stored | None, chords: list[Chord], empty: list[Stored]) -> Iterator[Stored]:
    place = 0
    for member in members_of(frozen):
        yield from _unrolled(attach(member, group_id, place, body), (), chords, empty)
        place += size_of(member)


def attach(member: Stored, group_id: str, place: int, body: Stored | None) -> Stored:
    """Return ``member`` with the chord that it reports to, or the group that it belongs to, where it ends."""
    match kind_of(member):
        case None if body is None and member["options"].get("chord"):
            return member  # it belongs to the header of a chord, whatever group stands between them
        case None:
            told = {"group_id": group_id, "group_index": place}
            return _with(member, **told) if body is None else _with(member, **told, chord=body)
        case "chain":
            *steps, last = members_of(member)
            return chain_of([*steps, attach(last, group_id, place, body)], member["options"])
        case "group":
            if body is None:
                return member  # a group in a group: its members are counted for themselves
            attached = []
            for inner in members_of(member):
                attached.append(attach(inner, group_id, place, body))
                place += size_of(inner)
            return group_of(attached, member["options"])
        case _:
            inner = attach(member["kwargs"]["body"], group_id, place, body)
            # Of a chord whose own options say a group, Celery's workers take that for the group of its body.
            options = {name: value for name, value in member["options"].items() if name != "group_id"}
            return chord_of(members_of(member), inner, {**options, "task_id": header_id(member["options"], inner)})


def _ending(body: Stored, group_id: str, header: Sequence[Stored]) -> Stored:
    """Return the body of a chord as its members carry it: knowing which chord it is, and what shape it is called with."""
    if kind_of(body) is None:  # as Celery's do, unless it is a member of another one itself
        body = _with(body, group_id=body["options"].get("group_id") or group_id)
    shape = [shape_of(member) for member in header]
    return {**body, SHAPE: shape} if any(isinstance(one, list) for one in shape) else body


def shape_of(member: Stored) -> Any:
    """Return 0 for a member that ends with one task, and for one that ends with a group the list of its members' shapes."""
    match kind_of(member):
        case None:
            return member["kwargs"].get(ENDS, 0) if is_kept(member) else 0
        case "chain":
            return shape_of(members_of(member)[-1])
        case "chord":
            return shape_of(member["kwargs"]["body"])
    return [shape_of(inner) for inner in members_of(member)]


def leaves_of(shape: Any) -> int:
    """Return how many parts a shape has."""
    return sum(map(leaves_of, shape)) if isinstance(shape, list | tuple) else 1


def _flat(signatures: Iterable[Stored], depth: int) -> Iterator[Stored]:
    """Yield the steps of chains in chains, with what was linked to the inner ones linked to their ends."""
    _check_depth(depth)
    for signature in signatures:
        match kind_of(signature):
            case "chain":
                yield from _flat(_linked(members_of(signature), signature["options"]), depth + 1)
            case "group" if len(members_of(signature)) < 2:
                yield from _flat(members_of(signature), depth + 1)
            case _:
                yield signature


def _of_a_header(options: Stored) -> dict[str, Any]:
    """Return the options of the chord that a group becomes. A frozen one keeps its id."""
    left = {name: value for name, value in _without_links(options).items() if name != "task_id"}
    return {**left, "group_id": options["task_id"]} if options.get("task_id") else left


def _without_links(options: Stored) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in {"link", "link_error"}}


def _linked(steps: Sequence[Stored], options: Stored) -> Sequence[Stored]:
    """Give the last step the callbacks of its workflow, and every step the errbacks."""
    link, link_error = _several(options.get("link")), _several(options.get("link_error"))
    if not steps or not (link or link_error):
        return steps
    heard = [_and(step, "link_error", link_error) for step in steps]
    return [*heard[:-1], _and(heard[-1], "link", link)]


def _and(signature: Stored, option: str, more: Sequence[Stored]) -> Stored:
    """Return ``signature`` linked to ``more``: a chord at its body, a group at its members, as their own methods do."""
    if not more:
        return signature
    kwargs = signature["kwargs"]
    match kind_of(signature):
        case "chord":
            body, header = _and(kwargs["body"], option, more), kwargs["header"]
            if option == "link_error" and not isinstance(header, Mapping):
                header = [_and(member, option, more) if kind_of(member) == "chord" else member for member in header]
            return {**signature, "kwargs": {**kwargs, "header": header, "body": body}}
        case "group" if option == "link":
            first, *others = kwargs["tasks"]
            called = [{**each, "immutable": True} for each in more]
            return group_of([_and(first, option, called), *others], signature["options"])
        case "group":
            return group_of([_and(member, option, more) for member in kwargs["tasks"]], signature["options"])
    return _with(signature, **{option: [*_several(signature["options"].get(option)), *more]})


def _ungrouped(header: Iterable[Stored]) -> Iterator[Stored]:
    """Yield the members of a header; those of a group in it are members themselves."""
    for member in header:
        if kind_of(member) == "group":
            yield from _ungrouped(members_of(member))
        else:
            yield member


def _with(signature: Stored, **options: Any) -> Stored:
    return {**signature, "options": {**signature["options"], **options}}


def _several(link: Any) -> list[Stored]:
    if link is None:
        return []
    return [link] if isinstance(link, Mapping) else list(link)


def _composite(kind: str, kwargs: dict[str, Any], options: Stored | None) -> dict[str, Any]:
    return {
        "task": f"celery.{kind}",
        "args": (),
        "kwargs": kwargs,
        "options": dict(options or {}),
        "subtask_type": kind,
        "immutable": False,
    }


def _check_depth(depth: int) -> None:
    if depth > DEEPEST:
        raise WorkflowTooDeep(f"this workflow is nested more than {DEEPEST} levels deep: build it flat or in parts")
