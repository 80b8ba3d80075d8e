"""Fate: lets time pass for a process, and carries out what the weather has chosen.

The trick of one thread: while a process waits, runs a task or is frozen, the rest of the world goes on *inside* of that
wait, event by event. When the wait ends the process finds out what has become of it meanwhile. Of two such waits the
inner one ends first, so an outer one may last longer than was asked for, as on a slow machine.
Does not know: tasks, messages.
"""

from __future__ import annotations

from collections.abc import Callable

from celeriac.core.errors import BrokerUnreachable
from celeriac.testing.simulation.chance import Chance
from celeriac.testing.simulation.processes import Process
from celeriac.testing.simulation.timeline import Timeline
from celeriac.testing.simulation.weather import Fault, Weather

_DYING = {Fault.DIES_BEFORE, Fault.DIES_AFTER}
_NODE_DYING = {Fault.NODE_DIES_BEFORE, Fault.NODE_DIES_AFTER}
_FREEZING = {Fault.FREEZES_BEFORE, Fault.FREEZES_AFTER}
_AFTER = {Fault.REPLY_LOST, Fault.DIES_AFTER, Fault.NODE_DIES_AFTER, Fault.FREEZES_AFTER}


class Fate:
    """What happens to processes."""

    def __init__(
        self,
        timeline: Timeline,
        weather: Weather,
        chance: Chance,
        *,
        kill: Callable[[Process], None],
        kill_node: Callable[[Process], None],
        lease_s: float,
    ) -> None:
        self._timeline, self._weather, self._chance = timeline, weather, chance
        self._kill, self._kill_node, self._lease_s = kill, kill_node, lease_s

    def let_pass(self, process: Process, seconds: float) -> None:
        """Let the world go on for so long, and for as long as ``process`` is frozen; raise Died when it dies in it."""
        end = self._timeline.now + seconds
        while True:
            process.check()
            target = max(end, process.frozen_until)
            if self._timeline.now >= target:
                return
            self._timeline.run_next(target)

    def before(self, process: Process, name: str) -> Fault | None:
        """Strike before a call, or return what is to strike after it."""
        process.check()
        now = self._timeline.now
        if now < self._weather.outage_until:
            raise BrokerUnreachable("the store is away")
        fault = self._weather.strike(now, mortal=process.mortal)
        if fault is None:
            return None
        self._timeline.note(f"{process.name} calls {name}: {fault.value}")
        if fault in _AFTER:
            return fault
        if fault is Fault.REQUEST_LOST:
            raise BrokerUnreachable("the request was lost")
        if fault is Fault.SLOW:
            self.let_pass(process, self._chance.between(0, 3))
        else:
            self._carry_out(process, fault)
        return None

    def after(self, process: Process, fault: Fault) -> None:
        """Strike after a call."""
        if fault is Fault.REPLY_LOST:
            raise BrokerUnreachable("the reply was lost")
        self._carry_out(process, fault)

    def freeze(self, process: Process) -> None:
        """Let nothing of this node move for up to three leases."""
        until = self._timeline.now + self._chance.between(0.1, 3) * self._lease_s
        process.machine.frozen_until = max(process.machine.frozen_until, until)
        self._timeline.note(f"{process.machine.name} is frozen until {process.frozen_until:.3f}")

    def _carry_out(self, process: Process, fault: Fault) -> None:
        if fault in _DYING:
            self._kill(process)
        elif fault in _NODE_DYING:
            self._kill_node(process)
        elif fault in _FREEZING:
            self.freeze(process)
        self.let_pass(process, 0)
