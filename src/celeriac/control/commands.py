"""Questions and answers of remote control, as data: a Command for nodes, an Answer of one node, and both as notices.

In a command's life: client -> ``as_notice`` -> broadcast -> ``command_from`` -> the panel of a node -> ``answer_notice`` ->
mailbox -> ``answers_from`` -> client. What comes from the wire is checked field by field: nothing of it is trusted. Does not
know: which commands there are, drivers. Source: the wire format of kombu's pidbox.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from msgspec import Struct

from celeriac.core import codecs
from celeriac.core.errors import DecodeError
from celeriac.core.message import Parcel, Rejected
from celeriac.core.notice import Notice

MATCHERS: Final = ("glob", "pcre")
LONGEST_PATTERN: Final = 200
"""Characters: a longer one was written to keep its readers busy."""


class Exchanges(Struct, frozen=True):
    """Where commands and answers are said. Apps with different names do not hear each other."""

    namespace: str = "celery"
    """``control_exchange``."""

    @property
    def commands(self) -> str:
        """Where nodes listen."""
        return f"{self.namespace}.pidbox"

    @property
    def answers(self) -> str:
        """Where clients have their mailboxes."""
        return f"reply.{self.namespace}.pidbox"


class ReplyTo(Struct, frozen=True):
    """A client's mailbox."""

    exchange: str
    routing_key: str


class Command(Struct, frozen=True, kw_only=True):
    """What nodes are asked or told."""

    method: str
    """Name of the command, such as ``"ping"``."""
    arguments: Mapping[str, Any] = {}
    destination: Sequence[str] | None = None
    """Names of the nodes that are meant. ``None`` or empty: as ``pattern`` says."""
    pattern: str | None = None
    """Together with ``matcher``: nodes whose name fits are meant. ``None``: all are."""
    matcher: str | None = None
    """How ``pattern`` is to be read: ``glob`` or ``pcre``, a regular expression for the beginning of the name."""
    ticket: str | None = None
    """Comes back with each answer. ``None``: no answer is wanted."""
    reply_to: ReplyTo | None = None
    clock: int = 0
    """Of the client. See ``LamportClock``."""
    expires: float = 0.0
    """When the client stops to listen for answers, seconds since 1970. 0: it does not say. Nodes act all the same."""

    def is_for(self, node: str) -> bool:
        """Say whether the node of this name is meant.

        Raises:
            ValueError: no such matcher, or a pattern that it cannot read.
        """
        if self.destination:
            return node in self.destination
        if self.pattern and self.matcher:
            return matches(node, self.pattern, self.matcher)
        return True


class Answer(Struct, frozen=True):
    """What one node answers."""

    node: str
    value: Any


def matches(node: str, pattern: str, matcher: str) -> bool:
    """Say whether the name of a node fits.

    Raises:
        ValueError: no such matcher, or a pattern that it cannot read.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {LONGEST_PATTERN} characters")
    match matcher:
        case "glob":
            return fnmatchcase(node, pattern)
        case "pcre":
            try:
                return re.match(pattern, node) is not None
            except re.error as problem:
                raise ValueError(f"{pattern!r} is no regular expression: {problem}") from problem
    raise ValueError(f"no matcher is called {matcher!r}: there are {' and '.join(MATCHERS)}")


def as_notice(command: Command, exchanges: Exchanges, *, serializer: str) -> Notice:
    """Return a command as it travels.

    Raises:
        EncodeError: the serializer cannot write an argument.
    """
    body: dict[str, Any] = {
        "method": command.method,
        "arguments": dict(command.arguments),
        "destination": None if command.destination is None else list(command.destination),
        "pattern": command.pattern,
        "matcher": command.matcher,
    }
    if command.reply_to is not None:
        address = command.reply_to
        body["ticket"] = command.ticket
        body["reply_to"] = {"exchange": address.exchange, "routing_key": address.routing_key}
    headers = {"clock": command.clock, "expires": command.expires or 0}
    return Notice(exchanges.commands, "", _parcel(body, serializer, "command", headers, delivery_mode=2))


def command_from(notice: Notice, accept: frozenset[str]) -> Command | Rejected:
    """Return the command that a notice is, or why it is none. Never raises."""
    body = _read(notice, accept)
    if isinstance(body, Rejected):
        return body
    match body:
        case {"method": str(method)} if method and len(method) <= 255:
            pass
        case _:
            return Rejected("malformed", "a command without a method")
    arguments, destination = body.get("arguments") or {}, body.get("destination")
    if not isinstance(arguments, dict) or not all(isinstance(name, str) for name in arguments):
        return Rejected("malformed", "arguments that are no mapping from names")
    if destination is not None and not _is_texts(destination):
        return Rejected("malformed", "a destination that is no list of names")
    texts = [body.get(name) for name in ("pattern", "matcher", "ticket")]
    if not all(text is None or isinstance(text, str) for text in texts):
        return Rejected("malformed", "a pattern, matcher or ticket that is no text")
    pattern, matcher, ticket = texts
    headers = notice.parcel.headers
    return Command(
        method=method,
        arguments=arguments,
        destination=destination,
        pattern=pattern,
        matcher=matcher,
        ticket=ticket,
        reply_to=_reply_to(body.get("reply_to")),
        clock=clock_of(notice),
        expires=expires if isinstance(expires := headers.get("expires"), float | int) else 0.0,
    )


def answer_notice(to: Command, answer: Answer, *, clock: int, lives_s: float, serializer: str) -> Notice:
    """Return an answer as it travels.

    Args:
        to: The command, which has a ``reply_to``.
        answer: What the node says.
        clock: Of the node.
        lives_s: How long it waits to be read.
        serializer: As of the command.

    Raises:
        EncodeError: the serializer cannot write it.
    """
    address = to.reply_to
    assert address is not None
    headers = {"ticket": to.ticket, "clock": clock}
    life = {"expiration": str(max(1, round(lives_s * 1000)))}
    parcel = _parcel({answer.node: answer.value}, serializer, "answer", headers, delivery_mode=1, further=life)
    return Notice(address.exchange, address.routing_key, parcel)


def answers_from(notice: Notice, ticket: str, accept: frozenset[str]) -> list[dict[str, Any]] | Rejected:
    """Return what a notice in a client's mailbox says, or why that is nothing. Never raises.

    Args:
        notice: Of one node, or of a worker of Celery.
        ticket: Of the question. An answer to another one is none.
        accept: Content types that may be read.
    """
    if notice.parcel.headers.get("ticket", ticket) != ticket:
        return []
    body = _read(notice, accept)
    if isinstance(body, Rejected):
        return body
    return [body]


def clock_of(notice: Notice) -> int:
    """Return the clock of who said it; 0 if he did not tell."""
    clock = notice.parcel.headers.get("clock")
    return clock if isinstance(clock, int) else 0


def _parcel(
    body: Mapping[str, Any],
    serializer: str,
    place: str,
    headers: Mapping[str, Any],
    *,
    delivery_mode: int,
    further: Mapping[str, Any] | None = None,
) -> Parcel:
    data, content_type, content_encoding = codecs.encode(body, serializer, place=place)
    return Parcel(
        body=data,
        content_type=content_type,
        content_encoding=content_encoding,
        headers=headers,
        properties={"delivery_mode": delivery_mode, **(further or {})},
    )


def _read(notice: Notice, accept: frozenset[str]) -> dict[Any, Any] | Rejected:
    parcel = notice.parcel
    try:
        body = codecs.decode(parcel.body, parcel.content_type, parcel.content_encoding, accept)
    except DecodeError as problem:
        return Rejected("content-type" if parcel.content_type not in accept else "malformed", str(problem)[:300])
    return body if isinstance(body, dict) else Rejected("malformed", "neither a command nor an answer")


def _reply_to(given: object) -> ReplyTo | None:
    match given:
        case {"exchange": str(exchange), "routing_key": str(key)} if exchange and key and len(exchange) + len(key) <= 500:
            return ReplyTo(exchange, key)
    return None


def _is_texts(given: object) -> bool:
    return isinstance(given, Collection) and not isinstance(given, str | bytes | dict) and all(isinstance(s, str) for s in given)
