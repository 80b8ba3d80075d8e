"""Unroll a workflow: what is to be sent now, which chords are opened.

In a job's life: a frozen workflow -> **unrolling** -> plan -> messages. A caller unrolls what ``apply_async`` is asked for, a
worker what comes next in a chain or after a chord. Changes no signature that it is handed. Does not know: apps, tasks, stores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from celeriac.app.flows.frozen import Handle, handle_of
from celeriac.app.flows.normal import chained, linked_steps
from celeriac.app.flows.shapes import FLAT, SHAPE, size_of, with_shape
from celeriac.app.flows.stored import (
    Stored,
    chain_of,
    chord_of,
    group_of,
    header_id,
    kind_of,
    members_of,
    with_header_id,
    with_options,
)


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


def unroll(frozen: Stored) -> Unrolled:
    """Return what begins the workflow ``frozen``."""
    chords: list[Chord] = []
    empty: list[Stored] = []
    calls = tuple(_unrolled(frozen, (), chords, empty))
    return Unrolled(calls, tuple(chords), tuple(empty))


def _unrolled(frozen: Stored, then: Sequence[Stored], chords: list[Chord], empty: list[Stored]) -> Iterator[Stored]:
    """Yield what is to be called first of ``frozen``, which ``then`` follows."""
    match kind_of(frozen):
        case None:
            yield with_options(frozen, chain=[*reversed(then), *(frozen["options"].get("chain") or ())]) if then else frozen
        case "chain":
            first, *rest = linked_steps(members_of(frozen), frozen["options"])
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
            nested = tuple(map(handle_of, header)) if ending.get(SHAPE, FLAT) != FLAT else ()
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
            return with_options(member, **told) if body is None else with_options(member, **told, chord=body)
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
            id = header_id(member["options"], inner)
            return chord_of(members_of(member), inner, with_header_id(member["options"], inner, id))


def _ending(body: Stored, group_id: str, header: Sequence[Stored]) -> Stored:
    """Return the body of a chord as its members carry it: knowing which chord it is, and what shape it is called with."""
    if kind_of(body) is None:  # as Celery's do, unless it is a member of another one itself
        body = with_options(body, group_id=body["options"].get("group_id") or group_id)
    return with_shape(body, header)
