"""Hear of results: one thread for each store object, which reads the news that others leave for it.

In a job's life: the last step before ``AsyncResult.get`` returns. The thread starts with the first watch and sleeps until
its bell rings. Does not know: what a result means, who waits.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from celeriac.abc import CALL_DEADLINE_S, Runtime
from celeriac.core.errors import OperationalError
from celeriac.drivers.sqlite import storing, watchers
from celeriac.drivers.sqlite.bells import Bell, Bells, Ring
from celeriac.drivers.sqlite.connection import Connections

log = logging.getLogger(__name__)

Notify = Callable[[str, bytes], None]
GLANCE_S: Final = 1.0
"""A ring may be lost: look by oneself so often, while somebody watches."""
READ_AT_ONCE: Final = 100
TIDY_AT: Final = 2000
"""Remove read news and dropped ids from the database after so many, or in the next quiet second."""


class Listener:
    """Tells watchers of the states that are stored under their ids."""

    def __init__(self, connections: Connections, bells: Callable[[], Bells], *, runtime: Runtime) -> None:
        self._connections, self._bells, self._runtime = connections, bells, runtime
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[str, list[Notify]] = {}
        self._dropped: set[str] = set()
        """Not watched any more, but still in the database: cheaper to remove many at once."""
        self._bell: Bell | None = None
        self._thread: threading.Thread | None = None
        self._read = 0
        self._cleared = 0

    def watch(self, ids: Sequence[str], notify: Notify) -> None:
        """See ``ResultBackend.watch``."""
        with self._lock:
            bell = self._bell = self._bell or self._bells().take()
            new = [id for id in ids if id not in self._watched and id not in self._dropped]
            for id in ids:
                told = self._watched.setdefault(id, [])
                if notify not in told:
                    told.append(notify)
            self._dropped.difference_update(ids)
            try:
                with self._connections.writing() as db:
                    watchers.add(db, bell.name, new)
            except BaseException:
                for id in new:
                    self._watched.pop(id, None)
                raise
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, args=(bell,), name="celeriac-results", daemon=True)
                self._thread.start()

    def unwatch(self, ids: Sequence[str]) -> None:
        """See ``ResultBackend.unwatch``."""
        with self._lock:
            self._dropped.update(id for id in ids if self._watched.pop(id, None))

    def close(self) -> None:
        """End the thread, and forget who watches."""
        with self._lock:
            bell, thread = self._bell, self._thread
            self._bell = self._thread = None
            self._watched.clear()
            self._dropped.clear()
        if bell is None:
            return
        bell.interrupt()
        if thread is not None and thread is not threading.current_thread():
            thread.join(CALL_DEADLINE_S)
        try:
            with self._connections.writing() as db:
                watchers.drop_all(db, bell.name)
        except OperationalError as error:
            # Whoever rings in vain removes it.
            log.debug("cannot take back what was watched: %s", error)
        # Never lent again: late news may lie there under its name.
        bell.close()

    def abandon(self) -> None:
        """After a fork: thread, bell and watchers are the parent's."""
        if self._bell is not None:
            self._bell.close(remove=False)
        self._begin_anew()

    # --- the thread -----------------------------------------------------------------------------------------------

    def _listen(self, bell: Bell) -> None:
        while self._bell is bell:
            ended = bell.wait(GLANCE_S)
            if self._bell is not bell:
                return
            try:
                if ended is Ring.TIMED_OUT:
                    self._in_a_quiet_second(bell)
                if self._watched:
                    self._hear(bell)
            except OperationalError as error:
                log.debug("cannot read news of results: %s", error)
                self._runtime.sleep(GLANCE_S)

    def _hear(self, bell: Bell) -> None:
        while True:
            with self._connections.reading() as db:
                news = watchers.read_news(db, bell.name, after=self._read, limit=READ_AT_ONCE)
            for one in news:
                self._read = one.number
                self._tell(one.task_id, one.body)
            if self._read - self._cleared > TIDY_AT:
                self._tidy(bell)
            if len(news) < READ_AT_ONCE:
                return

    def _in_a_quiet_second(self, bell: Bell) -> None:
        if bell.is_lost():
            self._restore(bell)
        elif self._dropped or self._read > self._cleared:
            self._tidy(bell)

    def _tidy(self, bell: Bell) -> None:
        with self._lock, self._connections.writing() as db:
            watchers.clear_news(db, bell.name, until=self._read)
            watchers.drop(db, bell.name, list(self._dropped))
            self._dropped.clear()
            self._cleared = self._read

    def _restore(self, bell: Bell) -> None:
        """Watch again after somebody removed the socket: others may have taken this process for dead."""
        with self._lock:
            bell.renew()
            ids = list(self._watched)
            with self._connections.writing() as db:
                watchers.add(db, bell.name, ids)
                found = storing.load(db, ids, self._runtime.time())
        for id, body in zip(ids, found, strict=True):
            if body is not None:
                self._tell(id, body)

    def _tell(self, id: str, body: bytes) -> None:
        for notify in tuple(self._watched.get(id, ())):
            try:
                notify(id, body)
            except Exception:
                # One watcher's fault must not make the others deaf.
                log.exception("a watcher of results failed", extra={"event": "watcher-failed", "task_id": id})
