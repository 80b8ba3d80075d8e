"""Connecting: the store of an app, and what sends to it and reads from it.

In a program's life: opened, not connected, when something is first sent or asked; closed at its end, forgotten after a fork.
Does not know: tasks.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import Any, Final
from weakref import WeakSet, finalize

from celeriac.abc import ResultBackend, Runtime, Store
from celeriac.app.monitoring.sent_events import SentEvents
from celeriac.app.monitoring.whereabouts import here
from celeriac.app.outbox import Outbox
from celeriac.app.parts.assembly import (
    address_of,
    broker_url,
    make_producer,
    result_url,
    results_of,
    router_of,
    store_of,
    surroundings_of,
)
from celeriac.app.parts.configuring import Configuring
from celeriac.app.plan import Surroundings
from celeriac.app.producer import Producer
from celeriac.app.results.backend_view import BackendView
from celeriac.app.results.result_places import ResultPlaces
from celeriac.app.results.results import Results
from celeriac.core.lamport import LamportClock
from celeriac.drivers.registry import Places, places

_apps: Final[WeakSet[Connecting]] = WeakSet()
_orphans: Final[deque[Store]] = deque()
"""Stores of apps that are gone and that nobody closed: they hold threads and connections. The next one who opens a store closes
them. Not the garbage collector: it comes at any moment, in any thread, which may hold the very locks."""


class Connecting(Configuring):
    """The part of an app that reaches its store."""

    def __init__(self, given: Mapping[str, Any], runtime: Runtime) -> None:
        """Nothing is opened yet."""
        super().__init__(given)
        self.runtime = runtime
        self.clock = LamportClock(runtime.time)
        """Numbers what this process tells others."""
        self._sent: SentEvents | None = None
        self._lock = RLock()
        self._store: Store | None = None
        self._store_revision = -1
        self._address: Any = None
        """What the settings said when it was opened."""
        self._opened: list[Store] = []
        """Stores that are to be closed: this one, and those that the settings named before."""
        finalize(self, _orphans.extend, self._opened).atexit = False
        self._producer: Producer | None = None
        self._producer_revision = -1
        self._here: Surroundings | None = None
        self._here_revision = -1
        self._outbox = Outbox(lambda messages, deadline_s: self.store.publish(messages, deadline_s=deadline_s))
        self._results = self._results_in(lambda: self.store)
        self._places = ResultPlaces(
            self,
            self._results,
            own_url=lambda: self.places.results,
            open_url=lambda url: results_of(url, self.settings, self.runtime, os.environ),
            make=self._results_in,
        )
        _apps.add(self)

    def _results_in(self, backend: Callable[[], ResultBackend]) -> Results:
        return Results(backend, broker=lambda: self.store, runtime=self.runtime, settings=lambda: self.settings)

    @property
    def results(self) -> Results:
        """Reads results."""
        return self._results

    def results_at(self, place: Any) -> Results:
        """Return the Results in ``place``: a URL, what ``backend`` gave, a ResultBackend; ``None``: those of the app."""
        return self._places.at(place)

    def results_elsewhere(self, place: Any) -> ResultBackend | None:
        """Return the result backend of ``place`` if that is another than the app's own."""
        return None if place is None else self._places.elsewhere(place)

    def backend_at(self, place: Any) -> BackendView:
        """Return the same place as programs see it."""
        return self._places.view(place)

    @property
    def backend(self) -> BackendView:
        """Where results are, for programs that read or write them by hand."""
        return self._places.view(None)

    @property
    def places(self) -> Places:
        """URLs of broker and results, with passwords; ``results`` is ``None`` where results are disabled."""
        return places(broker_url(self.settings), result_url(self.settings), os.environ)

    @property
    def keeps_results(self) -> bool:
        """Whether there is a result backend."""
        return self.places.results is not None

    @property
    def store(self) -> Store:
        """Where messages and results are; opened, not connected, at the first use."""
        store = self._store
        if store is None or self._store_revision != self.conf.revision:
            store = self._store_as_set()
        return store

    def _store_as_set(self) -> Store:
        """Return the store that the settings name now; another one than before if they name another."""
        self.conf.read()  # here and below, before the lock: a receiver that is told of the settings may want the store
        with self._lock:
            revision, address = self.conf.revision, address_of(self.settings)
            if self._store is not None and address != self._address:
                # Not closed: somebody may be waiting there.
                self._store = None
            if self._store is None:
                _close_orphans()
                self._store, self._address = self.open_store(), address
                self._opened.append(self._store)
            self._store_revision = revision
            return self._store

    def open_store(self) -> Store:
        """Return a store of one's own, as the settings say: for processes that share nothing."""
        return store_of(self.settings, self.runtime, os.environ)

    @property
    def producer(self) -> Producer:
        """Sends calls; made anew when a setting has changed."""
        producer = self._producer
        if producer is None or self._producer_revision != self.conf.revision:
            producer = self._make_producer()
        return producer

    @property
    def here(self) -> Surroundings:
        """Where calls are made: clock, ids, zone; made anew when a setting has changed."""
        here = self._here
        if here is None or self._here_revision != self.conf.revision:
            self.conf.read()
            with self._lock:
                revision = self.conf.revision
                here = self._here = surroundings_of(self.runtime, self.timezone)
                self._here_revision = revision
        return here

    def queue_names(self) -> Sequence[str]:
        """Queues that a worker serves unless it is told others: those of ``task_queues``, or the default one."""
        return tuple(router_of(self.settings.task).queues)

    def _make_producer(self) -> Producer:
        self.conf.read()
        with self._lock:
            revision = self.conf.revision
            self._producer = make_producer(
                self.store, self.settings.task, self._outbox, self.runtime, self.here, sent=self._sent_events()
            )
            self._producer_revision = revision
            return self._producer

    def _sent_events(self) -> SentEvents | None:
        """Return who tells what is sent; ``None``: nobody does."""
        if not self.settings.task.send_sent_event:
            return None
        if self._sent is None:
            told = self.settings.event
            self._sent = SentEvents(
                lambda: self.store.broadcast, here(self), self.runtime, exchange=told.exchange, serializer=told.serializer
            )
        return self._sent

    def close(self) -> None:
        """Send what waits to be sent, end our threads, close the connections. The app may be used again."""
        self._outbox.close()
        if self._sent is not None:
            self._sent.close()
            self._sent = None
        self._places.close()
        with self._lock:
            stores = self._opened.copy()
            self._opened.clear()
            self._store = None
            self.conf.touch()
        for store in stores:
            store.close()

    def abandon(self) -> None:
        """Forget threads and connections of the process that forked this one. Called after every fork."""
        self._lock = RLock()
        self._outbox.abandon()
        if self._sent is not None:
            self._sent.abandon()
            self._sent = None
        self._places.abandon()
        # Whoever kept the parent's producer asks for a new one.
        self.conf.abandon()
        for store in self._opened:
            store.abandon()


def _close_orphans() -> None:
    while _orphans:
        try:
            store = _orphans.popleft()
        except IndexError:  # another thread was faster
            return
        store.close()


def _after_fork() -> None:
    for store in tuple(_orphans):
        store.abandon()
    for app in tuple(_apps):
        app.abandon()


os.register_at_fork(after_in_child=_after_fork)
