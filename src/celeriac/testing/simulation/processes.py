"""The processes of a world, as far as fate is concerned: alive or not, frozen or not.

A process that dies does so between two of its calls to the store, or while a task runs: ``Died`` unwinds its frames, and
none of its code sees it. Does not know: stores, tasks.
"""

from __future__ import annotations


class Died(BaseException):
    """The process in whose frames this is raised has been killed."""


class Machine:
    """What is killed and frozen as one: a node with its children."""

    def __init__(self, name: str, place: int = 0) -> None:
        self.name, self.place = name, place
        self.alive = True
        self.frozen_until = 0.0
        """Until this virtual second nothing of it moves."""


class Process:
    """A supervisor or a child."""

    def __init__(self, machine: Machine, name: str, *, mortal: bool = True) -> None:
        self.machine, self.name = machine, name
        self.mortal = mortal
        """Whether it may be killed or frozen: not the program that publishes."""
        self._alive = True

    @property
    def alive(self) -> bool:
        """Whether it lives, and its machine does."""
        return self._alive and self.machine.alive

    @property
    def frozen_until(self) -> float:
        """Until this virtual second it does not move."""
        return self.machine.frozen_until

    def die(self) -> None:
        """From now on it is dead; ``check`` tells its frames."""
        self._alive = False

    def check(self) -> None:
        """Raise Died where the dead would go on."""
        if not self.alive:
            raise Died(self.name)
