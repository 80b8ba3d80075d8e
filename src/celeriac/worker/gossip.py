"""Gossip: notice which other nodes come and go, and say so in the log.

In a node's life: from the moment it is ready until it stops, unless ``--without-gossip``. It hears two events in the life of each
other node and nothing in between: that a node is dead is known from its lease, by whoever adopts what it held. Nodes need not
agree on anything here: what Celery's nodes elect or tell each other is in the store. Does not know: tasks, leases.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

from celeriac.abc import Broadcast, Listening
from celeriac.core import codecs
from celeriac.core.errors import OperationalError
from celeriac.core.lamport import LamportClock
from celeriac.core.message import Rejected
from celeriac.core.notice import Notice
from celeriac.events import wire

log = logging.getLogger("celeriac.worker")

_HEARD = {"worker-online": "joined", "worker-offline": "left"}


class Gossip:
    """Listens for one node."""

    def __init__(
        self, broadcast: Callable[[], Broadcast], *, exchange: str, me: str, clock: LamportClock, accept: Iterable[str]
    ) -> None:
        self._broadcast, self._exchange, self._me, self._clock = broadcast, exchange, me, clock
        self._accept = codecs.content_types(accept)
        self._ear: Listening | None = None

    def start(self) -> None:
        """Listen from now on; a broker that does not answer now is not worth a failure."""
        try:
            self._ear = self._broadcast().listen(self._exchange, ["worker.online", "worker.offline"], self._hear)
        except OperationalError as error:
            log.warning("%s; this node does not hear which others come and go", error)

    def stop(self) -> None:
        """Hear nothing more."""
        ear, self._ear = self._ear, None
        if ear is not None:
            with suppress(OperationalError):
                ear.close()

    def _hear(self, notice: Notice) -> None:
        events = wire.read(notice, self._accept)
        for event in () if isinstance(events, Rejected) else events:
            name = event.get("hostname")
            if event.get("clock") is not None:
                self._clock.adjust(event["clock"])
            what = _HEARD.get(event["type"])
            if what is not None and name is not None and name != self._me:
                shown = name if name.isprintable() else ascii(name)
                log.info("node %s %s", shown, what, extra={"event": f"node-{what}", "node": shown})
