"""What is known about tasks: one encoded task meta for each id, with an end, and who wants to hear of it.

In a job's life: settle -> here -> the caller who waits. Plain data under the store's lock; the announcements are handed
back to be made without it. Does not know: clocks (it is told what time it is), what the bytes say.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from msgspec import Struct

from celeriac.core.settlement import StoredResult
from celeriac.core.states import READY_STATES, SUCCESS

log = logging.getLogger(__name__)

Notify = Callable[[str, bytes], None]


class Announcement(Struct, frozen=True):
    """One call of one watcher that is due."""

    notify: Notify
    id: str
    body: bytes


class _Kept(Struct, frozen=True):
    state: str
    body: bytes
    ends: float | None

    def stays(self, result: StoredResult, *, fenced: bool) -> bool:
        """Say whether ``result`` must not take its place."""
        late = not fenced and self.state in READY_STATES and result.state not in READY_STATES
        return late or self.state == SUCCESS


class Results:
    """Stored states by task id."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._ends: list[tuple[float, str]] = []
        self._watchers: dict[str, list[Notify]] = {}

    def store(self, result: StoredResult, now: float, *, fenced: bool) -> list[Announcement]:
        """Keep ``result``, unless a stronger one is there; return whom to tell.

        ``fenced``: it comes with a settlement, from the one who holds the delivery.
        """
        self.drop_expired(now)
        known = self._kept.get(result.id)
        if known is not None and known.stays(result, fenced=fenced):
            return []
        ends = None if result.ttl_s is None else now + result.ttl_s
        self._kept[result.id] = _Kept(result.state, result.body, ends)
        if ends is not None:
            heappush(self._ends, (ends, result.id))
        return [Announcement(notify, result.id, result.body) for notify in self._watchers.get(result.id, ())]

    def load(self, ids: Sequence[str], now: float) -> list[bytes | None]:
        """Return the body of each id, or ``None``."""
        self.drop_expired(now)
        found = [self._kept.get(id) for id in ids]
        return [None if kept is None else kept.body for kept in found]

    def forget(self, ids: Sequence[str]) -> None:
        """Drop what is kept."""
        for id in ids:
            self._kept.pop(id, None)

    def drop_expired(self, now: float) -> None:
        """Forget what has ended."""
        while self._ends and self._ends[0][0] <= now:
            ends, id = heappop(self._ends)
            kept = self._kept.get(id)
            # The note may be of an earlier state of this id, which a later one has replaced.
            if kept is not None and kept.ends == ends:
                del self._kept[id]

    def watch(self, ids: Sequence[str], notify: Notify) -> None:
        """Tell ``notify`` of what is stored under these ids from now on."""
        for id in ids:
            watchers = self._watchers.setdefault(id, [])
            if notify not in watchers:
                watchers.append(notify)

    def unwatch(self, ids: Sequence[str]) -> None:
        """Tell nobody any more."""
        for id in ids:
            self._watchers.pop(id, None)

    def unwatch_all(self) -> None:
        """Tell nobody of anything."""
        self._watchers.clear()


def announce(announcements: Sequence[Announcement]) -> None:
    """Tell each watcher, without the store's lock."""
    for due in announcements:
        try:
            due.notify(due.id, due.body)
        except Exception:
            # What was stored is stored: the fault of a watcher must not look like one of the store.
            log.exception("a watcher of results failed", extra={"event": "watcher-failed", "task_id": due.id})
