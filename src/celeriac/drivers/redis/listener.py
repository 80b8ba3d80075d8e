"""Hear of results: one connection subscribed to the channels of the awaited tasks, and one thread that reads it.

In a job's life: settle publishes each result on a channel named like its key; here it reaches the waiting program.
The thread starts with the first watch. A connection that broke is renewed, every channel subscribed again, and
what was stored meanwhile is read and announced. Does not know: what a result means, who waits.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import redis
from redis.exceptions import RedisError

from celeriac.abc import CALL_DEADLINE_S, Runtime
from celeriac.core.errors import BrokerUnreachable, OperationalError, StoreRefused
from celeriac.drivers.redis.connection import Connections, bound, forget, hang_up

log = logging.getLogger("celeriac.redis")

FIRST_PAUSE_S = 0.05
"""Before a connection that broke is renewed; then twice as long each time, up to a second."""
PING_EVERY_S = 15.0
"""A silent connection is asked whether it still lives; TCP alone would tell after many minutes."""

Notify = Callable[[str, bytes], None]


class Confirmation(threading.Event):
    """Set when the server has answered a subscription."""

    refusal: str | None = None
    """Why the server said no. ``None``: it did not."""


class Listener:
    """Watches channels. ``watch`` returns when the server has confirmed the subscription."""

    def __init__(self, connections: Connections, *, channel: Callable[[str], str], runtime: Runtime) -> None:
        self._connections, self._channel, self._runtime = connections, channel, runtime
        self._lock = threading.Lock()
        self._watched: dict[str, tuple[str, Notify]] = {}
        """channel -> id, whom to tell"""
        self._awaiting: dict[str, list[Confirmation]] = {}
        """channel -> to be set when its subscription is confirmed"""
        self._connection: redis.Connection | None = None
        self._thread: threading.Thread | None = None

    def watch(self, ids: Sequence[str], notify: Notify) -> None:
        """Announce these ids from now on.

        Raises:
            BrokerUnreachable: the subscription was not confirmed in time; the ids are not watched.
            StoreRefused: the server said no; the ids are not watched.
        """
        channels = {self._channel(id): id for id in ids}
        if not channels:
            return
        confirmed = Confirmation()
        with self._lock:
            for channel, id in channels.items():
                self._watched[channel] = (id, notify)
            # Confirmations come in the order of the request: the last one tells all.
            self._awaiting.setdefault(next(reversed(channels)), []).append(confirmed)
            if self._connection is not None:
                self._send("SUBSCRIBE", list(channels))
            elif self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="celeriac-results", daemon=True)
                self._thread.start()
        if not confirmed.wait(CALL_DEADLINE_S):
            self.unwatch(ids)
            raise BrokerUnreachable("no subscription to results within the deadline")
        if confirmed.refusal is not None:
            self.unwatch(ids)
            raise StoreRefused(confirmed.refusal)

    def unwatch(self, ids: Sequence[str]) -> None:
        """Announce these ids no longer."""
        with self._lock:
            channels = [channel for channel in map(self._channel, ids) if self._watched.pop(channel, None)]
            if channels and self._connection is not None:
                self._send("UNSUBSCRIBE", channels)

    def close(self) -> None:
        """Stop listening; the thread ends."""
        with self._lock:
            self._watched.clear()
            connection, self._connection = self._connection, None
            thread, self._thread = self._thread, None
        if connection is not None:
            hang_up(connection)
        if thread is not None and thread is not threading.current_thread():
            thread.join(CALL_DEADLINE_S)

    def abandon(self) -> None:
        """After a fork: the thread and the socket belong to the parent."""
        self._lock = threading.Lock()
        self._watched, self._awaiting, self._thread = {}, {}, None
        if self._connection is not None:
            forget(self._connection)
            self._connection = None

    def _send(self, *command: Any) -> None:
        """Send while the lock is held; a broken connection is found and renewed by the thread."""
        connection = self._connection
        assert connection is not None
        name, channels = command
        try:
            connection.send_command(name, *channels, check_health=False)
        except (RedisError, OSError):
            hang_up(connection)

    def _listen(self) -> None:
        me, pause = threading.current_thread(), FIRST_PAUSE_S
        while self._thread is me:
            connection = None
            try:
                connection = self._connections.open(CALL_DEADLINE_S)
                self._subscribe_all(connection, me)
                while self._thread is me:
                    self._hear(connection)
                    pause = FIRST_PAUSE_S
            except (RedisError, OSError, OperationalError) as error:
                if self._thread is me:
                    self._lost(error)
                    self._runtime.sleep(pause)
                    pause = min(2 * pause, 1.0)
            finally:
                with self._lock:
                    if connection is not None and self._connection is connection:
                        self._connection = None
                if connection is not None:
                    connection.disconnect()

    def _lost(self, error: Exception) -> None:
        """Take note that there is no connection. A server that said no will say it again: who waits need not wait longer."""
        log.debug("no connection for results: %s", error)
        reason = error if isinstance(error, OperationalError) else self._connections.translate(error)
        if isinstance(reason, StoreRefused):
            with self._lock:
                waiting = [each for some in self._awaiting.values() for each in some]
                self._awaiting.clear()
            for each in waiting:
                each.refusal = str(reason)
                each.set()

    def _subscribe_all(self, connection: redis.Connection, me: threading.Thread) -> None:
        with self._lock:
            if self._thread is not me:
                return
            channels = list(self._watched)
            self._connection = connection
            if channels:
                connection.send_command("SUBSCRIBE", *channels, check_health=False)
        # What was stored while nobody listened is read, after the subscription, so that nothing falls between.
        for first in range(0, len(channels), 1000):
            part = channels[first : first + 1000]
            for channel, body in zip(part, self._connections.call("MGET", *part), strict=True):
                if body is not None:
                    self._tell(channel, body)

    def _hear(self, connection: redis.Connection) -> None:
        if not connection.can_read(PING_EVERY_S):
            connection.send_command("PING", check_health=False)
            if not connection.can_read(CALL_DEADLINE_S):
                raise redis.ConnectionError("no answer to PING")
        bound(connection, CALL_DEADLINE_S)
        answer = connection.read_response()
        match answer:
            case [b"message", channel, body]:
                self._tell(channel.decode(), body)
            case [b"subscribe", channel, _]:
                for confirmed in self._awaiting.pop(channel.decode(), ()):
                    confirmed.set()

    def _tell(self, channel: str, body: bytes) -> None:
        entry = self._watched.get(channel)
        if entry is not None:
            id, notify = entry
            notify(id, body)
