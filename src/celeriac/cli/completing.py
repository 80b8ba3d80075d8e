"""Names that a shell offers: tasks and queues of the app of ``-A``, nodes that are alive.

In a program's life: while somebody types. What fails offers nothing: an app that cannot be imported is told when the command
runs. Does not know: shells.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Final

import click
from click.shell_completion import CompletionItem

from celeriac.app.app import Celery
from celeriac.app.builtin import is_builtin
from celeriac.cli.program import Program

VARIABLE: Final = "_CELERIAC_COMPLETE"
"""By which a shell says that it wants to know how a line may go on."""
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _tasks(app: Celery) -> Iterable[str]:
    app.import_tasks()
    return (name for name in app.tasks if not is_builtin(name))


def _queues(app: Celery) -> Iterable[str]:
    return app.routed_queues()


def _nodes(app: Celery) -> Iterable[str]:
    return (record.node for record in app.store.nodes())


def _completer(names_of: Callable[[Celery], Iterable[str]]) -> Completer:
    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        # Of a list with commas between names the last one is being typed.
        before, comma, last = incomplete.rpartition(",")
        with _silence():
            try:
                found = sorted(name for name in names_of(_program(ctx).reach()) if name.startswith(last))
            except (Exception, SystemExit):
                return []
        return [CompletionItem(f"{before}{comma}{name}") for name in found]

    return complete


complete_tasks: Final = _completer(_tasks)
complete_queues: Final = _completer(_queues)
complete_nodes: Final = _completer(_nodes)


def _program(ctx: click.Context) -> Program:
    """Return what stands before the command's name: no command has run to say it."""
    said = ctx.find_root().params
    return Program(said.get("app"), said.get("broker"), said.get("result_backend"), said.get("config"), loader=said.get("loader"))


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what an app prints while it is imported away from the shell that reads us."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        yield
