"""Node: one for each ``worker`` command. Its main thread watches the children, and does what others ask of it.

In a node's life: ``run`` from start to exit; ``tick`` is one round of it. It makes no call to the store: the keeper does, which
a store that does not answer may hold up. What other threads ask for (remote control, the autoscaler, the health endpoint) is
done in the next round, which comes at once. No user code runs here but the hooks that ``on_ready`` and ``on_stop`` lead to.
Does not know: messages, results, what a task is.
"""

from __future__ import annotations

import logging
import os
import select
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final

from msgspec import Struct

from celeriac.abc import Broker, Lessee, Runtime
from celeriac.worker.autoscale import Autoscaler
from celeriac.worker.children import Children
from celeriac.worker.enforcing import Enforcer
from celeriac.worker.keeper import Keeper
from celeriac.worker.leases import EndedRun, Leases
from celeriac.worker.nursery import Nursery
from celeriac.worker.orders import OrderBook
from celeriac.worker.os_signals import LOOK
from celeriac.worker.slots import Slots, mark_of
from celeriac.worker.stopping import Ask, Stage, Stopping

log = logging.getLogger("celeriac.worker")

ROUND_S: Final = 0.1
"""How often limits are looked at while something runs."""
IDLE_ROUND_S: Final = 0.5
"""The same while nothing runs: what begins meanwhile is noticed by then."""


class Doing(Struct, frozen=True):
    """One run in one of the children."""

    child: str
    """Name of the child."""
    pid: int
    tag: int
    """Of its delivery."""
    id: str
    """Of its task; of one that is longer than 64 bytes, ``slots.mark_of`` it."""
    since: float
    """When it began: seconds of the monotonic clock."""


class Node:
    """Supervises its children."""

    def __init__(
        self,
        *,
        id: str,
        name: str,
        nursery: Nursery,
        slots: Slots,
        book: OrderBook,
        count: int,
        leases: Leases,
        broker: Broker,
        runtime: Runtime,
        stopping: Stopping,
        on_ready: Callable[[], None],
        on_stop: Callable[[float], None],
        after_keep: Callable[[], object] | None = None,
        alive_s: float = 0.0,
        grace_s: float = 60.0,
        asks_first: bool = False,
    ) -> None:
        """Start nothing yet.

        Args:
            id: Unique to this start of the program; lessees bear it.
            name: For people.
            nursery: Bears the children.
            slots: Room for them.
            book: Their standing orders.
            count: How many there are to be.
            leases: The node's lease, and who buries the dead.
            broker: Dozes between two signs of life.
            runtime: The clock.
            stopping: Told of stops.
            on_ready: Called once, when every child fetches.
            on_stop: Called with each stage of a stop.
            after_keep: Called by the keeper after each sign of life; it may ask the store.
            alive_s: How many seconds a child may take to be ready. 0: any time.
            grace_s: How many seconds the other tasks of a child have that holds one that was given up.
            asks_first: A run that is to be ended is asked to end by itself, before its child is.
        """
        self.id, self.name, self._nursery, self._leases, self._book = id, name, nursery, leases, book
        self._broker, self._runtime, self._on_ready, self._on_stop = broker, runtime, on_ready, on_stop
        self._children = Children(
            node=id,
            nursery=nursery,
            slots=slots,
            leases=leases,
            runtime=runtime,
            count=count,
            alive_s=alive_s,
            on_death=broker.interrupt,  # the keeper dozes
        )
        self._enforcer = Enforcer(self._children, node=id, grace_s=grace_s, asks_first=asks_first, on_given_up=self._give_up)
        self._asked: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._count = count
        self._stopping = stopping
        self.autoscaler: Autoscaler | None = None
        """Who decides how many children there are, if that is to be decided by what there is to do."""
        self._announced = False
        self.turned_at = runtime.monotonic()
        """When the loop has last come round, by the monotonic clock."""
        self._keeper = Keeper(leases, broker, runtime, then=after_keep)
        self._heard, self._bell = os.pipe()
        os.set_blocking(self._heard, False)
        os.set_blocking(self._bell, False)
        book.on_change = self._tell_orders

    def run(self) -> int:
        """Supervise until stopped and every child has ended; return the exit code. Call in the main thread."""
        previous = signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)
        code = 0
        self._keeper.start()
        try:
            while not self._finished():
                self.tick(self._runtime.monotonic())
                select.select([self._nursery.fileno(), self._heard], [], [], self._round_s())
                with suppress(BlockingIOError):
                    os.read(self._heard, 4096)
                self._children.hear()
        except EOFError as error:
            log.critical("%s: this node cannot replace its children any more and stops", error)
            self._children.abandon("the process that started it died")
            code = 1
        finally:
            signal.set_wakeup_fd(previous)
            self._nursery.close()
            self._keeper.stop()
            self._leases.part()
        return code or int(self._stopping.stage is Stage.COLD)

    def tick(self, now: float) -> None:
        """Do what was asked for, and look after every child once."""
        self.turned_at = now
        self._do_what_was_asked()
        if self.stopping:
            self._carry_out_stop(now)
        else:
            self._children.fill(now)
            self._children.prepare()
        self._enforcer.look(now)
        if not self._announced and not self.stopping and self.is_ready:
            self._announced = True
            self._on_ready()

    # What other threads may call.

    def wake(self) -> None:
        """Have the loop come round now. Also safe in a signal handler."""
        with suppress(BlockingIOError):  # it has been rung often enough
            os.write(self._bell, b"\0")

    def stop(self, what: Ask = Ask.FINISH, why: str = "a command") -> None:
        """Have the node stop, as ``what`` says."""
        self._stopping.ask(what, why)
        self.wake()

    @property
    def healthy(self) -> bool:
        """Whether the store has answered when it was last asked."""
        return self._keeper.healthy

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_asked

    @property
    def is_ready(self) -> bool:
        """Whether as many children fetch as there are to be."""
        return self._children.ready >= self._children.count

    @property
    def ended(self) -> int:
        """How many runs have ended in the children that live."""
        return sum(place.slot.ended for place in self._children.places)

    def business(self) -> tuple[int, int]:
        """Return how many tasks run, and how many have ended since the node began."""
        places = self._children.places
        return sum(len(place.slot.running) for place in places), self._children.ended_before + self.ended

    @property
    def count(self) -> int:
        """How many children there are to be."""
        return self._count

    @property
    def most(self) -> int:
        """How many there can be."""
        return self._children.most

    def resize(self, count: int) -> None:
        """Have another number of children. Whoever is too many ends when its tasks have; none is ever killed for it.

        Raises:
            TypeError: it is no whole number; numbers come from the wire, too.
            ValueError: fewer than 1, or more than ``most``.
        """
        if not isinstance(count, int):
            raise TypeError(f"a node has a whole number of children; {count!r} is none")
        if not 1 <= count <= self.most:
            raise ValueError(f"a node has at least 1 child, and this one room for {self.most}; {count} cannot be")
        self._count = count
        # By then it may be another number: whoever has set it last has his way.
        self._ask(lambda: self._children.resize(self._count))

    def restart_children(self, modules: Sequence[str] = (), *, reload: bool = False) -> None:
        """Replace each child when its tasks have ended.

        Args:
            modules: To be imported by the new ones.
            reload: They are imported anew, if a child has them already.
        """
        self._ask(lambda: self._children.restart(modules, reload=reload))

    def terminate(self, id: str, signum: int = signal.SIGTERM) -> bool:
        """Have the run of the task with this id ended, if it runs here; return whether it does. No other is ever hit.

        Args:
            id: Of the task.
            signum: Which signal the operator named. With ``SIGUSR1`` the task hears that its soft limit is over.
        """
        mark, now = mark_of(id), self._runtime.monotonic()
        found = [
            (place, seat, run)
            for place in self._children.places
            for seat in place.slot.taken()
            if (run := seat.look()) is not None and run.id == mark
        ]
        for place, seat, run in found:
            self._ask(partial(self._enforcer.terminate, place, seat, run, signum, now))
        return bool(found)

    def running(self) -> list[Doing]:
        """Return what the children run."""
        return [
            Doing(place.name, place.pid, run.tag, run.id, run.since)
            for place in self._children.places
            for seat in place.slot.taken()
            if (run := seat.look()) is not None
        ]

    @property
    def queues(self) -> list[str]:
        """What the node serves now."""
        return self._leases.queues

    def processes(self) -> list[tuple[str, int]]:
        """Return the names and pids of the children that live."""
        return [(place.name, place.pid) for place in self._children.places if place.pid]

    def lessees(self) -> list[Lessee]:
        """Return in whose names deliveries are held here."""
        return [Lessee(self.id, place.name) for place in self._children.places]

    # In the main thread.

    def _ask(self, what: Callable[[], None]) -> None:
        self._asked.put(what)
        self.wake()

    def _do_what_was_asked(self) -> None:
        while True:
            try:
                what = self._asked.get_nowait()
            except Empty:
                return
            what()

    def _give_up(self, run: EndedRun) -> None:
        self._leases.run_ended(run)
        self._broker.interrupt()  # the keeper dozes

    def _tell_orders(self) -> None:
        """There are new orders: whoever waits for messages of the old ones need not."""
        self._leases.queues = list(self._book.read()[1].queues)
        self._ask(self._have_them_look)

    def _have_them_look(self) -> None:
        for place in self._children.places:
            place.send(LOOK)

    def _carry_out_stop(self, now: float) -> None:
        if self._stopping.advance(now, is_busy=lambda: self._children.is_busy):
            self._on_stop(now)
        if self._stopping.stage is Stage.COLD:
            self._children.kill("stopped at once by its operator")
        else:
            self._children.finish(now)

    def _round_s(self) -> float:
        quiet = self._announced and not self.stopping and not self._children.is_busy and not self._enforcer.is_at_work
        return IDLE_ROUND_S if quiet else ROUND_S

    def _finished(self) -> bool:
        return self.stopping and not self._children.places
