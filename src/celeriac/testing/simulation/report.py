"""What a simulation is asked for, and what it answers.

Plain data. Does not know: how a world is run.
"""

from __future__ import annotations

from msgspec import Struct


class Scale(Struct, frozen=True, kw_only=True):
    """How large a world is, and how hard its life."""

    nodes: int = 2
    children: int = 2
    """Of each node."""
    tasks: int = 20
    """That are sent one by one."""
    workflows: int = 2
    """At most so many besides: each of a few tasks, seldom of dozens."""
    faults_s: float = 120.0
    """For so long there are faults; then the world is left in peace until it comes to rest."""
    fault_rate: float = 0.02
    """Chance that a call to the store goes wrong."""
    pauses: int = 4
    """At most so often an operator pauses something. 0: nobody steers anything, and no type has a rate limit."""
    incidents: int = 5
    """Deaths, freezes, outages, steps of the clock: at most so many, beside the calls that go wrong."""
    lease_s: float = 30.0
    max_deliveries: int = 5


class Report(Struct, frozen=True, kw_only=True):
    """What happened in one world."""

    seed: int
    violation: str | None
    """The first promise that was broken; ``None``: all were kept."""
    trace: tuple[str, ...]
    """Every event, with its virtual second."""
    faults: int
    starts: int
    """How many runs began."""
    lost: int
    """How many deliveries were taken over from the dead."""

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        return self.violation is None

    def __str__(self) -> str:
        return "\n".join((*self.trace, f"seed {self.seed}: {self.violation or 'all promises kept'}"))


class Violation(BaseException):
    """A promise was broken. No code under test may catch it, so it is not an ``Exception``."""
