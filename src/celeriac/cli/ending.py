"""Wait for the end of a task, a group or a workflow, and print it: what ``call --wait`` and ``result`` share.

In a job's life: its end, as a person sees it. While it waits, a terminal shows a bar (``progress.py``). Does not know: how the
task was sent.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from celeriac.app.group_result import GroupResult
from celeriac.app.result import AsyncResult
from celeriac.app.result_set import ResultSet
from celeriac.cli.failures import FAILURE, OK
from celeriac.cli.output import print_json, printable
from celeriac.cli.progress import shown_while, tasks_of
from celeriac.cli.returned import Awaited, returned_by, together, values_of


def finish(
    result: Awaited,
    *,
    timeout: float | None,
    json: bool,
    progress: bool = False,
    traceback: bool = False,
    follow: bool = False,
) -> int:
    """Wait up to ``timeout`` seconds, print how it ended, return the exit code: 0 if it succeeded.

    A group has succeeded when all of its tasks have. ``follow``: what a task has sent and returned the result of is waited for,
    too; its values are printed, and it must have succeeded as well.
    """
    returned = await_end(result, timeout, progress=progress, follow=follow)
    if returned is None:
        return FAILURE
    tasks = together(result, returned)
    succeeded = tasks.successful()
    value = values_of(result, returned)
    if json:
        print_json(told(result, value) | (counts(tasks) if returned else {}))
    elif traceback:
        click.echo("\n".join(filter(None, (one.traceback for one in tasks_of(result)))))
    elif succeeded:
        click.echo(value)
    else:
        click.echo(f"celeriac: {failure_of(tasks)}", err=True)
    return OK if succeeded else FAILURE


def await_end(result: Awaited, timeout: float | None, *, progress: bool, follow: bool = False) -> dict[str, Awaited] | None:
    """Wait for the end. Return the results that tasks have returned, if they are to be followed, by the ids of these tasks.

    Say so, and return ``None``, if the end does not come in time.
    """
    clock = result.app.runtime
    until = None if timeout is None else clock.monotonic() + timeout
    returned: dict[str, Awaited] = {}
    latest = result
    while _ends(latest, None if until is None else max(0.0, until - clock.monotonic()), progress=progress):
        found = {id: one for id, one in returned_by(latest).items() if id not in returned} if follow else {}
        if not found:
            return returned
        returned |= found
        latest = GroupResult(None, list(found.values()), app=result.app)
    click.echo(f"celeriac: no result of {name_of(result)} within {timeout:g} s; the task goes on", err=True)
    return None


def _ends(result: Awaited, timeout: float | None, *, progress: bool) -> bool:
    try:
        if progress and sys.stderr.isatty():
            with shown_while(result) as listeners:
                result.get(timeout=timeout, propagate=False, **listeners)
        else:
            result.get(timeout=timeout, propagate=False)
    except TimeoutError:
        return False
    return True


def told(result: Awaited, value: Any) -> dict[str, Any]:
    """Return a result that has ended, for programs."""
    if isinstance(result, AsyncResult):
        return {"id": result.id, "state": result.state, "result": value, "traceback": result.traceback}
    return {"id": name_of(result), **counts(result), "result": value}


def counts(result: Awaited) -> dict[str, int]:
    """Return how many tasks have succeeded, and of how many."""
    done = result.completed_count() if isinstance(result, ResultSet) else int(result.successful())
    return {"completed": done, "total": sum(1 for _ in tasks_of(result))}


def failure_of(result: Awaited) -> str:
    """Say what has not succeeded, and why."""
    if isinstance(result, AsyncResult):
        return f"{result.id} ended as {result.state}: {printable(reason(result.result))}"
    total = sum(1 for _ in tasks_of(result))
    first = printable(reason(result.failure()))
    return f"{total - result.completed_count()} of {total} tasks of {name_of(result)} have not succeeded; the first: {first}"


def name_of(result: Awaited) -> str:
    """Return the id of a task or a group."""
    return str(getattr(result, "id", None) or "the group")


def reason(value: object) -> str:
    """Show the exception that a task ended with."""
    return f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else str(value)
