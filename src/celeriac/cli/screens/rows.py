"""What stands in the rows of a screen, as text that commands no terminal: pure.

In a screen's life: between what is known and what is drawn. Does not know: how anything is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from celeriac.cli.output import printable
from celeriac.events.tasks import Task


class Row(NamedTuple):
    """One row of a table."""

    key: str
    """Names it from one look to the next."""
    cells: tuple[str, ...]
    order: tuple[Any, ...]
    """By what each column is sorted: numbers are no texts."""


def row(key: str, *values: Any, order: Sequence[Any] | None = None) -> Row:
    """Return a row of these values; ``order``: what to sort by instead of their texts."""
    cells = tuple("" if value is None else printable(str(value)) for value in values)
    return Row(key, cells, cells if order is None else tuple(order))


def arranged(rows: Iterable[Row], *, column: int, descending: bool, containing: str = "") -> list[Row]:
    """Return those rows that contain a text, in whatever case, sorted by a column."""
    wanted = containing.casefold()
    found = [each for each in rows if not wanted or any(wanted in cell.casefold() for cell in each.cells)]
    by: Callable[[Row], Any] = lambda each: (each.order[column] is None, each.order[column])  # noqa: E731 - a key
    return sorted(found, key=by, reverse=descending)


def task_row(id: str, task: Task) -> Row:
    """Return the row of a task that events told of."""
    host = task.worker.hostname if task.worker is not None else task.client
    return row(id, id, task.name, host, clock_time(task.timestamp), task.state)


def clock_time(seconds: float | None) -> str:
    """Show a moment as the time of day here."""
    return "" if not seconds else datetime.fromtimestamp(seconds).strftime("%H:%M:%S")


def lasting(seconds: float | None) -> str:
    """Show how long something takes.

    >>> lasting(0.0123), lasting(75), lasting(7300), lasting(None)
    ('12 ms', '1:15 min', '2:01 h', '')
    """
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f}:{seconds % 60:02.0f} min"
    return f"{seconds // 3600:.0f}:{seconds % 3600 // 60:02.0f} h"


def details(task: Task) -> list[tuple[str, str]]:
    """Return what is known of a task, name by name."""
    shown = {"args": task.args, "kwargs": task.kwargs, **task.info(extra=["state", "name", "client"])}
    return [(name, str(value)) for name, value in shown.items() if value is not None]
