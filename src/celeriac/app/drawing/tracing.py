"""Follow what a result set off: its tasks, those that they sent, and upwards what it came from.

In a job's life: after it, or while it runs. The store knows of each task that has ended its children and its parent; both are
followed, level by level, many ids in one question. Where nothing is stored, a branch ends. What a saved group, or a sender's
children, say of the shape of a workflow is more than parents can tell: the parent of a body, and of each step that never ran, is
whoever's end called or failed it. Does not know: stores; how metas are loaded is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from celeriac.app.flows.keeping import stood_for
from celeriac.app.flows.numbering import member_id, place_of
from celeriac.core.states import PENDING
from celeriac.core.taskmeta import TaskMeta

MOST: Final = 20_000
"""Tasks that are looked at."""
Load = Callable[[Sequence[str]], Sequence[TaskMeta]]
"""Returns what is stored about each id."""


class Trail:
    """What is known of a workflow: what is stored about each task, and who came from whom."""

    def __init__(self, asked: str) -> None:
        self.asked = asked
        """The id that somebody asked for."""
        self.metas: dict[str, TaskMeta] = {}
        self.members: dict[str, list[str]] = {}
        """Group -> its members, each by its end."""
        self.sizes: dict[str, int] = {}
        """Group -> how many members it has, if that is not told by ``members``."""
        self.cut = False
        """There were more than ``MOST``."""
        self.group_of: dict[str, str] = {}
        """Member -> its group."""
        self.before: dict[str, str] = {}
        """Who sent it, or what it had to wait for."""
        self._after: dict[str, dict[str, None]] = {}
        self._wanted: list[str] = []

    def after(self, id: str) -> list[str]:
        """Return what a task sent, or what was called with what a group's members returned."""
        return list(self._after.get(id, ()))

    def wanted(self) -> list[str]:
        """Return the ids that were met since this was last asked."""
        found = [id for id in dict.fromkeys(self._wanted) if id not in self.metas and id not in self.members]
        self._wanted = []
        return found

    def note(self, stored: Any) -> str:
        """Take in a result in its stored form, with its parents and members; return its id."""
        (id, parent), members = stored
        id = stood_for(id)
        if members is None:
            self._wanted.append(id)
        elif not (known := self.members.setdefault(id, [])):  # where it is a parent it is often told without its members
            for member in self._all(id, members):
                known.append(inner := self.note(member))
                self.group_of[inner] = id
        if parent:
            before = self.note(parent)
            self.before[id] = before
            self._after.setdefault(before, {})[id] = None
        return str(id)

    def _all(self, group: str, members: Sequence[Any]) -> Sequence[Any]:
        """Return all members of a group of which the first and the last stand for all; only so many as are looked at."""
        ends = [place_of(group, str(member[0][0])) for member in members] if len(members) == 2 else []
        if not ends or ends[0] != 0 or ends[1] is None or ends[1] < 2:
            return members
        self.sizes[group] = ends[1] + 1
        self.cut = self.cut or ends[1] >= MOST
        return [((member_id(group, place), None), None) for place in range(min(ends[1] + 1, MOST))]

    def learn(self, meta: TaskMeta) -> None:
        """Take in what is stored about a task."""
        self.metas[meta.task_id] = meta
        for child in filter(None, map(understood, meta.children)):
            self.note(child)
            (first, parent), _ = child
            while parent:  # the body of a chord is stored with its header, the end of a chain with its steps
                (first, parent), _ = parent
            first = stood_for(first)
            self._after.setdefault(meta.task_id, {})[first] = None
            self.before.setdefault(first, meta.task_id)
        if (above := self._parent_of(meta)) is not None and meta.task_id not in self.before:
            self.before[meta.task_id] = above
            self._wanted.append(above)

    def _parent_of(self, meta: TaskMeta) -> str | None:
        """Return the id of a task's parent, as far as it tells something."""
        if meta.parent_id is None:
            return None
        above, id = stood_for(meta.parent_id), meta.task_id
        # All that a call ends which only ends others has one parent: less than is known of what has a place in a group or a row.
        told = above == meta.parent_id or not (id in self.group_of or id in self._after)
        return above if told and above != id else None

    def complete(self) -> None:
        """Bring in what parents do not know of their children, since all has been asked for."""
        heads = self._heads()
        known = {id: above if id in heads else self._header(id, above) for id, above in self.before.items()}
        for id, above in known.items():
            self.before[id] = above
            if above not in self.metas and above not in self.members:
                del self.before[id]  # it was not asked for: there were too many
            elif self.metas.get(above) == TaskMeta(task_id=above) and id not in self._after.get(above, ()):
                del self.before[id]  # nothing is stored of it any more
            elif id not in heads:
                self._after.setdefault(above, {})[id] = None

    def _header(self, id: str, above: str) -> str:
        """Return the group whose body ``id`` is, if ``above`` belongs to the member that ended last; otherwise ``above``.

        Of what a member has sent itself it knows; the body of its chord was sent when its own end was stored.
        """
        if above not in self.metas or id in self._after.get(above, ()):
            return above
        member = self.member_of(above)
        group = None if member is None else self._joined(member)
        return above if group is None or self.group_of.get(id) == group else group

    def member_of(self, id: str) -> str | None:
        """Return the member of a group that ``id`` is, or a step of; ``None``: it belongs to no group that is known."""
        seen: set[str] = set()
        while id not in self.group_of:
            seen.add(id)
            following = next(iter(self._after.get(id, ())), None)
            if following is None or following in seen:
                return None
            id = following
        return id

    def _joined(self, member: str) -> str:
        """Return the group that a member has reported to: its own, or one around that if they are all members of one header."""
        groups = [self.group_of[member]]
        while (around := self.group_of.get(groups[-1])) is not None and around not in groups:
            groups.append(around)
        told = self.metas[member].group_id if member in self.metas else None
        return told if told in groups else groups[-1]

    def _heads(self) -> set[str]:
        """Return what each member of a group begins with: who sent the group has sent that as a part of it."""
        found: set[str] = set()
        owners = {group: self._owner(group) for group in self.members}
        for member, group in self.group_of.items():
            owner = owners[group]
            first = self.line(member, owner)[-1]
            if owner is not None and self.before.get(first) == owner:
                found.add(first)
        return found

    def _owner(self, group: str) -> str | None:
        """Return who sent a group, or the one around it; ``None``: nobody is known."""
        for _ in range(len(self.members)):
            if group in self.before or (member := self.member_of(group)) is None:
                break
            group = self.group_of[member]
        return self.before.get(group)

    def upward(self) -> list[str]:
        """Return what was asked for, what came before it, and the groups around that; what came first is the last."""
        found = dict.fromkeys(self.line(self.asked))
        while (member := self.member_of(next(reversed(found)))) is not None and (group := self.group_of[member]) not in found:
            found[member] = None
            found |= dict.fromkeys(one for one in self.line(group) if one not in found)
        return list(found)

    def line(self, id: str, until: str | None = None) -> list[str]:
        """Return ``id`` and what came before it, the nearest first, up to ``until``, which is left out."""
        found = {id: None}
        while (above := self.before.get(id)) is not None and above != until and above not in found:
            found[id := above] = None
        return list(found)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield what is known of each task and group, as plain data."""
        for id in dict.fromkeys([*self.members, *self.metas]):
            meta = self.metas.get(id)
            yield {
                "id": id,
                "kind": "task" if meta is not None else "group",
                "parent": self.before.get(id),
                "group": self.group_of.get(id),
                "name": meta and meta.name,
                "state": meta and meta.status,
                "date_done": meta and meta.date_done,
                "error": meta and error_of(meta),
            }


def trace(stored: Any, load: Load, *, saved: Sequence[Any] = (), most: int = MOST) -> Trail:
    """Return what is known of a result, of all that it set off, and of what it came from.

    Args:
        stored: The result in its stored form, ``((id, parent), members)``.
        load: Asks the store.
        saved: Groups around it that were found, in the same form.
        most: Look at so many tasks.
    """
    trail = Trail(stored[0][0])
    for one in filter(None, map(understood, (stored, *saved))):
        trail.note(one)
    while wanted := trail.wanted():
        room = most - len(trail.metas)
        trail.cut = trail.cut or len(wanted) > room
        if room <= 0:
            break
        for id, meta in zip(wanted, load(wanted[:room]), strict=False):
            # What somebody else stored may bear another id.
            trail.learn(meta if meta.task_id == id else TaskMeta(task_id=id, status=meta.status, result=meta.result))
    trail.complete()
    return trail


def understood(stored: Any) -> Any:
    """Return the stored form of a result with all its parts; ``None``: it is none. Whoever wrote it may be anybody."""
    if not isinstance(stored, list | tuple) or len(stored) != 2:
        return None
    head, members = stored
    id, parent = head if isinstance(head, list | tuple) and len(head) == 2 else (head, None)
    if not isinstance(id, str) or not isinstance(members, list | tuple | None):
        return None
    inner = None if members is None else [each for each in map(understood, members) if each is not None]
    return (id, understood(parent)), inner


def error_of(meta: TaskMeta) -> str | None:
    """Return what a task failed with, as text; ``None``: it has not failed."""
    error = meta.result
    if not isinstance(error, BaseException) or meta.status == PENDING:
        return None
    return f"{type(error).__name__}: {error}"
