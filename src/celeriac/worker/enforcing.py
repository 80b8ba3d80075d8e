"""End runs from outside: those whose time is over, and those that an operator wants ended.

In a node's life: one look in each round of the supervisor. A soft limit is asked of the child, which raises it inside the task.
A hard limit costs the child its life, and never another task its:

* A child that runs one task at a time is struck: it is stopped, and killed only if it still runs the task that is meant.
* A child that runs many tasks, or takes long to replace, is asked first to end the run from inside, which costs nobody else
  anything. If that does not come about at once, a child of many tasks is retired. The run is settled in its name and another
  child takes its place at once; it brings its other tasks to an end, and is killed when nothing is left but what was given up,
  or when its grace is over. One that does not even hear that it is to finish, because a call that does not come back holds
  its interpreter, is killed after a second.

What it runs then, through no fault of its own, goes back to its queue, and no delivery is counted. Does not know: messages,
stores.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from celeriac.abc import Lessee
from celeriac.worker.child_process import Blow
from celeriac.worker.children import Children, Place
from celeriac.worker.leases import EndedRun
from celeriac.worker.limits import Verdict, judge
from celeriac.worker.os_signals import LOOK, SOFT_LIMIT
from celeriac.worker.recovery import Ending
from celeriac.worker.slots import NO_SIGNAL, Seat, Seen

log = logging.getLogger("celeriac.worker")

SETTLED_WITHIN_S: Final = 0.05
"""A run that has lasted so long has had what ended before it in its child settled by the tender: nothing else is lost with the
child."""
HEARS_WITHIN_S: Final = 1.0
"""A child that can run anything hears within this time what it is told."""
ENDS_WITHIN_S: Final = 0.25
"""A run past its hard limit may take so long to end from inside: its slot is to be free again soon."""
LAST_WORDS_S: Final = 0.5
"""What ended last in a retired child is settled within this time."""
_STANDS_WITHIN_S: Final = 0.5
"""How long to try to strike a child that waits for the kernel, before it is retired."""


@dataclass
class _Wanted:
    """A run that is to be ended."""

    place: Place
    seat: Seat
    run: Seen
    ending: Ending
    since: float
    """Since when we want that."""


class Enforcer:
    """Ends runs in the children of one node."""

    def __init__(
        self,
        children: Children,
        *,
        node: str,
        grace_s: float,
        asks_first: bool,
        on_given_up: Callable[[EndedRun], None],
    ) -> None:
        """Do nothing yet.

        Args:
            children: Who runs something.
            node: Id of the node.
            grace_s: How many seconds the other tasks of a retired child have.
            asks_first: Whether runs are asked to end by themselves first.
            on_given_up: Told of each run that is to be settled in the name of its child.
        """
        self._children, self._node, self._grace_s, self._on_given_up = children, node, grace_s, on_given_up
        self._asks_first = asks_first
        self._wanted: dict[tuple[str, int], _Wanted] = {}
        """By name of the child and tag."""

    @property
    def is_at_work(self) -> bool:
        """Whether there is somebody to look after soon."""
        return bool(self._wanted) or any(place.retired_at is not None for place in self._children.places)

    def look(self, now: float) -> None:
        """Look after every child once. ``now``: seconds of the monotonic clock."""
        for place in self._children.places:
            if place.process is None or place.killed is not None:
                continue
            for seat in place.slot.late(now):
                self._judge(place, seat, now)
            if place.retired_at is not None:
                self._see_out(place, place.retired_at, now)
        for key, wanted in tuple(self._wanted.items()):
            if self._is_done_with(wanted, now):
                del self._wanted[key]

    def terminate(self, place: Place, seat: Seat, run: Seen, signum: int, now: float) -> None:
        """End a run because an operator wants that; never another one, if this one should end first."""
        if signum == SOFT_LIMIT:
            seat.ask_soft(run.tag)
            place.send(LOOK)
            return
        if self._asks_first:
            seat.ask_end(run.tag, signum)
            place.send(LOOK)
        self._want(place, seat, run, Ending(signum=signum), now)

    def _judge(self, place: Place, seat: Seat, now: float) -> None:
        verdict, run = judge(seat, now)
        if run is None or run.tag in place.endings:
            return
        if verdict is Verdict.SOFT:
            # The child compares the tag when it hears the signal: no other task can be hit.
            seat.ask_soft(run.tag)
            place.send(LOOK)
        elif verdict is Verdict.HARD:
            if self._asks_first:
                seat.ask_end(run.tag, NO_SIGNAL)
                place.send(LOOK)
            self._want(place, seat, run, Ending(hard_s=round(run.hard_at - run.since, 6)), now)

    def _want(self, place: Place, seat: Seat, run: Seen, ending: Ending, now: float) -> None:
        self._wanted.setdefault((place.name, run.tag), _Wanted(place, seat, run, ending, now))

    def _is_done_with(self, wanted: _Wanted, now: float) -> bool:
        place, seat, run = wanted.place, wanted.seat, wanted.run
        if seat.tag != run.tag or place.killed is not None or place not in self._children.places:
            return True
        # It was asked to end by itself, which costs nobody else anything.
        patience_s = HEARS_WITHIN_S if wanted.ending.hard_s is None else ENDS_WITHIN_S
        if self._asks_first and now - wanted.since < patience_s:
            return False
        if place.slot.seats > 1:
            self._give_up(wanted, now)
            return True
        if now - run.since < SETTLED_WITHIN_S:
            return False
        assert place.process is not None  # it runs something
        blow = place.process.strike(lambda: seat.tag == run.tag)
        if blow is Blow.KILLED:
            place.killed, place.endings[run.tag] = "it was killed to end a task", wanted.ending
            log.error("%s: child %s is replaced", _why(wanted), place.name, extra={"event": "child-struck"})
            return True
        if blow is Blow.MISSED and now - wanted.since > _STANDS_WITHIN_S:
            self._give_up(wanted, now)
            return True
        return False

    def _give_up(self, wanted: _Wanted, now: float) -> None:
        place, tag = wanted.place, wanted.run.tag
        log.error("%s: another child takes the place of %s", _why(wanted), place.name, extra={"event": "child-retired"})
        place.endings[tag] = wanted.ending
        self._on_given_up(EndedRun(Lessee(self._node, place.name), tag, wanted.ending))
        self._children.retire(place, now)

    def _see_out(self, place: Place, retired_at: float, now: float) -> None:
        waited_s, is_alone = now - retired_at, all(tag in place.endings for tag in place.slot.running)
        if not is_alone:
            place.alone_since = None
        elif place.alone_since is None:
            place.alone_since = now
        if not place.slot.is_leaving:
            if waited_s > HEARS_WITHIN_S:
                place.kill("it was held by a task that was given up")
        elif not is_alone and waited_s > self._grace_s:
            place.kill("its grace was over: another of its tasks was given up")
        elif place.alone_since is not None and now - place.alone_since > LAST_WORDS_S:
            place.kill("nothing was left in it but what was given up")


def _why(wanted: _Wanted) -> str:
    id, ending = wanted.run.id, wanted.ending
    if ending.hard_s is None:
        return f"task {id} is terminated"
    return f"hard time limit ({ending.hard_s:g} s) of task {id} exceeded"
