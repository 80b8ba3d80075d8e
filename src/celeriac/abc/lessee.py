"""Who holds deliveries.

In a job's life: from fetch to settle. Does not know: what is held.
"""

from __future__ import annotations

from msgspec import Struct


class Lessee(Struct, frozen=True):
    """Who holds deliveries: one child of one node, at one time."""

    node: str
    """Unique to one start of one ``worker`` command: host name, pid and chance."""
    child: str
    """Unique within the node for its whole life: a replaced child has another."""


HANDS = "hands"
"""The child's name of a lessee who carries messages and runs none begins so: what he held when he died has not started."""
