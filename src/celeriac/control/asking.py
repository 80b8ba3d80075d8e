"""Ask running workers: say a command, gather the answers that come in time.

In a command's life: between ``app.control`` and the nodes. Where an answer is wanted, a mailbox is open before the command is
said, and closed when the time is over: a late answer is dropped. Does not know: which commands there are, drivers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from msgspec.structs import replace

from celeriac.abc import Broadcast, Runtime
from celeriac.control.commands import Command, Exchanges, ReplyTo, answers_from, as_notice, clock_of
from celeriac.core.lamport import LamportClock
from celeriac.core.message import Rejected
from celeriac.core.notice import Notice

log = logging.getLogger("celeriac.control")

Gathered = list[dict[str, Any]]
"""One mapping from a node's name to its answer for each that answered."""


class Asking:
    """How an app speaks to its nodes."""

    def __init__(
        self, exchanges: Exchanges, *, clock: LamportClock, runtime: Runtime, serializer: str, accept: frozenset[str]
    ) -> None:
        self._exchanges, self._clock, self._runtime = exchanges, clock, runtime
        self._serializer, self._accept = serializer, accept

    def tell(self, broadcast: Broadcast, command: Command) -> None:
        """Say a command that nobody answers."""
        broadcast.say([as_notice(self._dated(command), self._exchanges, serializer=self._serializer)])

    def ask(
        self,
        broadcast: Broadcast,
        command: Command,
        *,
        timeout_s: float,
        limit: int | None,
        callback: Callable[[dict[str, Any]], object] | None,
    ) -> Gathered:
        """Say a command; return the answers that came within ``timeout_s`` seconds, in the order of their coming.

        Args:
            broadcast: Where to say it.
            command: What.
            timeout_s: How long to wait in all.
            limit: Do not wait for more answers than these.
            callback: Called with each answer when it comes.
        """
        exchange, key = self._exchanges.answers, self._runtime.new_id()
        ticket = self._runtime.new_id()
        heard: SimpleQueue[Notice] = SimpleQueue()
        expires = self._runtime.time() + timeout_s if timeout_s else 0.0
        asked = replace(command, ticket=ticket, reply_to=ReplyTo(exchange, key), expires=expires)
        # Encoded first: what cannot be sent must not cost a mailbox.
        notice = as_notice(self._dated(asked), self._exchanges, serializer=self._serializer)
        mailbox = broadcast.open_mailbox(exchange, key, heard.put)
        try:
            broadcast.say([notice])
            return self._gather(heard, ticket, self._runtime.monotonic() + timeout_s, limit, callback)
        finally:
            mailbox.close()

    def _gather(
        self,
        heard: SimpleQueue[Notice],
        ticket: str,
        deadline: float,
        limit: int | None,
        callback: Callable[[dict[str, Any]], object] | None,
    ) -> Gathered:
        gathered: Gathered = []
        while limit is None or len(gathered) < limit:
            try:
                notice = heard.get(timeout=max(0.0, deadline - self._runtime.monotonic()))
            except Empty:
                break
            self._clock.adjust(clock_of(notice))
            answers = answers_from(notice, ticket, self._accept)
            if isinstance(answers, Rejected):
                log.warning("an answer to a command cannot be read: %s", answers.reason, extra={"event": "answer-unreadable"})
                continue
            for answer in answers:
                if callback is not None:
                    callback(answer)
                gathered.append(answer)
        return gathered

    def _dated(self, command: Command) -> Command:
        return replace(command, clock=self._clock.forward())


def command_of(
    method: str,
    arguments: Mapping[str, Any],
    *,
    destination: Sequence[str] | None,
    pattern: str | None,
    matcher: str | None,
) -> Command:
    """Return a command, checked before it is said: nodes would drop a malformed one without a word to the client.

    Raises:
        ValueError: a destination that is no list, or a pattern or matcher that is no text.
    """
    if destination is not None and not isinstance(destination, list | tuple):
        raise ValueError(f"destination must be a list or tuple of names of nodes, not {type(destination).__name__}")
    for name, value in (("pattern", pattern), ("matcher", matcher)):
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} must be text, not {type(value).__name__}")
    both = bool(pattern and matcher)
    return Command(
        method=method,
        arguments=arguments,
        destination=destination,
        pattern=pattern if both else None,
        matcher=matcher if both else None,
    )
