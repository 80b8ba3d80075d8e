"""How results look in a notebook: a bar, the states, the first tasks.

In a job's life: whenever a cell shows a result. The store is asked, but a cell must not hang: whoever does not answer within a
second is left alone, and the notebook shows the plain ``repr``. Does not know: stores, notebooks beyond ``_repr_html_``, which
IPython's guide to rich display describes.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from celeriac.app.results.set_states import by_place, unfinished
from celeriac.core.representation import safe_repr
from celeriac.core.states import READY_STATES
from celeriac.core.taskmeta import TaskMeta

T = TypeVar("T")
PATIENCE_S: Final = 1.0
"""How long a cell waits for the store."""
SHOWN: Final = 10
"""Tasks in a table."""
ASKED: Final = 10_000
"""Members that are asked for. Of a larger group only the first are."""
_LONGEST: Final = 200
"""Characters of a value."""
_CELL: Final = ' style="text-align:left"'


class TaskShown:
    """The part of a single result that notebooks show."""

    def meta(self) -> TaskMeta:
        """Return what is stored about the task."""
        raise NotImplementedError

    def _repr_html_(self) -> str | None:
        """Return a table of one task; ``None``: the store does not answer, so show the ``repr``."""
        meta = within(PATIENCE_S, self.meta)
        return None if meta is None else table([named(self, meta)])


class SetShown:
    """The part of several results that notebooks show."""

    results: Any

    def _leaves(self) -> Iterable[Any]:
        raise NotImplementedError

    def _repr_html_(self) -> str | None:
        """Return a bar, the states and the first tasks; ``None``: the store does not answer, so show the ``repr``."""
        found = within(PATIENCE_S, self._shown_metas)
        if found is None:
            return None
        total, metas = found
        states = Counter(meta.status for meta in metas)
        succeeded = states.get("SUCCESS", 0)
        ended = sum(count for state, count in states.items() if state in READY_STATES)
        told = ", ".join(f"{count:,} {escape(state)}" for state, count in states.most_common())
        asked = "" if len(metas) == total else f" (of the first {len(metas):,})"
        more = f"<div>... {total - SHOWN:,} more</div>" if total > SHOWN else ""
        bar = f'<progress value="{ended}" max="{max(len(metas), 1)}"></progress>'
        return f"<div>{bar} {succeeded:,} of {total:,} completed: {told or 'no tasks'}{asked}</div>{table(metas[:SHOWN])}{more}"

    def _shown_metas(self) -> tuple[int, list[TaskMeta]]:
        leaves = list(islice(self._leaves(), ASKED))
        total = len(self.results) if len(leaves) == ASKED else len(leaves)
        return total, metas_of(leaves)


def metas_of(leaves: Sequence[Any]) -> list[TaskMeta]:
    """Return what is stored about these tasks, asked for together."""
    seen: dict[str, TaskMeta] = {}
    for place, ids in by_place(unfinished(leaves)):
        seen |= dict(zip(ids, place.metas(ids), strict=True))
    return [named(leaf, seen[leaf.id] if leaf.id in seen else leaf.meta()) for leaf in leaves]


def named(result: Any, meta: TaskMeta) -> TaskMeta:
    """Return ``meta`` with the name of the task, where the one who sent it knows it."""
    return meta if meta.name is not None or result.known_name is None else replace(meta, name=result.known_name)


def table(metas: Sequence[TaskMeta]) -> str:
    """Return tasks as rows. Whatever comes from the store is text, and no markup."""
    heading = "".join(f"<th{_CELL}>{name}</th>" for name in ("id", "name", "state", "ended", "result"))
    rows = "".join(f"<tr>{''.join(f'<td{_CELL}>{escape(cell)}</td>' for cell in cells(meta))}</tr>" for meta in metas)
    return f"<table><tr>{heading}</tr>{rows}</table>" if metas else ""


def escape(text: str) -> str:
    """Return the text as HTML shows it."""
    from html import escape  # late: its table of a thousand names is for notebooks alone

    return escape(text)


def cells(meta: TaskMeta) -> tuple[str, ...]:
    """Return what is known of a task, as texts."""
    ended = meta.date_done.isoformat(sep=" ", timespec="seconds") if meta.date_done is not None else ""
    value = "" if meta.result is None else safe_repr(meta.result, _LONGEST)
    return meta.task_id, meta.name or "", meta.status, ended, value


def within(seconds: float, ask: Callable[[], T]) -> T | None:
    """Return what ``ask`` returns; ``None`` if it raises, or has not returned within so many seconds: it is left alone then."""
    answer: list[T] = []

    def run() -> None:
        # A picture is no place for an error: the same question asked in words raises it.
        with suppress(Exception):
            answer.append(ask())

    asker = threading.Thread(target=run, name="celeriac-notebook", daemon=True)
    asker.start()
    asker.join(seconds)
    return answer[0] if answer else None
