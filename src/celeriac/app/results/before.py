"""What comes before a task in its chain: the first of it that fails keeps the task from running, and is what ``get()`` raises.

In a job's life: while somebody waits for the end of a workflow. The tasks are asked for from the beginning on, so that the same
is raised whether one waits from the start or comes when all is over. Does not know: how one waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from celeriac.app.results.results import Results
from celeriac.core.states import READY_STATES
from celeriac.core.taskmeta import TaskMeta

_FOLLOWED: Final = 1000
"""Members of a header at most whose failures are heard of before the body's."""


class Before:
    """The tasks before one whose end is not known yet."""

    def __init__(self, parent: Any) -> None:
        """Look through the parents; ``None``: there are none, or nobody asks.

        Raises:
            Exception: what one of them has failed with, as is known here.
        """
        self._nearest_first: dict[str, Any] = {}
        while parent is not None:
            for each in _members(parent):
                each.raise_known_failure()
                if not each.ignored and not each.finished:
                    self._nearest_first[each.id] = each
            parent = parent.parent

    @property
    def ids(self) -> list[str]:
        """Their ids, from the beginning on."""
        return list(reversed(self._nearest_first))

    @property
    def all_known(self) -> bool:
        """Whether each of them is known to have ended by now."""
        return all(each.finished for each in self._nearest_first.values())

    def saw(self, id: str, meta: TaskMeta) -> None:
        """Take note of a state of one of them, and raise what it has failed with."""
        if meta.status in READY_STATES:
            self._nearest_first[id].accept(meta)
            self._nearest_first[id].raise_known_failure()

    def look_back(self, place: Results) -> None:
        """Raise what the first has failed with of whom nothing was heard: it ended before anybody listened, and what it left was
        still being read when the end of the whole was heard."""
        late = [id for id in self.ids if not self._nearest_first[id].finished]
        for id, meta in zip(late, place.metas(late), strict=True):
            self.saw(id, meta)


def _members(node: Any) -> Iterator[Any]:
    """Yield the result itself, or the members of a group.

    Those of a large one are not followed: it comes before a task as the header of a chord, whose failure the body tells, and to
    hear of each member of 10,000 costs more than to send them.
    """
    if not hasattr(node, "results"):
        yield node
    elif len(node.results) <= _FOLLOWED:
        for each in node.results:
            yield from _members(each)
