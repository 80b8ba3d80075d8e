"""The thread that publishes for asyncio callers, many messages at a time.

In a job's life: ``adelay`` plans and encodes on the event loop, then waits here. Sixty coroutines that send at once cost one
round trip. Does not know: tasks, how messages are made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from celeriac.abc import PUBLISH_DEADLINE_S
from celeriac.app.gathering import Gatherer
from celeriac.core.errors import OperationalError
from celeriac.core.message import Outgoing

if TYPE_CHECKING:
    # asyncio costs an importing program 40 ms; whoever runs a coroutine has paid them.
    from asyncio import AbstractEventLoop, Future

LIMIT: Final = 1000
"""Callers served at a time."""


class _Letter(Struct, eq=False):
    """What one coroutine wants to send, and how it is told."""

    messages: Sequence[Outgoing]
    deadline_s: float
    loop: AbstractEventLoop
    sent: Future[None]


class Outbox:
    """Publishes for coroutines. ``publish`` never blocks the event loop."""

    def __init__(self, publish: Callable[[Sequence[Outgoing], float], None]) -> None:
        """``publish(messages, deadline_s)`` blocks, and raises ``OperationalError`` with ``accepted``."""
        self._publish = publish
        self._gatherer: Gatherer[_Letter] = Gatherer(self._send, name="celeriac-outbox", limit=LIMIT)

    async def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = PUBLISH_DEADLINE_S) -> None:
        """Return when the messages are in.

        Raises:
            OperationalError: they are not, as far as is known.
        """
        from asyncio import get_running_loop  # late: see above

        loop = get_running_loop()
        sent: Future[None] = loop.create_future()
        self._gatherer.put(_Letter(messages, deadline_s, loop, sent))
        await sent

    def _send(self, letters: Sequence[_Letter]) -> None:
        messages = [message for letter in letters for message in letter.messages]
        accepted = len(messages)
        error: Exception | None = None
        try:
            self._publish(messages, min(letter.deadline_s for letter in letters))
        except OperationalError as failure:
            accepted, error = failure.accepted, failure
        except Exception as failure:  # a coroutine that is never told would wait for ever
            accepted, error = 0, failure
        for letter in letters:
            accepted -= len(letter.messages)
            _tell(letter, error if accepted < 0 else None)

    def close(self) -> None:
        """Send what is waiting, then end the thread."""
        self._gatherer.close()

    def abandon(self) -> None:
        """Forget the thread: it did not survive the fork."""
        self._gatherer.abandon()


def _tell(letter: _Letter, error: Exception | None) -> None:
    try:
        letter.loop.call_soon_threadsafe(_resolve, letter.sent, error)
    except RuntimeError:  # the loop has been closed meanwhile: nobody waits any more
        return


def _resolve(sent: Future[None], error: Exception | None) -> None:
    if sent.done():  # cancelled by its coroutine
        return
    if error is None:
        sent.set_result(None)
    else:
        sent.set_exception(error)
