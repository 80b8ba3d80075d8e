"""Results that tasks have returned: a task may hand back the result of what it has sent, as that of ``chunks`` does.

In a job's life: its end, as a person sees it, who asks for values and not for ids. Only what a task has sent itself is followed:
any list of a stranger's may look like a stored result. Does not know: how long somebody waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from celeriac.app.group_result import GroupResult
from celeriac.app.numbered import Numbered
from celeriac.app.result import AsyncResult
from celeriac.app.result_set import ResultSet
from celeriac.app.results.result_states import ResultBase
from celeriac.cli.progress import tasks_of

Awaited = AsyncResult[Any] | ResultSet[Any]


def returned_by(result: Awaited) -> dict[str, Awaited]:
    """Return the results that tasks of ``result``, which has ended, have returned, by the ids of these tasks.

    Of a group that is known by its number alone none is held, and none of its members followed.
    """
    if isinstance(result, ResultSet) and isinstance(result.results, Numbered):
        return {}
    named = ((task.id, _returned(task)) for task in tasks_of(result))
    return {id: found for id, found in named if found is not None}


def _returned(task: AsyncResult[Any]) -> Awaited | None:
    value = task.get(propagate=False)
    if not task.successful() or not isinstance(value, list | tuple | ResultBase):  # eager tasks hand over the object
        return None
    sent = {child.id for child in task.children}
    try:
        found: Awaited | None = task.app.result_from_tuple(value) if sent else None
    except ValueError:
        return None
    return found if not sent.isdisjoint(_line(found)) else None


def _line(result: Any) -> Iterator[str]:
    """Yield the id of a result and of those before it: of a chain a task knows the first step as its child."""
    while result is not None:
        yield getattr(result, "id", None) or ""
        result = getattr(result, "parent", None)


def values_of(result: Awaited, returned: Mapping[str, Awaited]) -> Any:
    """Return the value of ``result``, with the values of results that were returned in their places."""
    if returned and isinstance(result, ResultSet):
        return [values_of(member, returned) for member in result]
    inner = returned.get(result.id) if isinstance(result, AsyncResult) else None
    return result.get(propagate=False) if inner is None else values_of(inner, returned)


def together(result: Awaited, returned: Mapping[str, Awaited]) -> Awaited:
    """Return ``result``, or one of all the tasks if there are others that were returned."""
    if not returned:
        return result
    tasks = {task.id: task for one in (result, *returned.values()) for task in tasks_of(one)}
    return GroupResult(getattr(result, "id", None), list(tasks.values()), app=result.app)
