"""An ear: one connection on which a thread hears, renewed when it breaks.

In a notice's life: between the server and ``hear``. What is asked of the server, and what its answers mean, is the caller's
(``broadcast.py``). A silent connection costs one PING in a quarter of a minute. Does not know: channels, lists, notices.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import redis
from redis.exceptions import RedisError

from celeriac.abc import CALL_DEADLINE_S, Runtime
from celeriac.core.errors import BrokerUnreachable, OperationalError
from celeriac.drivers.redis.connection import Connections, bound, forget, hang_up

log = logging.getLogger("celeriac.redis")

FIRST_PAUSE_S: Final = 0.05
"""Before a connection that broke is renewed; then twice as long each time, up to a second."""

Command = Sequence[Any]


class Ear:
    """Says ``greeting`` on each new connection, then ``ask`` whenever ``heard`` says that its answer came."""

    def __init__(
        self,
        connections: Connections,
        runtime: Runtime,
        *,
        greeting: Sequence[Command],
        hear: Callable[[Any], None],
        ask: Command | None = None,
        silence_s: float,
        farewell: Sequence[Command] = (),
    ) -> None:
        """Nothing is connected yet.

        Args:
            connections: Where to connect.
            runtime: For pauses.
            greeting: Said first on every connection; the answers to it must come.
            hear: Called with every further answer.
            ask: Said after the greeting and after each answer, for a question that waits at the server. ``None``: the server
                speaks by itself.
            silence_s: After so many seconds without an answer the connection is asked whether it lives; with ``ask`` it is dead.
            farewell: Said on another connection at the end.
        """
        self._connections, self._runtime = connections, runtime
        self._greeting, self._hear, self._ask, self._farewell = greeting, hear, ask, farewell
        self._silence_s = silence_s
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._refusal: Exception | None = None
        self._failure: Exception | None = None
        """Why the last connection came to nothing."""
        self._connection: redis.Connection | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Return when the greeting was answered.

        Raises:
            BrokerUnreachable: it was not, in time.
            StoreRefused: the server said no.
        """
        self._thread = threading.Thread(target=self._listen, name="celeriac-notices", daemon=True)
        self._thread.start()
        if self._ready.wait(CALL_DEADLINE_S) and self._refusal is None:
            return
        self.close()
        silence = TimeoutError(f"nothing within {CALL_DEADLINE_S:g} s")
        raise self._refusal or self._failure or self._connections.translate(silence)

    def close(self) -> None:
        """See ``Listening.close``."""
        with self._lock:
            thread, self._thread = self._thread, None
            connection, self._connection = self._connection, None
        if thread is None:
            return
        if connection is not None:
            hang_up(connection)
        if thread is not threading.current_thread():
            thread.join(CALL_DEADLINE_S)
        if self._farewell and self._ready.is_set():
            try:
                self._connections.pipeline(self._farewell)
            except OperationalError as error:
                log.debug("cannot take leave: %s", error)

    def abandon(self) -> None:
        """After a fork: thread and socket are the parent's."""
        self._lock, self._thread = threading.Lock(), None
        if self._connection is not None:
            forget(self._connection)
            self._connection = None

    def _listen(self) -> None:
        me, pause = threading.current_thread(), FIRST_PAUSE_S
        while self._thread is me:
            connection = None
            try:
                connection = self._connections.open(CALL_DEADLINE_S)
                if not self._greet(connection, me):
                    return
                while self._thread is me:
                    self._hear_one(connection)
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

    def _greet(self, connection: redis.Connection, me: threading.Thread) -> bool:
        with self._lock:
            if self._thread is not me:
                return False
            self._connection = connection
        for command in self._greeting:
            bound(connection, CALL_DEADLINE_S)
            connection.send_command(*command, check_health=False)
            for _ in range(len(command) - 1 if command[0] == "PSUBSCRIBE" else 1):
                self._read_greeting(connection)
        if self._ask is not None:
            connection.send_command(*self._ask, check_health=False)
        self._ready.set()
        return True

    def _read_greeting(self, connection: redis.Connection) -> None:
        """Read one confirmation; between two of them there may be news already."""
        while (answer := connection.read_response()) and is_news(answer):
            self._hear(answer)

    def _hear_one(self, connection: redis.Connection) -> None:
        if not connection.can_read(self._silence_s):
            if self._ask is not None:
                raise redis.ConnectionError("no answer to a question that had an end")
            connection.send_command("PING", check_health=False)
            if not connection.can_read(CALL_DEADLINE_S):
                raise redis.ConnectionError("no answer to PING")
        bound(connection, CALL_DEADLINE_S)
        answer = connection.read_response()
        if self._ask is not None:
            connection.send_command(*self._ask, check_health=False)
        self._hear(answer)

    def _lost(self, error: Exception) -> None:
        """Take note that there is no connection. A server that says no will say it again: who waits need not wait longer."""
        log.debug("no connection for notices: %s", error)
        self._failure = reason = error if isinstance(error, OperationalError) else self._connections.translate(error)
        if not self._ready.is_set() and not isinstance(reason, BrokerUnreachable):
            self._refusal = reason
            self._ready.set()


def is_news(answer: Any) -> bool:
    """Say whether an answer is what somebody published, not a confirmation."""
    return isinstance(answer, list) and answer[0] == b"pmessage"
