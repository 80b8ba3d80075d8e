"""Waiting for results: one subscription to the backend, shared by all that wait in this process.

In a job's life: settlement announces a state, the backend's thread brings it here, everybody who waits for that id is handed it.
Nobody polls. The order is watch, then load, then wait: what was stored before the watch is loaded, what is stored after it is
announced, so nothing falls between. Does not know: what the bytes mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from threading import Lock
from typing import Final

from msgspec import Struct

from celeriac.abc import ResultBackend
from celeriac.app.gathering import Gatherer

Receive = Callable[[str, bytes], None]
"""Handed id and encoded task meta, from whatever thread; must not block. It may be told one state twice."""
CLOSED: Final = b""
"""Handed over instead of a task meta: the app was closed, nothing more will be announced."""
BATCH: Final = 1000
"""Ids in one call to the backend."""


class Request(Struct, eq=False):
    """What a coroutine wants to wait for."""

    ids: Sequence[str]
    receive: Receive
    fail: Callable[[Exception], None]
    over: bool = False
    """It waits no longer; maybe before the thread has come to it."""


class Waiting:
    """Who waits for which result."""

    def __init__(self, backend: Callable[[], ResultBackend]) -> None:
        self._backend = backend
        self._lock = Lock()
        self._receivers: dict[str, list[Receive]] = {}
        self._watched: set[str] = set()
        """Ids that the backend is known to announce. Of several who come at once each watches: the first one may fail."""
        self._gatherer: Gatherer[Request] = Gatherer(self._begin_many, name="celeriac-waiting", limit=BATCH)

    def begin(self, ids: Sequence[str], receive: Receive) -> None:
        """Hand ``receive`` each state of these ids, beginning with what is stored already. Undo with ``end``."""
        backend = self._backend()
        for batch in _batches(ids):
            new = self._enter(batch, receive)
            self._watch(backend, new)
            for id, body in zip(batch, backend.load(batch), strict=True):
                if body is not None:
                    # To everybody: one who came while our watch was under way has loaded too early, and was not announced.
                    self._announce(id, body)

    def begin_later(self, ids: Sequence[str], receive: Receive, fail: Callable[[Exception], None]) -> Request:
        """Do what ``begin`` does in a thread, together with others: for callers that must not block. Undo with ``end_later``."""
        request = Request(ids, receive, fail)
        self._gatherer.put(request)
        return request

    def end_later(self, request: Request) -> None:
        """Undo ``begin_later``, whether its thread has come to it or not."""
        with self._lock:
            request.over = True
        self.end(request.ids, request.receive)

    def _begin_many(self, requests: Sequence[Request]) -> None:
        ids = list(dict.fromkeys(id for request in requests for id in request.ids))
        try:
            new = [id for request in requests for id in self._enter(request.ids, request.receive, request)]
            self._watch(self._backend(), list(dict.fromkeys(new)))
            for batch in _batches(ids):
                for id, body in zip(batch, self._backend().load(batch), strict=True):
                    if body is not None:
                        self._announce(id, body)
        except Exception as error:  # a coroutine that is never told would wait for ever
            for request in requests:
                request.fail(error)

    def _watch(self, backend: ResultBackend, ids: Sequence[str]) -> None:
        if ids:
            backend.watch(ids, self._announce)
            with self._lock:
                self._watched.update(id for id in ids if id in self._receivers)

    def _enter(self, ids: Iterable[str], receive: Receive, request: Request | None = None) -> list[str]:
        """Note who waits; return the ids that are not announced yet."""
        new: list[str] = []
        with self._lock:
            if request is not None and request.over:
                return new
            for id in ids:
                self._receivers.setdefault(id, []).append(receive)
                if id not in self._watched:
                    new.append(id)
        return new

    def end(self, ids: Sequence[str], receive: Receive) -> None:
        """Stop handing these ids to ``receive``."""
        gone = []
        with self._lock:
            for id in ids:
                waiting = self._receivers.get(id)
                if waiting is None or receive not in waiting:
                    continue
                waiting.remove(receive)
                if not waiting:
                    del self._receivers[id]
                    self._watched.discard(id)
                    gone.append(id)
        for batch in _batches(gone):
            self._backend().unwatch(batch)
        self._watch_again(gone)

    def _watch_again(self, ids: Sequence[str]) -> None:
        """Somebody may have come between the last one's leaving and the unwatch: he is not to wait in vain."""
        with self._lock:
            again = [id for id in ids if id in self._receivers]
        if again:
            backend = self._backend()
            self._watch(backend, again)
            for id, body in zip(again, backend.load(again), strict=True):
                if body is not None:
                    self._announce(id, body)

    @property
    def size(self) -> int:
        """For how many results somebody waits."""
        with self._lock:
            return len(self._receivers)

    def _announce(self, id: str, body: bytes) -> None:
        with self._lock:
            waiting = tuple(self._receivers.get(id, ()))
        for receive in waiting:
            receive(id, body)

    def close(self) -> None:
        """End the thread that serves coroutines, and tell everybody that nothing more will come: he would wait for ever."""
        self._gatherer.close()
        with self._lock:
            left, self._receivers = self._receivers, {}
            self._watched.clear()
        for batch in _batches(list(left)):
            self._backend().unwatch(batch)
        for id, waiting in left.items():
            for receive in waiting:
                receive(id, CLOSED)

    def abandon(self) -> None:
        """Forget who waited: they are threads of the process that forked this one."""
        self._lock = Lock()
        self._receivers, self._watched = {}, set()
        self._gatherer.abandon()


def _batches(ids: Sequence[str]) -> Iterable[list[str]]:
    several = iter(ids)
    while batch := list(islice(several, BATCH)):
        yield batch
