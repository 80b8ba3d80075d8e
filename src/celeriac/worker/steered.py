"""What remote control may ask of a node's processes.

In a node's life: ``Node`` fulfils it, and a node of one process (``-P solo``) in its own way. Every call may come from any
thread. Does not know: commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from celeriac.abc import Lessee
from celeriac.worker.stopping import Ask


class Run(Protocol):
    """One run in one of the children."""

    @property
    def child(self) -> str:
        """Name of the child."""

    @property
    def pid(self) -> int:
        """Its process."""

    @property
    def tag(self) -> int:
        """Of the delivery."""

    @property
    def id(self) -> str:
        """Of the task; of one that is longer than 64 bytes, ``slots.mark_of`` it."""

    @property
    def since(self) -> float:
        """When it began: seconds of the monotonic clock."""


class Autoscaling(Protocol):
    """Who chooses the number of processes by load."""

    @property
    def max_concurrency(self) -> int:
        """So many at most."""

    @property
    def min_concurrency(self) -> int:
        """So many at least."""

    def update(self, max: int | None = None, min: int | None = None) -> tuple[int, int]:
        """Change the bounds; return them."""


class Steered(Protocol):
    """The processes of a node."""

    @property
    def id(self) -> str:
        """By which the store knows the node."""

    @property
    def count(self) -> int:
        """How many children there are to be."""

    def lessees(self) -> Sequence[Lessee]:
        """Return in whose names deliveries are held here."""

    def processes(self) -> Sequence[tuple[str, int]]:
        """Return the names and pids of the children that live."""

    def running(self) -> Sequence[Run]:
        """Return what they run."""

    @property
    def most(self) -> int:
        """How many there can be."""

    def resize(self, count: int) -> None:
        """Have so many children. One too many ends when what it runs has ended.

        Raises:
            ValueError: that cannot be.
        """

    def restart_children(self, modules: Sequence[str] = (), *, reload: bool = False) -> None:
        """Replace all children, each when what it runs has ended; the new ones import these modules first.

        Raises:
            ValueError: that cannot be.
        """

    def terminate(self, id: str, signum: int) -> bool:
        """End the run of this task, and no other. ``False``: none of the children runs it."""

    def stop(self, what: Ask, why: str) -> None:
        """Ask for a stop."""
