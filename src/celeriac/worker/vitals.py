"""Judge whether a node is live, ready, progressing: three questions, because they have three different remedies.

In a node's life: asked through its health endpoint. *Live*: it would help nobody to restart it. *Ready*: it takes work.
*Progressing*: work that waits is being done. A store that is away makes a node not ready, never dead: a restart does not bring
it back. Pure. Does not know: who asks.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

LIVE_S: Final = 15.0
"""The loop of a supervisor comes round twice a second; one that did not for so long is stuck."""


class Signs(Struct, frozen=True, kw_only=True):
    """What is known of a node at one moment."""

    turned_s: float
    """Since its loop last came round, seconds."""
    announced: bool
    """It has been ready once: registered, and every child fetched."""
    children: int
    """How many processes live that run tasks."""
    store_answers: bool
    """Whether the store answered when it was last asked."""
    stopping: str
    """The stage of its stop: ``warm``, ``soft``, ``cold``; empty: it works."""
    waiting: int | None
    """Messages in its queues. ``None``: nobody knows."""
    still_s: float
    """Since a task last ended, seconds."""


class Finding(Struct, frozen=True):
    """The answer to one of the questions."""

    ok: bool
    why: str


def live(signs: Signs) -> Finding:
    """Say whether its supervisor still does its rounds."""
    if signs.turned_s < LIVE_S:
        return Finding(True, "its supervisor does its rounds")
    return Finding(False, f"its supervisor has been stuck for {signs.turned_s:.0f} s")


def ready(signs: Signs) -> Finding:
    """Say whether it takes work."""
    if signs.stopping:
        return Finding(False, f"it stops ({signs.stopping})")
    if not signs.announced:
        return Finding(False, "it starts")
    if not signs.store_answers:
        return Finding(False, "its store does not answer")
    if signs.children == 0:
        return Finding(False, "none of its children is alive")
    return Finding(True, "it takes work")


def progressing(signs: Signs, *, window_s: float) -> Finding:
    """Say whether something ends where something waits.

    Args:
        signs: Of the node.
        window_s: For how long nothing need happen: longer than the longest task.
    """
    if signs.still_s < window_s:
        return Finding(True, f"a task ended, or the node began, {signs.still_s:.0f} s ago")
    if signs.waiting is None:
        return Finding(False, "its store does not answer, and nothing happens")
    if signs.waiting == 0:
        return Finding(True, "nothing waits in its queues")
    if signs.stopping:
        return Finding(True, f"it stops ({signs.stopping}) and leaves the queues to others")
    return Finding(False, f"{signs.waiting} messages wait, and no task has ended for {signs.still_s:.0f} s")
