"""Errors of groups that are sent while they are generated. Their places are drawn in the tree of ``errors.py``.

In a job's life: raised while its message is sent, or before. Does not know: groups, generators.
"""

from __future__ import annotations

from typing import Any

from celeriac.core.errors import CeleriacError, OperationalError


class StreamBroken(OperationalError):
    """A group, or the header of a chord, broke off while it was sent: its generator raised, or the broker did not answer.

    What was sent before stays sent, and runs. The body of the chord never will: the chord was not opened, and what its members
    bring is dropped after ``result_chord_expires``. What happened is the ``__cause__``.
    """

    result: Any = None
    """GroupResult of the members that are known to be in, to wait for them or to revoke them. ``None``: none is."""

    def __init__(self, group_id: str, accepted: int = 0, reason: str = "") -> None:
        super().__init__(group_id, accepted, reason)
        self.group_id, self.accepted, self.reason = group_id, accepted, reason

    def __str__(self) -> str:
        return f"group {self.group_id} broke off after {self.accepted} members, which stay sent: {self.reason}"


class StreamUsed(CeleriacError, RuntimeError):
    """A group over a generator was sent while that made its members, which are gone: make it of a list to use it twice."""
