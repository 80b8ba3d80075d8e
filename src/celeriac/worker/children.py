"""The children of a node: how many there are to be, who lives where, and who comes after whom.

In a node's life: filled up in each round of the supervisor, until the node stops. A child lives in a Place: one room among the
slots, from its order to its burial. It counts until it is asked to make room; then its number is free for another, while it
brings what it runs to an end. No child is ever killed to make them fewer. Does not know: limits, messages, when a node stops.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from celeriac.abc import Lessee, Runtime
from celeriac.worker.child_process import ChildProcess
from celeriac.worker.leases import DeadChild, Leases
from celeriac.worker.nursery import Nursery, Order, Report
from celeriac.worker.recovery import Death, Ending
from celeriac.worker.slots import Slot, Slots

log = logging.getLogger("celeriac.worker")

_CRASH_PAUSES_S: Final = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Before a child is replaced: one that had begun a task; the first, second, … in a row that died before it had."""


@dataclass(eq=False)
class Place:
    """One child, from its order to its burial."""

    room: int
    """Which of the slots is its."""
    number: int
    """Its own among those that count: 0, 1, …"""
    name: str
    """Unique in the node's life: its number, and how many were ordered before it."""
    slot: Slot
    process: ChildProcess | None = None
    """``None``: nobody has said yet that it was born."""
    born_at: float = 0.0
    """When that was heard: where many are ordered, the last are born late."""
    told: bool = False
    """It was asked to finish."""
    stale: bool = False
    """Another is to come after it, which imports anew."""
    counts: bool = True
    """``False``: it was asked to make room for another."""
    retired_at: float | None = None
    """Since when it holds a run that was given up."""
    alone_since: float | None = None
    """Since when it runs nothing else."""
    killed: str | None = None
    """Why we have killed it. ``None``: we have not."""
    endings: dict[int, Ending] = field(default_factory=dict)
    """By their tags, the runs that we ended ourselves."""

    @property
    def pid(self) -> int:
        """0: it is not born yet."""
        return self.process.pid if self.process is not None else 0

    def send(self, signum: int) -> None:
        """Send it a signal, if it is born."""
        if self.process is not None:
            self.process.send(signum)

    def finish(self) -> None:
        """Ask it, once, to bring what it runs to an end and then to end. Before it is ready it would not hear that."""
        if self.process is not None and self.slot.is_ready and not self.told:
            self.told = True
            self.process.send(signal.SIGTERM)

    def kill(self, why: str) -> None:
        """End it, once, whatever it is doing."""
        if self.process is not None and self.killed is None:
            self.killed = why
            self.process.kill()


class Children:
    """At first ``count`` children of one node."""

    def __init__(
        self,
        *,
        node: str,
        nursery: Nursery,
        slots: Slots,
        leases: Leases,
        runtime: Runtime,
        count: int,
        alive_s: float,
        on_death: Callable[[], None],
        process_of: Callable[[int], ChildProcess] = ChildProcess,
    ) -> None:
        """Order nobody yet.

        Args:
            node: Id of the node.
            nursery: Bears children.
            slots: Room for the children, and for those that come before the ones that they replace have ended.
            leases: Told of the dead.
            runtime: The clock.
            count: How many are to be.
            alive_s: How many seconds a child may take to be ready. 0: any time.
            on_death: Called when one has died.
            process_of: From a process id to what can be signalled.
        """
        self._node, self._nursery, self._slots, self._leases, self._runtime = node, nursery, slots, leases, runtime
        self._alive_s, self._on_death, self._process_of = alive_s, on_death, process_of
        self._count = count
        self._rooms = list(range(len(slots)))[::-1]
        """Those where nobody lives."""
        self.places: tuple[Place, ...] = ()
        """Everybody, the oldest first. A new tuple with each change, so that any thread may look."""
        self.ended_before = 0
        """Runs that have ended in children that are gone."""
        self._ordered = 0
        self._crashes: dict[int, tuple[int, float]] = {}
        """By number: how many have died in a row there before they had begun a task, and when the next one may come."""
        self._imports: Sequence[str] = ()
        self._reload = False

    @property
    def count(self) -> int:
        """How many there are to be."""
        return self._count

    @property
    def most(self) -> int:
        """How many there can be: a quarter of the rooms is for those who come before others have gone."""
        return max(1, len(self._slots) * 3 // 4)

    @property
    def ready(self) -> int:
        """How many count and fetch."""
        return sum(place.counts and place.slot.is_ready for place in self.places if place.process is not None)

    @property
    def is_busy(self) -> bool:
        """Whether any of them runs a task."""
        return any(place.slot.running for place in self.places)

    def resize(self, count: int) -> None:
        """Have another number of children from now on. Whoever is too many ends when its tasks have."""
        self._count = count

    def restart(self, modules: Sequence[str], *, reload: bool) -> None:
        """Replace each child when its tasks have ended; the new ones import ``modules``, or, where ``reload``, import them
        anew."""
        self._imports, self._reload = tuple(dict.fromkeys((*self._imports, *modules))), reload
        self._nursery.renew()
        for place in self.places:
            place.stale = True

    def fill(self, now: float) -> None:
        """Order whoever is missing, ask whoever is too many to finish, and end whoever does not come to life."""
        for place in self.places:
            if place.slot.is_leaving and not place.told:
                place.counts, place.told = False, True  # it has done its share, or has grown too large
        staying = [place for place in self.places if place.counts]
        if len(staying) > self._count:
            # Of those who are idle the newest first: it has the least to lose. Then those who run something.
            staying.sort(key=lambda place: (not place.slot.running, place.number))
            for place in staying[self._count :]:
                place.counts = False
        elif len(staying) < self._count:
            taken = {place.number for place in staying}
            for number in [number for number in range(self._count) if number not in taken][: self._count - len(staying)]:
                if now >= self._crashes.get(number, (0, 0.0))[1]:
                    self._order(number)
        for place in self.places:
            if place.stale or not place.counts:
                place.finish()
            self._check_birth(place, now)

    def prepare(self) -> None:
        """Have a child ready to take a place at once, where one takes long to be born and a hard limit may cost one its life."""
        if self._nursery.slow and self.ready >= self._count and any(place.slot.knows_limits for place in self.places):
            self._nursery.prepare()

    def _check_birth(self, place: Place, now: float) -> None:
        if place.process is None or place.killed is not None or place.slot.is_ready or not self._alive_s:
            return
        if now - place.born_at > self._alive_s:
            log.error("child %s was not ready within %g s and is ended", place.name, self._alive_s)
            place.kill("it was not ready in time")

    def finish(self, now: float) -> None:
        """Ask everybody to end when their tasks have, and end whoever does not come to life."""
        for place in self.places:
            place.finish()
            self._check_birth(place, now)

    def kill(self, why: str) -> None:
        """End everybody at once; what runs is handed back."""
        for place in self.places:
            place.kill(why)

    def retire(self, place: Place, now: float) -> None:
        """Have another child in its place at once. This one brings to an end what it can."""
        if place.retired_at is None:
            place.retired_at = now
            place.counts = False
            place.finish()

    def abandon(self, why: str) -> None:
        """Nobody will report the ends of the children any more: end them unheard, and bury them."""
        self.kill(why)
        for place in self.places:
            self._leases.child_died(self._dead(place, Death(why, handed_back=True)))

    def hear(self) -> None:
        """Take in what the nursery says.

        Raises:
            EOFError: it has died.
        """
        for report in self._nursery.reports():
            place = next((place for place in self.places if place.name == report.name), None)
            if place is None:
                continue
            if report.status is None:
                place.process, place.born_at = self._process_of(report.pid), self._runtime.monotonic()
            else:
                self._bury(place, report)

    def _order(self, number: int) -> None:
        if not self._rooms:
            return  # as soon as one of the retired is gone
        room = self._rooms.pop()
        self._ordered += 1
        slot = self._slots[room]
        slot.clear()
        name = f"{number}.{self._ordered}"
        self.places = (*self.places, Place(room, number, name, slot))
        self._nursery.order(Order(room, number, name, self._imports, self._reload))

    def _bury(self, place: Place, report: Report) -> None:
        assert report.status is not None
        if place.process is not None:
            place.process.close()
        detail = _how(report.status)
        if report.pid and report.status != 0 and place.killed is None:
            log.error("child %s (pid %d) ended: %s", place.name, report.pid, detail, extra={"event": "child-died"})
        self._leases.child_died(self._dead(place, Death(place.killed or detail, handed_back=place.killed is not None)))
        self._on_death()
        crashed = report.status != 0 and place.slot.started == 0
        self._note_crash(place.number, crashed=crashed)
        self.ended_before += place.slot.ended
        self.places = tuple(other for other in self.places if other is not place)
        self._rooms.append(place.room)

    def _dead(self, place: Place, death: Death) -> DeadChild:
        slot = place.slot
        return DeadChild(Lessee(self._node, place.name), slot.started, slot.running, death, place.endings)

    def _note_crash(self, number: int, *, crashed: bool) -> None:
        if not crashed:
            self._crashes.pop(number, None)
            return
        crashes = self._crashes.get(number, (0, 0.0))[0] + 1
        pause = _CRASH_PAUSES_S[min(crashes, len(_CRASH_PAUSES_S) - 1)]
        self._crashes[number] = crashes, self._runtime.monotonic() + pause


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return f"signal {signal.Signals(number).name}"
        except ValueError:
            return f"signal {number}"
    return f"exit code {os.waitstatus_to_exitcode(status)}"
