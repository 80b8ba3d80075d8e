"""The fleet of a world: nodes with their children, made of the worker's own parts, and how they are born and die.

What a supervisor does with processes is modelled here: it ticks, notices a death after a while, replaces the child, stops
when told to. What nodes and children do with messages is the worker's own code. Does not know: faults (``fate``), promises.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from celeriac.abc import Lessee
from celeriac.core.errors import OperationalError
from celeriac.testing.simulation.chance import Chance
from celeriac.testing.simulation.crew import Crew, SimulatedChild, SimulatedNode
from celeriac.testing.simulation.fate import Fate
from celeriac.testing.simulation.processes import Died, Process
from celeriac.testing.simulation.report import Scale
from celeriac.testing.simulation.timeline import Timeline
from celeriac.testing.simulation.weather import Weather
from celeriac.worker.appetite import BATCH_S
from celeriac.worker.leases import TICK_S, DeadChild
from celeriac.worker.recovery import Death
from celeriac.worker.request import Request

LONGEST_IDLE_S = 9.0
"""At most so long a child that found nothing waits until it looks again, in peace."""
_IDLE_S = 3.0
"""The same while there are faults, which shall meet it."""
_POISONS = {"poison", "early-poison"}


class Fleet:
    """All nodes of a world."""

    def __init__(self, timeline: Timeline, chance: Chance, weather: Weather, scale: Scale) -> None:
        self._timeline, self._chance, self._scale = timeline, chance, scale
        self.fate = Fate(timeline, weather, chance, kill=self.kill, kill_node=self.kill_node, lease_s=scale.lease_s)
        self._nodes: list[SimulatedNode] = []
        """By place; the newest node of each."""
        self._lessees: dict[Lessee, Process] = {}
        self._by_id: dict[str, SimulatedNode] = {}

    @property
    def nodes(self) -> list[SimulatedNode]:
        """The nodes that live."""
        return [node for node in self._nodes if node.alive]

    def is_alive(self, lessee: Lessee) -> bool:
        """Say whether this child, or, for an heir, its node, lives."""
        return self._lessees.get(lessee, self._by_id[lessee.node]).alive

    def assemble(self, crew: Crew) -> None:
        """Start all nodes."""
        self._crew = crew
        for place in range(self._scale.nodes):
            self._start_node(place)

    # Birth.

    def _start_node(self, place: int) -> None:
        node = self._crew.node(place, number=len(self._by_id))
        self._nodes[place : place + 1] = [node]
        self._by_id[node.name] = node
        self._timeline.note(f"{node.name} starts")
        for index in range(self._scale.children):
            self._start_child(node, index)
        self._timeline.after(0, partial(self._tick, node))

    def _start_child(self, node: SimulatedNode, index: int) -> None:
        node.generation += 1
        node.slots[index].clear()
        child = self._crew.child(node, index, while_it_runs=self._while_it_runs)
        node.children[index] = self._lessees[child.lessee] = child
        self._timeline.after(self._chance.between(0, 0.2), partial(self._step, child))

    # Life.

    def _tick(self, node: SimulatedNode) -> None:
        if node.parting or not self._moves(node, partial(self._tick, node)):
            return
        node.ticking = True
        try:
            doze_s = node.leases.tick()
        except Died:
            return
        except OperationalError:
            doze_s = TICK_S
        node.ticking = False
        # The store takes a sixth of a lease for the silence of all; so rarely is still often enough, and costs less to run.
        pause = doze_s if doze_s < TICK_S else self._chance.between(TICK_S, self._scale.lease_s / 7)
        self._timeline.after(pause, partial(self._tick, node))

    def _step(self, child: SimulatedChild) -> None:
        if not self._moves(child, partial(self._step, child)):
            return
        try:
            if child.told:
                self._wind_up(child)
                return
            came = child.child.step()
        except Died:
            return
        except OperationalError:
            pause = self._chance.between(0.1, 2)
        else:
            longest = _IDLE_S if self._timeline.now < self._scale.faults_s else LONGEST_IDLE_S
            child.idle_s = 0.01 if came else min(longest, child.idle_s * 2)
            pause = 0.0 if came else child.idle_s
        self._timeline.after(pause, partial(self._step, child))

    def _while_it_runs(self, child: SimulatedChild, request: Request, seconds: float) -> None:
        child.running = request
        if seconds > 2 * BATCH_S:
            self._timeline.after(2 * BATCH_S, partial(self._tend, child, request))
        self.fate.let_pass(child, seconds)
        child.running = None
        if request.task.name in _POISONS:
            self._timeline.note(f"{child.name} is killed by its task")
            self.kill(child)
            child.check()

    def _tend(self, child: SimulatedChild, request: Request) -> None:
        """Do what the tender does while a run takes long."""
        if child.running is not request or not self._moves(child, partial(self._tend, child, request)):
            return
        try:
            child.child.give_back()
            child.child.flush()
        except Died:
            return
        except OperationalError:
            self._timeline.after(0.5, partial(self._tend, child, request))

    def _moves(self, process: Process, event: Callable[[], None]) -> bool:
        """Say whether ``process`` does anything now; if it is frozen, ``event`` comes again."""
        if not process.alive:
            return False
        wait = process.frozen_until - self._timeline.now
        if wait > 0:
            self._timeline.after(wait, event)
        return wait <= 0

    # Death.

    def kill(self, process: Process) -> None:
        """Kill a child, or a supervisor and so its node."""
        if isinstance(process, SimulatedNode):
            self.kill_node(process)
        elif process.alive:
            assert isinstance(process, SimulatedChild)
            self._timeline.note(f"{process.name} dies")
            process.die()
            self._timeline.after(self._chance.between(0, 1), partial(self._notice, process, Death("signal SIGKILL")))

    def kill_node(self, process: Process) -> None:
        """Kill the whole node that this process is part of; another takes its place after a while."""
        if process.machine.alive:
            self._timeline.note(f"{process.machine.name} dies")
            process.machine.alive = False
            self._succeed(process.machine.place)

    def _notice(self, child: SimulatedChild, death: Death) -> None:
        node = child.node
        if not self._moves(node, partial(self._notice, child, death)):
            return
        slot = node.slots[child.index]
        node.leases.child_died(DeadChild(child.lessee, slot.started, slot.running, death))
        del node.children[child.index]
        if not node.told:
            self._start_child(node, child.index)
        elif not node.children:
            self._part(node)

    def stop(self, node: SimulatedNode) -> None:
        """Ask a node to stop when its running tasks have ended."""
        self._timeline.note(f"{node.name} is told to stop")
        node.told = True
        for child in node.children.values():
            child.told = True
            child.child.stop()

    def _wind_up(self, child: SimulatedChild) -> None:
        child.child.give_back()
        try:
            child.child.flush()
        except OperationalError:
            self._timeline.after(0.5, partial(self._step, child))
            return
        child.die()
        self._notice(child, Death("exit code 0"))

    def _part(self, node: SimulatedNode) -> None:
        if node.ticking:  # the keeper is waited for
            self._timeline.after(0.5, partial(self._part, node))
            return
        node.parting = True
        try:
            node.leases.bury_children()
            node.line.leave(node.name)
        except (OperationalError, Died):
            self._timeline.note(f"{node.name} could not say goodbye")
        self.kill_node(node)

    def _succeed(self, place: int) -> None:
        pause = self._chance.between(0.5, 1.5 * self._scale.lease_s)
        self._timeline.after(pause, partial(self._start_node, place))
