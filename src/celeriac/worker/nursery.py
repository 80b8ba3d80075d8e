"""Where the children of a node are born: what a supervisor asks of it, and what it hears back.

In a node's life: it orders, and reports follow. ``template`` forks children, ``spawning`` starts fresh interpreters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

from msgspec import Struct


class Order(Struct, frozen=True, array_like=True):
    """A child that is to be born."""

    room: int
    """Its slot."""
    number: int
    """Its own among those that count: 0, 1, …"""
    name: str
    """Unique in the node's life."""
    imports: Sequence[str] = ()
    """Modules that it imports first, because an operator has said so."""
    reload: bool = False
    """It imports them anew, if it has them."""


class Report(Struct, frozen=True, array_like=True):
    """A child has started (``status`` is ``None``) or ended (``status`` as ``os.waitpid`` gives it)."""

    name: str
    pid: int
    """0: it never had a process."""
    status: int | None = None

    @classmethod
    def stillborn(cls, name: str) -> Self:
        """Say that the system would give this child no process."""
        return cls(name, 0, 1 << 8)


class Nursery(Protocol):
    """Bears children."""

    slow: bool
    """A child takes longer to be born than a slot may be missing."""

    def prepare(self) -> None:
        """Where it is slow: have a child ready to be born, if there is none yet. Called now and then."""

    def renew(self) -> None:
        """Where children import the app themselves: those born from now on do so anew."""

    def fileno(self) -> int:
        """Readable when there are reports."""

    def order(self, order: Order) -> None:
        """Have a child born; its Report follows."""

    def reports(self) -> list[Report]:
        """Return what happened since the last call.

        Raises:
            EOFError: no child will be born any more.
        """

    def close(self) -> None:
        """Let it end, and wait for that."""
