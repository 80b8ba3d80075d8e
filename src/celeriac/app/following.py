"""What follows in a workflow, as messages: the next step of a chain, a callback, the body of a chord, with all that is in it.

In a job's life: asked by settlement when a task has ended; the same unrolling serves callers. Does not know: why it follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from celeriac.app.blocks import check_joins, keep
from celeriac.app.flows.frozen import Handle, freeze
from celeriac.app.flows.normal import chained
from celeriac.app.flows.offspring import as_child, offspring
from celeriac.app.flows.stored import kind_of, members_of
from celeriac.app.flows.unrolling import Chord, unroll
from celeriac.app.home import Home
from celeriac.app.signature import call_from_stored
from celeriac.core import groupmeta
from celeriac.core.message import Message, Outgoing
from celeriac.core.settlement import Following, Opening, StoredResult

_NONE: Final[tuple[Any, ...]] = ([],)
"""What the body of a chord without members is called with."""


def following(app: Home, stored: Mapping[str, Any], first: Sequence[Any], caller: Message, *, announce: bool = True) -> Following:
    """Return the messages that ``stored`` begins with, the chords whose members are among them, and what is kept of it.

    Args:
        app: Plans, routes and encodes.
        stored: A signature of any kind. What has no id yet gets one.
        first: Arguments that go before those of what is called first.
        caller: Message of the task that it follows.
        announce: As for ``Producer.plan``.

    Raises:
        EncodeError: an argument cannot be written.
        ValueError: an option that cannot be.
    """
    if kind_of(stored) is None:
        message = _message(app, stored, first, caller, announce)
        return Following((message,), children=([[message.id, None], None],))
    whole = chained([stored])
    if kind_of(whole) == "chain" and not members_of(whole):
        return Following()  # of empty groups in it nothing is left
    frozen = freeze(whole, app.runtime.new_id)
    check_joins(app, frozen)
    thin, blocks = keep(app, frozen)
    unrolled = unroll(thin)
    messages = [_message(app, each, first, caller, announce) for each in unrolled.calls]
    opens = openings(app, unrolled.chords)
    keeps = [*blocks, *headers(app, unrolled.chords)]
    for body in unrolled.empty:
        more = following(app, body, _NONE, caller, announce=announce)
        messages += more.messages
        opens += more.opens
        keeps += more.keeps
    return Following(tuple(messages), tuple(opens), tuple(map(as_child, offspring(frozen))), tuple(keeps))


def openings(app: Home, chords: Sequence[Chord]) -> list[Opening]:
    """Return what a store is told of chords before their members can end."""
    ttl_s = app.conf.settings().result.chord_ttl_s
    return [Opening(chord.id, chord.size, ttl_s) for chord in chords]


def headers(app: Home, chords: Sequence[Chord]) -> list[StoredResult]:
    """Return the headers that are kept among results before their members are sent: those whose members end with groups.

    Celery keeps them so, under the chord's id, and its worker that calls the body looks for them there.
    """
    nested = [chord for chord in chords if chord.members]
    if not nested:
        return []
    settings = app.conf.settings().result
    bodies = [groupmeta.encode(_header(Handle(chord.id, None, chord.members)), settings.serializer) for chord in nested]
    return [
        StoredResult(groupmeta.place_of(chord.id), groupmeta.STATE, body, settings.chord_ttl_s)
        for chord, body in zip(nested, bodies, strict=True)
    ]


def _header(handle: Handle) -> list[Any]:
    return [[handle.id, None], None if handle.members is None else [_header(member) for member in handle.members]]


def _message(app: Home, stored: Mapping[str, Any], first: Sequence[Any], caller: Message, announce: bool) -> Outgoing:
    return app.producer.plan(call_from_stored(stored, first, app), caller, announce=announce)
