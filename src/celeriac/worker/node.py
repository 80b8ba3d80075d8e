"""Node: one for each ``worker`` command. Starts, watches, recycles and stops its children.

In a node's life: ``run`` from start to exit; ``tick`` is one round of it. The main thread watches processes and limits and
makes no call to the store; the keeper thread keeps the lease and buries the dead, and may be held up by a store that does
not answer. No user code runs here but the hooks that
``on_ready`` and ``on_stop`` lead to. Does not know: messages, results, what a task is.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from celeriac.abc import Broker, Lessee, Runtime
from celeriac.core.errors import OperationalError
from celeriac.worker.leases import DeadChild, Leases
from celeriac.worker.limits import Verdict, judge
from celeriac.worker.os_signals import LOOK
from celeriac.worker.recovery import Death
from celeriac.worker.slots import Seat, Slot, Slots
from celeriac.worker.stopping import Ask, Stage, Stopping
from celeriac.worker.template import Report, Template

log = logging.getLogger("celeriac.worker")

ROUND_S = 0.1
"""How often limits are looked at while something runs."""
IDLE_ROUND_S = 0.5
"""The same while nothing runs: what begins meanwhile is noticed by then."""
_CRASH_PAUSES_S = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Before a child is replaced: one that had begun a task; the first, second, … in a row that died before it had."""
_KEEPER_PAUSE_S = 1.0


@dataclass
class _Place:
    """One of the node's children, and whoever comes after it."""

    slot: Slot
    name: str = ""
    pid: int = 0
    ordered: bool = False
    crashes: int = 0
    start_at: float = 0.0
    timed_out: float | None = None
    """The hard limit for which we killed it, seconds."""
    told: bool = False
    """It was asked to finish."""
    cold: bool = False
    """We killed it to stop."""


class Node:
    """Supervises ``count`` children."""

    def __init__(
        self,
        *,
        id: str,
        name: str,
        template: Template,
        slots: Slots,
        count: int,
        leases: Leases,
        broker: Broker,
        runtime: Runtime,
        stopping: Stopping,
        on_ready: Callable[[], None],
        on_stop: Callable[[float], None],
    ) -> None:
        self._id, self.name, self._template, self._leases = id, name, template, leases
        self._broker, self._runtime, self._on_ready, self._on_stop = broker, runtime, on_ready, on_stop
        self._places = [_Place(slots[index]) for index in range(count)]
        self._generation = 0
        self._stopping = stopping
        self._announced = False
        self.turned_at = runtime.monotonic()
        """When the loop has last come round, by the monotonic clock."""
        self._keeper = Keeper(leases, broker, runtime)
        self._heard, self._bell = os.pipe()
        os.set_blocking(self._heard, False)
        os.set_blocking(self._bell, False)

    def run(self) -> int:
        """Supervise until stopped and every child has ended; return the exit code. Call in the main thread."""
        previous = signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)
        code = 0
        self._keeper.start()
        try:
            while not self._finished():
                self.tick(self._runtime.monotonic())
                select.select([self._template.fileno(), self._heard], [], [], self._round_s())
                with suppress(BlockingIOError):
                    os.read(self._heard, 4096)
                self._read_reports()
        except EOFError as error:
            log.critical("%s: this node cannot replace its children any more and stops", error)
            self._give_up()
            code = 1
        finally:
            signal.set_wakeup_fd(previous)
            self._template.close()
            self._keeper.stop()
            self._leases.part()
        return code or int(self._stopping.stage is Stage.COLD)

    def wake(self) -> None:
        """Have the loop come round now. Any thread may call, and a signal handler."""
        with suppress(BlockingIOError):  # it has been rung often enough
            os.write(self._bell, b"\0")

    def stop(self, what: Ask = Ask.FINISH, why: str = "a command") -> None:
        """Have the node stop, as ``what`` says. Any thread may call."""
        self._stopping.ask(what, why)
        self.wake()

    def _round_s(self) -> float:
        quiet = self._announced and not self.stopping and not self._is_busy()
        return IDLE_ROUND_S if quiet else ROUND_S

    def _is_busy(self) -> bool:
        return any(place.slot.running for place in self._places)

    @property
    def healthy(self) -> bool:
        """Whether the store has answered when it was last asked."""
        return self._keeper.healthy

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_asked

    @property
    def ended(self) -> int:
        """How many runs have ended in the children that live."""
        return sum(place.slot.ended for place in tuple(self._places))

    def processes(self) -> list[tuple[str, int]]:
        """Return the names and pids of the children that live. Any thread may call."""
        return [(place.name, place.pid) for place in tuple(self._places) if place.pid]

    def tick(self, now: float) -> None:
        """Look after every child once."""
        self.turned_at = now
        if self.stopping:
            self._carry_out_stop(now)
        ready = 0
        for index, place in enumerate(self._places):
            if not place.ordered:
                if not self.stopping and now >= place.start_at:
                    self._start(index, place)
            elif place.pid:
                self._enforce(place, now)
                if place.slot.started:
                    place.crashes = 0
                ready += place.slot.is_ready
        if not self._announced and ready == len(self._places):
            self._announced = True
            self._on_ready()

    def _start(self, index: int, place: _Place) -> None:
        self._generation += 1
        place.name = f"{index}.{self._generation}"
        place.slot.clear()
        place.ordered, place.pid, place.timed_out, place.told, place.cold = True, 0, None, False, False
        self._template.order(index, place.name)

    def _enforce(self, place: _Place, now: float) -> None:
        for seat in place.slot.late(now):
            self._enforce_seat(place, seat, now)

    def _enforce_seat(self, place: _Place, seat: Seat, now: float) -> None:
        verdict, run = judge(seat, now)
        if verdict is Verdict.SOFT and run is not None:
            # The child compares the tag in the signal's handler: no other task can be hit.
            seat.ask_soft(run.tag)
            self._signal(place, LOOK)
        elif verdict is Verdict.HARD and run is not None and place.timed_out is None:
            place.timed_out = round(run.hard_at - run.since, 6)
            log.error("hard time limit (%gs) exceeded in %s: it is replaced", place.timed_out, place.name)
            self._signal(place, signal.SIGKILL)

    def _read_reports(self) -> None:
        for report in self._template.reports():
            place = self._places[report.index]
            if report.status is None:
                place.pid = report.pid
            elif place.name == report.name:
                self._bury(place, report)

    def _bury(self, place: _Place, report: Report) -> None:
        assert report.status is not None
        slot = place.slot
        detail = _how(report.status)
        if report.status != 0 and not place.cold and place.timed_out is None:
            log.error("child %s (pid %d) ended: %s", place.name, report.pid, detail, extra={"event": "child-died"})
        if place.cold:
            detail = "stopped at once by its operator"
        death = Death(detail, timed_out=place.timed_out, handed_back=place.cold)
        self._leases.child_died(DeadChild(Lessee(self._id, place.name), slot.started, slot.running, death))
        self._broker.interrupt()  # the keeper dozes
        crashed = report.status != 0 and slot.started == 0
        place.crashes = place.crashes + 1 if crashed else 0
        pause = _CRASH_PAUSES_S[min(place.crashes, len(_CRASH_PAUSES_S) - 1)]
        place.start_at = self._runtime.monotonic() + pause
        place.ordered, place.pid = False, 0

    def _carry_out_stop(self, now: float) -> None:
        if self._stopping.advance(now, is_busy=self._is_busy):
            self._on_stop(now)
        if self._stopping.stage is Stage.COLD:
            self._kill_all()
            return
        for place in self._places:
            # Before it is ready a child does not hear the signal.
            if place.pid and place.slot.is_ready and not place.told:
                place.told = True
                self._signal(place, signal.SIGTERM)

    def _kill_all(self) -> None:
        for place in self._places:
            if place.pid and not place.cold:
                place.cold = True
                self._signal(place, signal.SIGKILL)

    def _give_up(self) -> None:
        """The template is gone, and with it whoever would report the ends of the children: end them unheard."""
        self._kill_all()
        death = Death("the process that started it died", handed_back=True)
        for place in self._places:
            if place.ordered:
                lessee = Lessee(self._id, place.name)
                self._leases.child_died(DeadChild(lessee, place.slot.started, place.slot.running, death))

    def _finished(self) -> bool:
        return self.stopping and not any(place.ordered for place in self._places)

    def _signal(self, place: _Place, number: int) -> None:
        if place.pid:
            with suppress(ProcessLookupError):
                os.kill(place.pid, number)


class Keeper:
    """The supervisor's thread for everything that asks the store."""

    def __init__(self, leases: Leases, broker: Broker, runtime: Runtime) -> None:
        self._leases, self._broker, self._runtime = leases, broker, runtime
        self._stopping = False
        self.healthy = True
        """Whether the store has answered when it was last asked; a node registers before it has a keeper."""
        self._thread = threading.Thread(target=self._keep, name="celeriac-keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for that."""
        self._stopping = True
        self._broker.interrupt()
        if self._thread.ident is not None:
            self._thread.join(6.0)

    def _keep(self) -> None:
        silent_since: float | None = None
        while not self._stopping:
            try:
                doze_s = self._leases.tick()
                self.healthy = True
                if silent_since is not None:
                    log.info("the store answers again after %.1f s", self._runtime.monotonic() - silent_since)
                    silent_since = None
                if not self._leases.has_dead and not self._stopping:
                    self._broker.doze(doze_s)
            except OperationalError as error:
                self.healthy = False
                if silent_since is None:
                    silent_since = self._runtime.monotonic()
                    log.warning("%s; this node's lease runs until it does", error, extra={"event": "store-lost"})
                self._runtime.sleep(_KEEPER_PAUSE_S)
            except Exception:
                log.exception("the keeper of this node failed; it goes on")
                self._runtime.sleep(_KEEPER_PAUSE_S)


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return f"signal {signal.Signals(number).name}"
        except ValueError:
            return f"signal {number}"
    return f"exit code {os.waitstatus_to_exitcode(status)}"
