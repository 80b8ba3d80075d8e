"""Decide how many deliveries a child takes now: a few milliseconds of work, never a backlog.

In a job's life: asked before each fetch. Pure: run times come in, a number comes out.

A child that takes one message at a time spends its life in round trips; one that takes many sits on work that others could
do. So it takes as many as it will have done in ``BATCH_S``, by the run times it has seen; before it has seen any, one.
What it guessed wrong it gives back (``tender``).
"""

from __future__ import annotations

BATCH_S = 0.005
"""Known-short work taken, and results held back, at once: what others wait for, and what a crash repeats, at most."""
BATCH_LIMIT = 500
_WEIGHT = 0.2
"""Of the newest run in the running mean: a few runs decide, one does not."""


class Appetite:
    """How many deliveries to take: for each free slot, what fits in ``BATCH_S``."""

    __slots__ = ("_cap", "_mean_s")

    def __init__(self, *, cap: int | None = None) -> None:
        """Take at most ``cap`` messages for each slot; ``None``: no bound but time."""
        self._cap = BATCH_LIMIT if cap is None else max(1, cap)
        self._mean_s: float | None = None

    def saw(self, runtime_s: float, runs: int = 1) -> None:
        """Learn from ``runs`` runs that took ``runtime_s`` seconds together.

        A run that took longer than a whole batch counts in full at once: what is long travels alone.
        """
        each = runtime_s / runs
        if self._mean_s is None or each >= BATCH_S:
            self._mean_s = each
        else:
            self._mean_s += (each - self._mean_s) * _WEIGHT

    def now(self, free_slots: int = 1) -> int:
        """Return how many deliveries to fetch; 0 when no slot is free."""
        if free_slots <= 0:
            return 0
        if self._mean_s is None:
            return free_slots
        each = min(self._cap, max(1, int(BATCH_S / max(self._mean_s, 1e-6))))
        return min(BATCH_LIMIT, free_slots * each)
