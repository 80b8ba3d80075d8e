"""Connections to Redis: a pool, calls with a deadline, scripts, and errors translated into ours.

A call is one write and one read on a connection that nobody else uses meanwhile. redis-py's client object is left out: it
costs as much as a round trip for each command. A connection that broke is thrown away and the question asked
again on a new one, until the deadline. Does not know: queues, leases, results.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha1
from importlib.resources import files
from typing import Any, TypeVar

import redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from celeriac.abc import CALL_DEADLINE_S, Runtime
from celeriac.core.errors import BrokerUnreachable, LeaseExpired, StoreRefused
from celeriac.drivers.redis.endpoints import Opener

T = TypeVar("T")


class Script:
    """A Lua script of this folder, called by its digest; ``after`` others, whose functions it uses."""

    def __init__(self, name: str, *, after: Sequence[str] = ()) -> None:
        folder = files("celeriac.drivers.redis")
        self.text = b"".join(folder.joinpath(f"{part}.lua").read_bytes() for part in (*after, name))
        self.digest = sha1(self.text, usedforsecurity=False).hexdigest()


class Connections:
    """A pool of connections to whichever of the servers answers. Any thread may call.

    At most one connection for each thread that is calling at the same moment; idle ones are kept, at most ``keep``.
    """

    def __init__(self, openers: Sequence[Opener], *, name: str, runtime: Runtime, keep: int = 10) -> None:
        self._openers = list(openers)
        self._idle: deque[redis.Connection] = deque()
        self._name, self._runtime, self._keep = name, runtime, keep

    def call(self, *command: Any, deadline_s: float = CALL_DEADLINE_S) -> Any:
        """Send one command and return its answer."""

        def ask(connection: redis.Connection) -> Any:
            connection.send_command(*command)
            return connection.read_response()

        return self.use(ask, deadline_s=deadline_s)

    def run(self, script: Script, arguments: Sequence[Any], *, deadline_s: float = CALL_DEADLINE_S, again: bool = True) -> Any:
        """Run a script. ``again=False``: one attempt only."""
        return self.use(lambda connection: run_script(connection, script, arguments), deadline_s=deadline_s, again=again)

    def pipeline(self, commands: Sequence[Sequence[Any]], *, deadline_s: float = CALL_DEADLINE_S) -> list[Any]:
        """Send many commands in one write and return their answers.

        Raises:
            StoreRefused: one of them was refused, the first of those; the others were carried out.
        """

        def ask(connection: redis.Connection) -> list[Any]:
            connection.send_packed_command(connection.pack_commands(commands))
            # All of them, also behind one that says no: what is left unread would be taken for the answer of the next question.
            answers = [_answer_or_refusal(connection) for _ in commands]
            for answer in answers:
                _raise_if_refused(answer)
            return answers

        return self.use(ask, deadline_s=deadline_s)

    def use(self, ask: Callable[[redis.Connection], T], *, deadline_s: float, again: bool = True) -> T:
        """Let ``ask`` talk on a connection, and once more on a new one when it broke, until the deadline.

        Every question of ours may be asked twice: settlements are fenced, results are first come, a publish is at least once.

        Raises:
            BrokerUnreachable, StoreRefused, LeaseExpired.
        """
        deadline = self._runtime.monotonic() + deadline_s
        left, pause = deadline_s, 0.02
        while True:
            try:
                return self._once(ask, left)
            except BrokerUnreachable:
                # After a restart of the server every idle connection is stale: not one error for each of them.
                self.close()
                left = deadline - self._runtime.monotonic()
                if not again or left <= pause:
                    raise
                self._runtime.sleep(pause)
                left -= pause
                pause = min(2 * pause, 0.5)

    def _once(self, ask: Callable[[redis.Connection], T], left: float) -> T:
        connection = None
        try:
            connection = self._idle.pop() if self._idle else self.open(left)
            bound(connection, left)
            answer = ask(connection)
        except ResponseError as error:
            if connection is not None:
                self._put_back(connection)
            raise self.translate(error) from error
        except BaseException as error:
            # A half-read answer must never be taken for the next one's.
            if connection is not None:
                connection.disconnect()
            if isinstance(error, RedisError | OSError | UnicodeError):
                raise self.translate(error) from error
            raise
        self._put_back(connection)
        return answer

    def _put_back(self, connection: redis.Connection) -> None:
        if len(self._idle) < self._keep:
            self._idle.append(connection)
        else:
            connection.disconnect()

    def open(self, deadline_s: float) -> redis.Connection:
        """Connect to the first server that answers; one that failed goes to the end of the list."""
        deadline = self._runtime.monotonic() + deadline_s
        failure: Exception | None = None
        for opener in list(self._openers):
            left = deadline - self._runtime.monotonic()
            if failure is not None and left <= 0:
                break
            try:
                connection = opener()
                connection.socket_connect_timeout = min(left, connection.socket_connect_timeout or left)
                connection.socket_timeout = left
                connection.connect()
            except (RedisError, OSError) as error:
                failure = error
                self._openers.append(self._openers.pop(0))
            else:
                return connection
        raise failure or RedisConnectionError(f"no server of {self._name} answered")

    def translate(self, error: Exception) -> Exception:
        """Return our error for one of redis-py's or the system's. An answer that says no keeps the connection."""
        text = str(error)
        if isinstance(error, UnicodeError):
            return StoreRefused(f"a name that is no text cannot be sent to {self._name}: {text}")
        if isinstance(error, ResponseError) and text.startswith("LEASE"):
            return LeaseExpired("the store takes this node for dead until it says that it is alive")
        if "CERTIFICATE_VERIFY_FAILED" in text:
            # Asking again would not make it more trustworthy.
            reason = text.partition("CERTIFICATE_VERIFY_FAILED] ")[2] or text
            return StoreRefused(f"the certificate of {self._name} is not trusted: {reason}")
        if isinstance(error, BusyLoadingError | ReadOnlyError | RedisTimeoutError | OSError) or text.startswith(("MASTERDOWN",)):
            return BrokerUnreachable(f"{self._name} does not answer: {text}")
        if isinstance(error, AuthenticationError | ResponseError):
            return StoreRefused(f"{self._name} refuses: {text}")
        return BrokerUnreachable(f"{self._name} does not answer: {text}")

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().disconnect()

    def abandon(self) -> None:
        """Forget the connections of the process that forked this one: their sockets belong to it."""
        while self._idle:
            forget(self._idle.pop())


def bound(connection: redis.Connection, seconds: float) -> None:
    """Have reads and writes end after ``seconds``; redis-py has no public way to bound one call."""
    sock = connection._sock
    if sock is None:
        raise RedisConnectionError("the connection was closed meanwhile")
    sock.settimeout(max(seconds, 0.001))


def hang_up(connection: redis.Connection) -> None:
    """End the connection under its reader, in another thread: the reader sees the end and cleans up."""
    sock = connection._sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def forget(connection: redis.Connection) -> None:
    """Close our copy of the socket without a goodbye: the parent goes on using it."""
    sock = connection._sock
    if sock is not None:
        connection._sock = None
        sock.close()


def _answer_or_refusal(connection: redis.Connection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as refusal:
        return refusal


def _raise_if_refused(answer: Any) -> None:
    # The answer of EXEC is a list of answers: a refusal in it is raised by nobody else.
    for one in (answer, *answer) if isinstance(answer, list) else (answer,):
        if isinstance(one, ResponseError):
            raise one


def run_script(connection: redis.Connection, script: Script, arguments: Sequence[Any]) -> Any:
    """Run a script on this connection."""
    connection.send_command("EVALSHA", script.digest, 0, *arguments)
    return read_script(connection, script, arguments)


def read_script(connection: redis.Connection, script: Script, arguments: Sequence[Any]) -> Any:
    """Read the answer of a script; send its text first where the server does not know it (any longer)."""
    try:
        return connection.read_response()
    except NoScriptError:
        connection.send_command("EVAL", script.text, 0, *arguments)
        return connection.read_response()
