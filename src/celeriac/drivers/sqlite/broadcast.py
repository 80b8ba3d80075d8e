"""Notices by way of the database: said in one transaction, heard by a thread that sleeps until its bell rings.

In a notice's life: say -> a row and a ring -> ``hear``. When nobody listens, to say something is one short look. A listener
costs nothing while nothing is said. Does not know: what a notice means, tables (``notices.py``).
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Final

from celeriac.abc import CALL_DEADLINE_S, Runtime
from celeriac.core.errors import OperationalError
from celeriac.core.notice import Notice
from celeriac.drivers.notices import as_bytes, notice_from, tell
from celeriac.drivers.sqlite import notices
from celeriac.drivers.sqlite.bells import Bell, Bells, Ring
from celeriac.drivers.sqlite.connection import Connections

log = logging.getLogger(__name__)

Hear = Callable[[Notice], None]
GLANCE_S: Final = 3.0
"""How often to look whether somebody has removed the socket: no ring is lost otherwise."""
PAUSE_S: Final = 1.0
"""Before the next try, when the database did not answer."""
READ_AT_ONCE: Final = 200


class SqliteBroadcast:
    """See ``abc.Broadcast``. For any number of threads and processes of one machine."""

    def __init__(self, connections: Connections, bells: Callable[[], Bells], *, runtime: Runtime) -> None:
        self._connections, self._bells, self._runtime = connections, bells, runtime
        self._ears: weakref.WeakSet[_Ear] = weakref.WeakSet()

    def say(self, notices: Sequence[Notice]) -> None:
        """See ``Broadcast.say``."""
        self._leave(notices, mailbox=False)

    def listen(self, exchange: str, patterns: Sequence[str], hear: Hear) -> _Ear:
        """See ``Broadcast.listen``."""
        return self._open(exchange, patterns, hear, mailbox=False)

    def open_mailbox(self, exchange: str, key: str, hear: Hear) -> _Ear:
        """See ``Broadcast.open_mailbox``."""
        return self._open(exchange, (key,), hear, mailbox=True)

    def answer(self, notice: Notice) -> None:
        """See ``Broadcast.answer``."""
        self._leave([notice], mailbox=True)

    def close(self) -> None:
        """Close every ear."""
        for ear in list(self._ears):
            ear.close()

    def abandon(self) -> None:
        """After a fork: bells and threads are the parent's."""
        for ear in list(self._ears):
            ear.abandon()
        self._ears.clear()

    def _open(self, exchange: str, patterns: Sequence[str], hear: Hear, *, mailbox: bool) -> _Ear:
        ear = _Ear(self._connections, self._bells().take(), self._runtime, exchange, tuple(patterns), hear, mailbox=mailbox)
        ear.open()
        self._ears.add(ear)
        return ear

    def _leave(self, said: Sequence[Notice], *, mailbox: bool) -> None:
        exchanges = list({notice.exchange for notice in said})
        with self._connections.reading() as db:
            ears = notices.ears(db, exchanges, mailbox=mailbox)
        wanted: list[tuple[str, str, bytes]] = []
        bells: set[str] = set()
        for notice in said:
            address = notice.exchange, notice.routing_key
            meant = {ear.bell for ear in ears if notices.hears(ear, *address, mailbox=mailbox)}
            if meant:
                wanted.append((*address, as_bytes(notice, tag=self._runtime.new_id())))
                bells |= meant
        if not wanted:
            return
        with self._connections.writing() as db:
            notices.write(db, wanted, mailbox=mailbox, now=self._runtime.time())
        gone = [bell for bell in bells if not self._bells().folder.ring(bell)]
        if gone:
            self._forget(gone)

    def _forget(self, gone: Sequence[str]) -> None:
        """Strike off who died without a word."""
        try:
            with self._connections.writing() as db:
                for bell in gone:
                    # Once more: its process may have renewed it meanwhile.
                    if not self._bells().folder.ring(bell):
                        notices.close_ear(db, bell)
        except OperationalError as error:
            log.debug("cannot strike off listeners that are gone: %s", error)


class _Ear:
    """One listener: a bell, a thread, and how far it has read."""

    def __init__(
        self,
        connections: Connections,
        bell: Bell,
        runtime: Runtime,
        exchange: str,
        patterns: Sequence[str],
        hear: Hear,
        *,
        mailbox: bool,
    ) -> None:
        self._connections, self._runtime = connections, runtime
        self._bell: Bell | None = bell
        self._exchange, self._patterns, self._hear, self._mailbox = exchange, patterns, hear, mailbox
        self._read = 0
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """From now on hear."""
        bell = self._bell
        assert bell is not None
        try:
            self._write_down(bell)
        except BaseException:
            bell.close()
            raise
        self._thread = threading.Thread(target=self._listen, args=(bell,), name="celeriac-notices", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """See ``Listening.close``."""
        bell, self._bell = self._bell, None
        if bell is None:
            return
        bell.interrupt()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CALL_DEADLINE_S)
        try:
            with self._connections.writing() as db:
                notices.close_ear(db, bell.name)
        except OperationalError as error:
            # Whoever rings in vain removes it.
            log.debug("cannot take back what was listened to: %s", error)
        # Never lent again: somebody may be about to ring it.
        bell.close()

    def abandon(self) -> None:
        """After a fork: all of it is the parent's."""
        bell, self._bell = self._bell, None
        if bell is not None:
            bell.close(remove=False)

    # --- the thread -----------------------------------------------------------------------------------------------

    def _listen(self, bell: Bell) -> None:
        late, lost = False, False
        while self._bell is bell:
            ended = bell.wait(PAUSE_S if late or lost else GLANCE_S)
            if self._bell is not bell:
                return
            late = late or ended is Ring.CALLED
            try:
                if bell.is_lost():
                    lost = True
                    bell.renew()
                if lost:
                    self._write_down(bell)
                if late:
                    self._catch_up()
                late = lost = False
            except (OperationalError, OSError) as error:
                log.debug("cannot read notices: %s", error)

    def _catch_up(self) -> None:
        while True:
            with self._connections.reading() as db:
                said = notices.read(db, self._exchange, mailbox=self._mailbox, after=self._read, limit=READ_AT_ONCE)
            for one in said:
                self._read = one.number
                if self._bell is not None and notices.reaches(self._patterns, one.routing_key, mailbox=self._mailbox):
                    self._tell(one)
            if len(said) < READ_AT_ONCE:
                return

    def _tell(self, said: notices.Said) -> None:
        notice = notice_from(self._exchange, said.routing_key, said.raw)
        if notice is not None:
            tell(self._hear, notice)

    def _write_down(self, bell: Bell) -> None:
        with self._connections.writing() as db:
            notices.close_ear(db, bell.name)
            self._read = notices.open_ear(db, bell.name, self._exchange, self._patterns, mailbox=self._mailbox)
