"""Hear commands, have them carried out, answer: what every program does that can be asked.

In a command's life: broadcast -> ``hear`` -> queue -> thread -> ``carry_out`` -> answer -> the client's mailbox. Nothing that
anybody sends ends this: what cannot be read is counted, told once in a while, and dropped; what fails is answered as an error;
what comes too fast waits, and beyond a bound is dropped. Does not know: which commands there are.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from celeriac.abc import Broadcast, Listening, Runtime
from celeriac.control.commands import Answer, Command, Exchanges, answer_notice, command_from
from celeriac.control.errands import Errands
from celeriac.core.errors import EncodeError, OperationalError
from celeriac.core.lamport import LamportClock
from celeriac.core.message import Rejected
from celeriac.core.notice import EVERYTHING, Notice

log = logging.getLogger("celeriac.control")

MOST_WAITING: Final = 10_000
"""Commands that wait to be carried out; more are dropped."""
RATE: Final = 200.0
"""Commands a second that are carried out at most, when they keep coming: a node has more to do."""
BURST: Final = 500
"""So many may come at once before that counts."""


EXPECTED: Final = (KeyError, TypeError, ValueError, ImportError, OperationalError)
"""Errors of who commands, or of the store: no traceback is needed to understand them."""


class NoAnswer(Exception):
    """Raised by a command that is not answered."""


class Answering:
    """One that can be asked, by its name."""

    def __init__(
        self,
        broadcast: Broadcast,
        exchanges: Exchanges,
        *,
        name: str,
        carry_out: Callable[[Command], Any],
        clock: LamportClock,
        runtime: Runtime,
        serializer: str,
        accept: frozenset[str],
        answers_live_s: float,
    ) -> None:
        """Nothing is heard yet.

        Args:
            broadcast: Where to listen and answer.
            exchanges: The same.
            name: Commands for others are not for us.
            carry_out: Called in a thread with each command; what it returns is the answer.
            clock: Of this process.
            runtime: For rates.
            serializer: Of answers.
            accept: Content types of commands.
            answers_live_s: How long an answer waits to be read.
        """
        self._broadcast, self._exchanges, self._name, self._carry_out = broadcast, exchanges, name, carry_out
        self._clock, self._runtime, self._serializer, self._accept = clock, runtime, serializer, accept
        self._answers_live_s = answers_live_s
        self._waiting: deque[Notice] = deque()
        self._wake = threading.Condition()
        self._errands = Errands()
        self._listening: Listening | None = None
        self._thread: threading.Thread | None = None
        self._allowance, self._allowed_at = float(BURST), 0.0
        self._dropped = 0
        self._closed = False

    def open(self) -> None:
        """From now on hear, and answer.

        Raises:
            OperationalError: the store was not reached.
        """
        self._listening = self._broadcast.listen(self._exchanges.commands, EVERYTHING, self._hear)

    def close(self) -> None:
        """Hear nothing more. What is being carried out comes to its end."""
        self._closed = True
        if self._listening is not None:
            self._listening.close()
        with self._wake:
            self._wake.notify_all()

    def _hear(self, notice: Notice) -> None:
        """In a thread of the store: put it down and go on."""
        if len(self._waiting) >= MOST_WAITING:
            self._count("too many commands wait")
            return
        with self._wake:
            self._waiting.append(notice)
            if self._thread is None and not self._closed:
                # Who is never asked anything has no thread for it.
                self._thread = threading.Thread(target=self._work, name="celeriac-control", daemon=True)
                self._thread.start()
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    self._errands.close()
                    return
                notice = self._waiting.popleft()
            try:
                self._understand(notice)
            except Exception:
                # A mistake of ours must not make the node deaf.
                log.exception("a command could not be handled", extra={"event": "command-failed"})
            self._pace()

    def _understand(self, notice: Notice) -> None:
        command = command_from(notice, self._accept)
        if isinstance(command, Rejected):
            self._count(command.reason)
            return
        self._clock.adjust(command.clock)
        try:
            if not command.is_for(self._name):
                return
        except ValueError as error:
            self._count(str(error))
            return
        if not self._errands.run(command.method, lambda: self._obey(command)):
            log.error("command %r is refused: too many of it are under way", command.method, extra={"event": "command-refused"})
            self._answer(command, {"error": "too many commands of this name are under way"})

    def _obey(self, command: Command) -> None:
        log.debug("command %s(%r)", command.method, command.arguments)
        try:
            value = self._carry_out(command)
        except NoAnswer:
            return
        except Exception as error:
            fields = {"event": "command-failed", "command": command.method}
            log.error("command %r failed: %r", command.method, error, exc_info=not isinstance(error, EXPECTED), extra=fields)
            value = {"error": repr(error)}
        self._answer(command, value)

    def _answer(self, command: Command, value: Any) -> None:
        if command.reply_to is None:
            return
        try:
            notice = self._written(command, value)
        except EncodeError as error:
            notice = self._written(command, {"error": repr(error)})
        try:
            self._broadcast.answer(notice)
        except OperationalError as error:
            log.warning("the answer to command %r was lost: %s", command.method, error, extra={"event": "answer-lost"})

    def _written(self, command: Command, value: Any) -> Notice:
        answer = Answer(self._name, value)
        return answer_notice(
            command, answer, clock=self._clock.forward(), lives_s=self._answers_live_s, serializer=self._serializer
        )

    def _pace(self) -> None:
        now = self._runtime.monotonic()
        self._allowance = min(float(BURST), self._allowance + (now - self._allowed_at) * RATE) - 1.0
        self._allowed_at = now
        if self._allowance < 0.0:
            self._runtime.sleep(-self._allowance / RATE)

    def _count(self, why: str) -> None:
        """Tell of the first, of the tenth, of the hundredth: who sends garbage must not fill the log as well."""
        self._dropped += 1
        if str(self._dropped).strip("0") == "1":
            fields = {"event": "command-dropped"}
            log.warning("a command is dropped, the %d. so far: %s", self._dropped, why, extra=fields)
