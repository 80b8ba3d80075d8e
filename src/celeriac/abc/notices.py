"""What a store that carries notices must do.

Beside a job's life. Does not know: what is said, who says it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from celeriac.core.notice import Notice


class Listening(Protocol):
    """An ear that is open until it is closed."""

    def close(self) -> None:
        """Hear nothing more. What is being heard in another thread may still come to its end."""


class Broadcast(Protocol):
    """Notices: heard at most once by each who listens at that moment, and kept for nobody."""

    def say(self, notices: Sequence[Notice]) -> None:
        """Have each notice heard by all who listen to its exchange with a pattern that fits; in one round trip.

        Raises:
            BrokerUnreachable: the server was not reached; some may have been heard.
        """

    def listen(self, exchange: str, patterns: Sequence[str], hear: Callable[[Notice], None]) -> Listening:
        """From now on call ``hear`` for each notice at ``exchange`` whose routing key fits one of ``patterns``, in order.

        ``patterns`` are those of topic exchanges: words between dots, ``*`` for one, ``#`` for any number; ``("#",)`` is
        everything, also an empty key. ``hear`` is called in a thread of the store and must not block. When this returns, notices
        are heard. A connection that broke is renewed in the background; what was said meanwhile is lost.

        Raises:
            BrokerUnreachable: the server was not reached in time; nothing is heard.
        """

    def open_mailbox(self, exchange: str, key: str, hear: Callable[[Notice], None]) -> Listening:
        """From now on call ``hear`` for each notice that is sent to ``key`` of this direct exchange, also by Celery's workers."""

    def answer(self, notice: Notice) -> None:
        """Put a notice into the mailbox that its exchange and routing key name. If it was closed: nothing happens."""
