"""Headers of chords: their members as a list, or as a Stream where a generator makes very many of them.

In a job's life: when a chord is written, and before it is sent. Does not know: bodies, how members are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from celeriac.app.canvas import group, member_from
from celeriac.app.flows.stored import kind_of
from celeriac.app.home import Home
from celeriac.app.signature import Signature, maybe_signature
from celeriac.app.stamping import StampingVisitor
from celeriac.app.streaming import BATCH, Stream, begun
from celeriac.app.workflows import members_from

Header = list[Signature[Any]] | Stream


def header_from(header: Any, app: Home | None) -> Header:
    """Return the members of what a chord was given: a group, a list, a generator, one signature.

    Raises:
        TypeError: one of them is no signature.
    """
    if isinstance(header, group) and header.stream is not None:
        return header.stream
    if header is None or isinstance(header, Mapping):
        return members_from(header, app)
    return begun(header, lambda one: member_from(one, app))


def alike(members: list[Signature[Any]]) -> Stream | None:
    """Return a list of very many single tasks as a Stream that is one batch: so sent, each costs half as much as a workflow.

    ``None``: they are not so many, or some are workflows, or have ids of their own.
    """
    if len(members) < BATCH or any(kind_of(one) is not None or "task_id" in one.options for one in members):
        return None
    return Stream(list(members), None)


def with_arguments(header: Header, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None) -> Header:
    """Return copies of the members, with these arguments added."""
    return _each(header, lambda member: member.clone(args, kwargs))


def hear_of(members: Iterable[Signature[Any]], errback: Mapping[str, Any], workflow: Signature[Any]) -> None:
    """Let ``errback``, which is linked to the body of ``workflow``, hear of these members, too: of those that are chords.

    With the setting ``task_allow_error_cb_on_chord_header`` of all: the setting as it is now, when the errback is linked.
    """
    all_members = workflow.app.conf.settings().task.allow_error_cb_on_chord_header
    for member in members:
        if all_members:
            member.link_error(maybe_signature(errback, workflow.app).clone().set(immutable=True))
        elif kind_of(member) == "chord":
            member.link_error(errback)


def heard_by(header: Header, errbacks: Iterable[Any]) -> Header:
    """Return copies of the members of whose failures these signatures hear, with nothing added to their arguments."""
    several = list(errbacks)

    def linked(member: Signature[Any]) -> Signature[Any]:
        copy = member.clone()
        for each in several:
            copy.link_error(maybe_signature(each, member.app).clone().set(immutable=True))
        return copy

    return _each(header, linked)


def chords_heard_by(header: Header, errbacks: Iterable[Any]) -> Header:
    """Return the members, those that are chords themselves as copies of whose failures these signatures hear."""
    several = list(errbacks)

    def linked(member: Signature[Any]) -> Signature[Any]:
        if kind_of(member) != "chord":
            return member
        copy = member.clone()
        for each in several:
            copy.link_error(each)
        return copy

    return _each(header, linked)


def stamped(header: Header, visitor: StampingVisitor | None, append_stamps: bool, stamps: Mapping[str, Any]) -> Header:
    """Return the members, each of which is stamped: those that are yet to be made, when they are made."""
    return _each(header, lambda member: member.stamp(visitor, append_stamps, **stamps))


def _each(header: Header, change: Callable[[Signature[Any]], Signature[Any]]) -> Header:
    return header.changed(change) if isinstance(header, Stream) else list(map(change, header))
