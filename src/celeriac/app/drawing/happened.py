"""Draw what became of a workflow: the tasks that a trail knows, with their states.

In a job's life: after it, or while it runs. What follows one thing alone stands after it, in a row, as the steps of a chain do
and the body of a chord after its header. Of a group those that failed come first; of a large one a few members are drawn.
Pure. Does not know: stores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from celeriac.app.drawing.figure import Figure
from celeriac.app.drawing.planned import DEPTH, MEMBERS, MOST
from celeriac.app.drawing.tracing import Trail, error_of
from celeriac.core.states import FAILURE, PENDING, PROPAGATE_STATES, REVOKED, SUCCESS
from celeriac.core.taskmeta import TaskMeta

_MANY: Final = 4
"""For each member that is drawn of a group, so many tasks that one task has sent."""
_RANKS: Final = {FAILURE: 0, REVOKED: 0, PENDING: 2, SUCCESS: 3}
"""State -> how soon it is to be seen. All others: 1."""


def happened(trail: Trail, *, members: int = MEMBERS, depth: int = DEPTH) -> Figure:
    """Return the figure of a trail, from what came first on.

    Args:
        trail: Complete.
        members: Draw so many members of each group.
        depth: Draw so many levels.
    """
    pencil = _Pencil(trail, members, depth)
    found = pencil.row(trail.upward()[-1], 0)
    return Figure("chain", "cut short", inner=(found, Figure("more", "... and more"))) if trail.cut else found


class _Pencil:
    def __init__(self, trail: Trail, members: int, depth: int) -> None:
        self._trail, self._members, self._depth = trail, members, depth
        self._path = frozenset(trail.upward())
        self._drawn: set[str] = set()
        self._left = MOST

    def row(self, id: str, level: int) -> Figure:
        """Draw ``id`` and what comes after it."""
        steps: list[Figure] = []
        rest = [id]
        while len(rest) == 1:
            [id] = rest
            self._drawn.add(id)
            rest = [one for one in self._trail.after(id) if one not in self._drawn]
            if level > self._depth or self._left <= 0:
                steps.append(Figure("more", "... and more"))
                break
            if id in self._trail.members:
                steps.append(self._group(id, level))
                rest = [one for one in rest if one not in self._drawn]
                if len(rest) > 1:  # a body and what follows it, if none of them ran: nothing is stored of their order
                    steps.append(self._several(rest, level))
            else:
                steps.append(self._task(id, rest if len(rest) > 1 else (), level))
        return steps[0] if len(steps) == 1 else Figure("chain", f"{len(steps)} in a row", inner=tuple(steps))

    def _several(self, ids: Sequence[str], level: int) -> Figure:
        chosen = self._chosen(ids, self._members)
        inner = [self.row(one, level + 1) for one in chosen if one not in self._drawn]
        if len(chosen) < len(ids):
            inner.append(Figure("more", f"... {len(ids) - len(chosen):,} more"))
        return Figure("group", f"{len(ids):,} after that", inner=tuple(inner))

    def _task(self, id: str, sent: Sequence[str], level: int) -> Figure:
        self._left -= 1
        meta = self._trail.metas.get(id) or TaskMeta(task_id=id)
        ended = meta.date_done.isoformat(sep=" ", timespec="seconds") if meta.date_done is not None else None
        notes = tuple(note for note in (ended, error_of(meta)) if note)
        chosen = self._chosen(sent, self._members * _MANY)
        below = [self.row(one, level + 1) for one in chosen if one not in self._drawn]
        if len(chosen) < len(sent):
            below.append(Figure("more", f"... {len(sent) - len(chosen):,} more"))
        marked = id == self._trail.asked
        return Figure("task", meta.name or "", id, meta.status, notes, marked, linked=tuple(("sent", one) for one in below))

    def _group(self, id: str, level: int) -> Figure:
        members = self._trail.members[id]
        states = {member: self._state(member) for member in members}
        told = ", ".join(f"{count:,} {state}" for state, count in Counter(states.values()).most_common())
        chosen = sorted(self._chosen(members, self._members), key=lambda member: states[member] not in PROPAGATE_STATES)
        inner = [self.row(self._head(one, id), level + 1) for one in chosen if one not in self._drawn]
        size = self._trail.sizes.get(id, len(members))
        if len(chosen) < size:
            inner.append(Figure("more", f"... {size - len(chosen):,} more"))
        marked = id == self._trail.asked
        return Figure("group", f"group of {size:,}", id, notes=(told,) if told else (), marked=marked, inner=tuple(inner))

    def _head(self, member: str, group: str) -> str:
        """Return what a member begins with: the first step of its chain."""
        line = self._trail.line(member, self._trail.before.get(group))
        return next((one for one in reversed(line) if one not in self._drawn), member)

    def _chosen(self, ids: Sequence[str], most: int) -> Sequence[str]:
        """Return those that are drawn: what leads to the one that was asked for, then what has not succeeded."""
        if len(ids) <= most + 1:
            return ids
        ranked = sorted(ids, key=self._rank)[:most]
        kept = frozenset(ranked)
        return [id for id in ids if id in kept]

    def _rank(self, id: str) -> int:
        return 0 if id in self._path else _RANKS.get(self._state(id), 1)

    def _state(self, id: str) -> str:
        """Return the state of a task; of a group the one that most needs to be seen of its members'."""
        metas, groups = self._trail.metas, self._trail.members
        found, left, seen = [], [id], {id}
        while left:
            one = left.pop()
            inner = [each for each in groups.get(one, ()) if each not in seen]
            seen.update(inner)
            left += inner
            if one not in groups:
                found.append(metas[one].status if one in metas else PENDING)
        return min(found, key=lambda state: _RANKS.get(state, 1), default=SUCCESS)
