"""A bar on stderr while somebody waits: how many tasks of a workflow have ended, or what one task says of itself.

In a job's life: between its beginning and its end, as a person sees it. A single task shows states ``PROGRESS`` with ``current``
and ``total``; several are counted as they end. Does not know: what is done with the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from celeriac.app.numbered import Numbered
from celeriac.app.result import AsyncResult
from celeriac.app.result_set import ResultSet

_LOOK_S: Final = 0.25
"""Seconds between two counts."""


def tasks_of(result: Any) -> Iterator[AsyncResult[Any]]:
    """Yield the tasks of a result: itself, or the members of groups."""
    if isinstance(result, ResultSet):
        for member in result:
            yield from tasks_of(member)
    else:
        yield result


def workflow_of(result: Any) -> dict[str, AsyncResult[Any]]:
    """Return the tasks of a result and those before it, by their ids."""
    found: dict[str, AsyncResult[Any]] = {}
    while result is not None:
        found |= {task.id: task for one in tasks_of(result) for task in before(one)}
        result = result.parent
    return found


def before(task: AsyncResult[Any]) -> Iterator[AsyncResult[Any]]:
    """Yield a task, and the steps of a chain before it."""
    node: Any = task
    while node is not None:
        yield from tasks_of(node)
        node = node.parent


@contextmanager
def shown_while(result: Any) -> Iterator[dict[str, Any]]:
    """Show a bar; yield what ``get`` is to be handed."""
    # Late: rich takes longer to load than everything else that this command needs.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    count, total = counted(result)
    columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()]
    if total > 1:
        columns.insert(2, MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("waiting", total=total if total > 1 else None)

        def show(**seen: Any) -> None:
            bars.update(bar, **seen)

        def look() -> None:
            ended, failed = count()
            show(description=f"{total:,} tasks" + (f", {failed:,} failed" if failed else ""), completed=ended)

        if total > 1:
            look()
            yield {"on_interval": look, "interval": _LOOK_S}
        else:
            yield {"on_message": reporting(show)}


def counted(result: Any) -> tuple[Callable[[], tuple[int, int]], int]:
    """Return what says how many tasks have ended, and how many of them not well; and how many there are."""
    if isinstance(result, ResultSet) and isinstance(result.results, Numbered) and result.parent is None:
        # Too many to be held: one that has not succeeded is seen at the end.
        return lambda: (result.completed_count(), 0), len(result)
    tasks = list(workflow_of(result).values())
    together: ResultSet[Any] = ResultSet(tasks)

    def count() -> tuple[int, int]:
        succeeded = together.completed_count()
        ended = sum(task.finished for task in tasks)
        return ended, ended - succeeded

    return count, len(tasks)


def reporting(show: Callable[..., None]) -> Callable[[Mapping[str, Any]], None]:
    """Return a listener that shows what a task reports."""

    def listener(meta: Mapping[str, Any]) -> None:
        reported = meta.get("result")
        if meta.get("status") == "PROGRESS" and isinstance(reported, Mapping):
            show(description="PROGRESS", completed=reported.get("current"), total=reported.get("total"))

    return listener
