"""Which task a result is of: its id and its name, the id as what it is stored and compared.

In a job's life: wherever a result is kept, printed or looked up; two results of one task are the same. Does not know: what is
known about the task.
"""

from __future__ import annotations

from typing import Any


class Identity:
    """One task, by its id, and what went before it in its chain."""

    id: str
    parent: Any
    _name: str | None

    @property
    def known_name(self) -> str | None:
        """Name of the task, if it is known without asking the store."""
        return self._name

    def as_tuple(self) -> tuple[Any, None]:
        """Return the stored form: ``((id, parent), None)``."""
        ids, node = [], self
        while isinstance(node, Identity):  # a chain may have more steps than Python has levels
            ids.append(node.id)
            node = node.parent
        before = node.as_tuple() if node else None
        for id in reversed(ids[1:]):
            before = (id, before), None
        return (ids[0], before), None

    def as_list(self) -> list[str]:
        """Return the ids of this task and of those before it in its chain."""
        ids, node = [], self
        while isinstance(node, Identity):  # a chain may have more steps than Python has levels
            ids.append(node.id)
            node = node.parent
        return ids if node is None else [*ids, *node.as_list()]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Identity):
            return self.id == other.id
        return self.id == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return str(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.id}>"
