"""Notices in the memory of one process: who listens, and telling them.

In a notice's life: say -> hear, in the thread that says it. Nothing is kept. Does not know: what a notice means.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from celeriac.core.notice import Notice, fits
from celeriac.drivers.notices import tell


class MemoryBroadcast:
    """See ``abc.Broadcast``. For any number of threads of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ears: list[_Ear] = []
        self._mailboxes: list[_Ear] = []

    def say(self, notices: Sequence[Notice]) -> None:
        """See ``Broadcast.say``. Everybody has heard it when this returns."""
        for notice in notices:
            for ear in tuple(self._ears):
                if ear.exchange == notice.exchange and fits(ear.patterns, notice.routing_key):
                    ear.tell(notice)

    def listen(self, exchange: str, patterns: Sequence[str], hear: Callable[[Notice], None]) -> _Ear:
        """See ``Broadcast.listen``."""
        return self._open(_Ear(self._lock, self._ears, exchange, tuple(patterns), hear))

    def open_mailbox(self, exchange: str, key: str, hear: Callable[[Notice], None]) -> _Ear:
        """See ``Broadcast.open_mailbox``."""
        return self._open(_Ear(self._lock, self._mailboxes, exchange, (key,), hear))

    def answer(self, notice: Notice) -> None:
        """See ``Broadcast.answer``."""
        for ear in tuple(self._mailboxes):
            if ear.exchange == notice.exchange and notice.routing_key in ear.patterns:
                ear.tell(notice)

    def _open(self, ear: _Ear) -> _Ear:
        with self._lock:
            ear.among.append(ear)
        return ear


class _Ear:
    """Who listens. ``patterns`` of a mailbox are its key."""

    def __init__(
        self, lock: threading.Lock, among: list[_Ear], exchange: str, patterns: Sequence[str], hear: Callable[[Notice], None]
    ) -> None:
        self._lock, self.among = lock, among
        self.exchange, self.patterns, self._hear = exchange, patterns, hear

    def tell(self, notice: Notice) -> None:
        """Let it hear."""
        tell(self._hear, notice)

    def close(self) -> None:
        """See ``Listening.close``."""
        with self._lock:
            if self in self.among:
                self.among.remove(self)
