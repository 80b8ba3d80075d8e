"""The loop of a beat: bring the settings in, then look and wait, until told to stop. It outlives every outage of the store.

In a beat's life: the ``beat`` command, or a worker's ``-B``, makes one and calls ``run``; ``stop`` may be called from any thread
or signal handler. Does not know: command lines, log handlers.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any, Final

from celeriac.abc import Timetable
from celeriac.app import signals
from celeriac.app.periodic.place import timetable_of
from celeriac.beat.roster import Here, enrol, entries_here, tidy
from celeriac.beat.ticking import LEASE_S, STANDBY_S, Ticker
from celeriac.core.errors import ImproperlyConfigured, OperationalError, StoreRefused

log = logging.getLogger("celeriac.beat")

RETRY_S: Final = 1.0
"""Between two attempts to reach a store that does not answer."""
MANY: Final = 10_000
"""So many entries are gone through beside the ticks."""


def nobody_waits() -> None:
    """Nobody wants to know when it is ready."""


class Beat:
    """One scheduler of an app's timetable. Any number of them may run, on any machines that reach the store."""

    def __init__(self, app: Any, *, file: str | None = None, max_interval_s: float | None = None) -> None:
        """Nothing is connected yet.

        Args:
            app: Whose entries.
            file: Names the timetable; ``None``: as the settings say.
            max_interval_s: Longest pause between two looks. ``None`` or 0: as the settings say.

        Raises:
            ImproperlyConfigured: there is no place where a timetable could be kept.
        """
        self.app = app
        self.name, self.timetable = timetable_of(app, file)
        self.who = f"{os.uname().nodename}-{os.getpid()}-{app.runtime.new_id()[:8]}"
        self.interval_s = min(max_interval_s or app.settings.beat.max_loop_interval or STANDBY_S, STANDBY_S)
        """The longest pause between two looks."""
        self.described = f"the timetable {self.name!r}, in {type(self.timetable).__module__.split('.')[2]}"
        self.looked = False
        """It has looked at the timetable at least once."""
        self.last_look: float | None = None
        """When it looked last, by the monotonic clock."""
        self._stop = threading.Event()
        self._revision = -1
        self._away_since: float | None = None

    @property
    def stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End ``run`` after the look that is under way."""
        self._stop.set()

    def run(self, *, embedded: bool = False, on_ready: Callable[[], None] = nobody_waits) -> None:
        """Send what is due until ``stop``.

        Args:
            embedded: It belongs to a worker.
            on_ready: Called when it has looked for the first time.

        Raises:
            StoreRefused: the store refused it from the very first.
            ImproperlyConfigured: there can be no such store.
            OperationalError: it was not reached, and ``broker_connection_retry_on_startup`` says not to wait for it.
        """
        signals.beat_init.send(sender=self)
        if embedded:
            signals.beat_embedded_init.send(sender=self)
        ticker = Ticker(self.app, self.name, self.timetable, {}, who=self.who)
        while not self._stop.is_set():
            looked = self.looked
            pause_s = self._look(ticker)
            if self.looked and not looked:
                on_ready()
            if pause_s > 0:
                self._stop.wait(min(pause_s, self.interval_s))
        try:
            ticker.resign()
        except OperationalError as error:
            log.info("beat: %s; another leads when the lease has ended", error)

    def _look(self, ticker: Ticker) -> float:
        try:
            self._bring_in(ticker)
            pause_s = ticker.look()
            if ticker.clock_went_back:
                self._tidy(ticker.here, ticker.now)
        except OperationalError as error:
            if not self.looked and (isinstance(error, StoreRefused) or not self._patient):
                raise  # a wrong password does not mend itself
            self._say_away(error)
            return RETRY_S
        except ImproperlyConfigured:
            if not self.looked:
                raise  # such as a file that cannot be a database
            log.exception("beat: this was not foreseen; going on")
            return RETRY_S
        except Exception:
            log.exception("beat: this was not foreseen; going on")
            return RETRY_S
        if self._away_since is not None:
            log.warning("beat: the store answers after %.0f s", self.app.runtime.monotonic() - self._away_since)
            self._away_since = None
        self.looked, self.last_look = True, self.app.runtime.monotonic()
        return pause_s

    @property
    def _patient(self) -> bool:
        wanted = self.app.settings.broker.connection_retry_on_startup
        return bool(self.app.settings.broker.connection_retry if wanted is None else wanted)

    def _bring_in(self, ticker: Ticker) -> None:
        """Bring the settings in, at the start and whenever they have changed."""
        revision = self.app.conf.revision
        if revision == self._revision:
            return
        ticker.here = entries_here(self.app)
        # By the clock of the store, as ticks are: that of this machine may differ.
        now = self.timetable.attend(self.who, lease_s=LEASE_S, limit=0).now
        enrol(self.timetable, ticker.here, now=now)
        self._tidy(ticker.here, now)
        self._revision = self.app.conf.revision

    def _tidy(self, here: dict[str, Here] | Any, now: float) -> None:
        if self.timetable.count() <= MANY:
            tidy(self.app, self.timetable, here, now=now)
            return
        thread = threading.Thread(target=_tidy_beside, args=(self.app, self.timetable, here, now), name="beat-tidy", daemon=True)
        thread.start()

    def _say_away(self, error: OperationalError) -> None:
        now = self.app.runtime.monotonic()
        if self._away_since is None:
            self._away_since = now
            log.error("beat: %s; trying again every %.0f s", error, RETRY_S)


def _tidy_beside(app: Any, timetable: Timetable, here: Any, now: float) -> None:
    try:
        tidy(app, timetable, here, now=now)
    except OperationalError as error:
        log.warning("beat: not all entries were gone through: %s", error)
