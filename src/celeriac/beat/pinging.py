"""Answer the command ``ping``, as nodes do: so that a probe sees whether a beat still looks at its timetable.

In a beat's life: beside it, if that is wanted. Silence is the only sign that a probe can act on: a beat that has not looked for
too long does not answer; one that never got to look counts from its start. Any other command is for nodes, and not answered.
Does not know: what is looked at. Source: Celery's reference of ``beat_enable_remote_control``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from celeriac.control.answering import Answering, NoAnswer
from celeriac.control.commands import Command, Exchanges
from celeriac.core.errors import OperationalError

log = logging.getLogger("celeriac.beat")

LEAST_AGE_S: Final = 60.0
"""One slow look is no reason to restart a beat."""
RETRY_S: Final = 2.0


class Looking(Protocol):
    """Whoever looks at a timetable again and again."""

    @property
    def last_look(self) -> float | None:
        """When it looked last, by the monotonic clock."""

    @property
    def interval_s(self) -> float:
        """The longest pause between two looks."""


class Pinging:
    """Answers under the name of a beat."""

    def __init__(self, app: Any, looking: Looking, *, name: str) -> None:
        settings = app.settings
        self._looking, self._runtime, self._began = looking, app.runtime, app.runtime.monotonic()
        self._max_age_s: float | None = settings.beat.remote_control_max_tick_age
        self._closed = threading.Event()
        self._answering = Answering(
            app.store.broadcast,
            Exchanges(settings.control.exchange),
            name=name,
            carry_out=self.carry_out,
            clock=app.clock,
            runtime=app.runtime,
            serializer=settings.task.serializer,
            accept=app.accept_content,
            answers_live_s=min(settings.control.queue_ttl, settings.control.queue_expires),
        )

    def open(self) -> None:
        """Hear from now on, or as soon as the store answers; in a thread."""
        threading.Thread(target=self._insist, name="beat-ping", daemon=True).start()

    def close(self) -> None:
        """Hear no more."""
        self._closed.set()
        self._answering.close()

    def carry_out(self, command: Command) -> Any:
        """Answer a ping.

        Raises:
            NoAnswer: it is another command, or there was no look for too long.
        """
        if command.method != "ping":
            raise NoAnswer
        age_s, limit_s = self.age_s(), self.limit_s()
        if limit_s and age_s > limit_s:
            log.warning("beat: a ping is not answered: the last look is %.0f s ago, more than %.0f s", age_s, limit_s)
            raise NoAnswer
        return {"ok": "pong"}

    def age_s(self) -> float:
        """Return how long ago it looked last."""
        last = self._looking.last_look
        return float(self._runtime.monotonic() - (self._began if last is None else last))

    def limit_s(self) -> float:
        """Return how long ago that may be; 0: no matter."""
        return max(2 * self._looking.interval_s, LEAST_AGE_S) if self._max_age_s is None else self._max_age_s

    def _insist(self) -> None:
        told = False
        while not self._closed.is_set():
            try:
                self._answering.open()
                return
            except OperationalError as error:
                if not told:
                    log.warning("beat: pings are not heard yet: %s", error)
                told = True
            self._closed.wait(RETRY_S)


@contextmanager
def answering_pings(app: Any, looking: Looking, *, name: str, wanted: bool) -> Iterator[None]:
    """Answer pings while the block runs, if that is ``wanted``."""
    if not wanted:
        yield
        return
    pinging = Pinging(app, looking, name=name)
    pinging.open()
    try:
        yield
    finally:
        pinging.close()
