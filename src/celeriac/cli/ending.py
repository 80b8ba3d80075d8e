"""Wait for a task's end and print it: what ``call --wait`` and ``result`` share.

In a job's life: its end, as a person sees it. While it waits, a bar shows states ``PROGRESS`` with ``current`` and ``total``.
Does not know: how the task was sent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from celeriac.app.result import AsyncResult
from celeriac.cli.failures import FAILURE, OK
from celeriac.cli.output import print_json, printable

Listener = Callable[[Mapping[str, Any]], None]


def finish(
    result: AsyncResult[Any], *, timeout: float | None, json: bool, progress: bool = False, traceback: bool = False
) -> int:
    """Wait up to ``timeout`` seconds, print how the task ended, return the exit code: 0 if it succeeded."""
    try:
        if progress and sys.stderr.isatty():
            with progress_bar() as listener:
                value = result.get(timeout=timeout, propagate=False, on_message=listener)
        else:
            value = result.get(timeout=timeout, propagate=False)
    except TimeoutError:
        click.echo(f"celeriac: no result of {result.id} within {timeout:g} s; the task goes on", err=True)
        return FAILURE
    succeeded = result.successful()
    if json:
        print_json({"id": result.id, "state": result.state, "result": value, "traceback": result.traceback})
    elif traceback:
        click.echo(result.traceback or "")
    elif succeeded:
        click.echo(value)
    else:
        click.echo(f"celeriac: {result.id} ended as {result.state}: {printable(reason(value))}", err=True)
    return OK if succeeded else FAILURE


def reason(value: object) -> str:
    """Show the exception that a task ended with."""
    return f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else str(value)


@contextmanager
def progress_bar() -> Iterator[Listener]:
    """Show a bar on stderr as soon as the task reports progress."""
    # Late: rich takes longer to load than everything else that this command needs.
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("waiting", total=None)

        def listener(meta: Mapping[str, Any]) -> None:
            reported = meta.get("result")
            if meta.get("status") == "PROGRESS" and isinstance(reported, Mapping):
                bars.update(bar, description="PROGRESS", completed=reported.get("current"), total=reported.get("total"))

        yield listener
