"""Run a scheduler of Celery's interface while it leads: of many beats with such a class, one ticks.

In a beat's life: it waits for the lead -> makes the scheduler, which reads its entries as they are now -> ticks -> throws it away
when the lead is lost. Such a scheduler sends by itself, so nothing makes a tick and its note one step: who is frozen in the
middle of a tick for longer than the lease and then goes on may send it beside the new leader. With the timetable that cannot be.
Does not know: what the scheduler does.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any, Final

from celeriac.app import signals
from celeriac.app.periodic.place import timetable_name
from celeriac.beat.service import nobody_waits
from celeriac.beat.ticking import LEASE_S, STANDBY_S
from celeriac.core.errors import OperationalError
from celeriac.drivers.registry import open_timetable

log = logging.getLogger("celeriac.beat")

RENEW_S: Final = LEASE_S / 3


class Leading:
    """Ticks a scheduler as long as this process leads."""

    def __init__(self, app: Any, make: Callable[[], Any], *, kind: str, file: str | None = None, interval_s: float = 0.0) -> None:
        """``make`` makes the scheduler; ``kind`` names its class, ``interval_s`` its longest pause, for people."""
        self.app, self._make = app, make
        self.described, self.interval_s = kind, interval_s
        aside: str = file or app.settings.beat.schedule_filename
        where = f"{timetable_name(app, aside)}/{kind}"
        self._lead = open_timetable(app.store, where, file=aside, runtime=app.runtime)
        self._who = f"{os.uname().nodename}-{os.getpid()}-{app.runtime.new_id()[:8]}"
        self._until, self._answered, self._away = 0.0, False, False
        self._stop, self._ended = threading.Event(), threading.Event()
        self.scheduler: Any = None
        """The one that ticks; ``None`` while another process leads."""
        self.looked = False
        self.last_look: float | None = None

    def run(self, *, embedded: bool = False, on_ready: Callable[[], None] = nobody_waits) -> None:
        """Tick whenever this process leads, until ``stop``. ``on_ready``: called when it leads or stands by, for the first
        time."""
        signals.beat_init.send(sender=self)
        if embedded:
            signals.beat_embedded_init.send(sender=self)
        renewing = threading.Thread(target=self._renew_again_and_again, name="beat-lead", daemon=True)
        renewing.start()
        try:
            while not self._stop.is_set():
                pause_s = self._step()
                if self._answered and not self.looked:
                    self.looked = True
                    on_ready()
                self._stop.wait(pause_s)
        finally:
            self._ended.set()
            renewing.join()
            self._let_go()

    def stop(self) -> None:
        """End ``run`` after the tick that is under way."""
        self._stop.set()

    def _step(self) -> float:
        """Tick once, if this process leads; return the pause."""
        if not self._leads() and not self._renew():
            if self.scheduler is not None:
                log.warning("beat: another one leads now, this one stands by")
                self.scheduler = None  # without writing: what it knows is outdated
            if self._answered:
                self.last_look = self.app.runtime.monotonic()
            return STANDBY_S
        if self.scheduler is None:
            log.info("beat: %s leads", self._who)
            self.scheduler = self._make()
            self.interval_s = self.scheduler.max_interval
        pause_s: float = self.scheduler.tick() or 0
        self.last_look = self.app.runtime.monotonic()
        if pause_s > 0 and self.scheduler.should_sync():
            self.scheduler._do_sync()
        # A change of leaders must be noticed while it sleeps, too.
        return min(pause_s, STANDBY_S) if pause_s > 0 else 0

    def _leads(self) -> bool:
        return bool(self.app.runtime.monotonic() < self._until)

    def _renew(self) -> bool:
        asked = self.app.runtime.monotonic()
        try:
            agenda = self._lead.attend(self._who, lease_s=LEASE_S, limit=0)
        except OperationalError as error:
            if not self._away:
                log.error("beat: %s; trying again every %.0f s", error, STANDBY_S)
            self._answered, self._away = False, True
            return False
        if self._away:
            log.warning("beat: the store answers again")
        self._answered, self._away = True, False
        self._until = asked + LEASE_S if agenda.leader == self._who else 0.0
        return agenda.leader == self._who

    def _renew_again_and_again(self) -> None:
        while not self._ended.wait(RENEW_S):
            if self._leads():
                self._renew()

    def _let_go(self) -> None:
        if self.scheduler is not None:
            self.scheduler.close()
        try:
            self._lead.resign(self._who)
        except OperationalError as error:
            log.info("beat: %s; another leads when the lease has ended", error)
