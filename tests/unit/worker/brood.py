"""Children that are no processes: they are born, do and hear what a test says."""

from __future__ import annotations

import signal
from collections.abc import Callable

from celeriac.testing.clock import VirtualRuntime
from celeriac.worker.child_process import Blow, ChildProcess
from celeriac.worker.children import Children, Place
from celeriac.worker.leases import DeadChild
from celeriac.worker.nursery import Order, Report
from celeriac.worker.os_signals import LOOK
from celeriac.worker.slots import Slots

SIGKILL = signal.SIGKILL


class FakeNursery:
    """Notes orders; reports come when a test says so."""

    slow = False

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.coming: list[Report] = []
        self.prepared = self.renewed = 0
        self.is_dead = False

    def fileno(self) -> int:
        raise AssertionError("nobody waits in these tests")

    def prepare(self) -> None:
        self.prepared += 1

    def renew(self) -> None:
        self.renewed += 1

    def order(self, order: Order) -> None:
        self.orders.append(order)

    def reports(self) -> list[Report]:
        if self.is_dead:
            raise EOFError("it has died")
        reports, self.coming = self.coming, []
        return reports

    def close(self) -> None:
        self.is_dead = True


class FakeProcess(ChildProcess):
    """Notes what it is sent; a blow hits it as ``blow`` says."""

    def __init__(self, pid: int) -> None:
        self.pid, self._handle = pid, None
        self.heard: list[int] = []
        self.blow: Blow | None = None
        """``None``: as it is meant."""

    def send(self, signum: int) -> None:
        self.heard.append(signum)

    def strike(self, still_meant: Callable[[], bool]) -> Blow:
        blow = self.blow or (Blow.KILLED if still_meant() else Blow.SPARED)
        if blow is Blow.KILLED:
            self.heard.append(SIGKILL)
        return blow

    def close(self) -> None:
        self.heard.append(0)


class FakeLeases:
    """Notes who has died."""

    def __init__(self) -> None:
        self.dead: list[DeadChild] = []

    def child_died(self, child: DeadChild) -> None:
        self.dead.append(child)


class Brood:
    """The children of one node."""

    def __init__(self, count: int, *, seats: int = 1, rooms: int = 16, alive_s: float = 0.0) -> None:
        self.runtime = VirtualRuntime()
        self.nursery, self.leases = FakeNursery(), FakeLeases()
        self.slots = Slots(rooms, seats)
        self.deaths = 0
        self.children = Children(
            node="node",
            nursery=self.nursery,
            slots=self.slots,
            leases=self.leases,  # type: ignore[arg-type]  # as much of them as is used
            runtime=self.runtime,
            count=count,
            alive_s=alive_s,
            on_death=self._died,
            process_of=FakeProcess,
        )

    def _died(self) -> None:
        self.deaths += 1

    @property
    def now(self) -> float:
        return self.runtime.monotonic()

    @property
    def names(self) -> list[str]:
        """Of the children that count."""
        return [place.name for place in self.children.places if place.counts]

    def place(self, name: str) -> Place:
        return next(place for place in self.children.places if place.name == name)

    def heard(self, name: str) -> list[int]:
        """Return the signals that a child was sent, but for those that only have it look."""
        process = self.place(name).process
        assert isinstance(process, FakeProcess)
        return [signum for signum in process.heard if signum != LOOK]

    def fill(self) -> None:
        self.children.fill(self.now)

    def bear(self, *, ready: bool = True) -> None:
        """Order whoever is missing, and have everybody born that was ordered."""
        self.fill()
        for place in self.children.places:
            if place.process is None:
                self.nursery.coming.append(Report(place.name, 1000 + place.room))
        self.children.hear()
        for place in self.children.places:
            if ready:
                place.slot.ready()

    def die(self, name: str, status: int = SIGKILL) -> None:
        self.nursery.coming.append(Report(name, self.place(name).pid, status))
        self.children.hear()
