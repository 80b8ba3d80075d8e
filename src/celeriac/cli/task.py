"""``celeriac task``: pause and resume task types for all nodes, and see what is put aside. Does not know: queues."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

import click

from celeriac.app.app import Celery
from celeriac.cli.completing import complete_tasks
from celeriac.cli.option_types import not_empty
from celeriac.cli.output import as_json, print_columns, print_json
from celeriac.cli.program import Program, pass_program
from celeriac.cli.queue import say
from celeriac.cli.user_options import OpenGroup

log = logging.getLogger("celeriac.cli")

names = partial(click.argument, "names", nargs=-1, required=True, metavar="TASK...", shell_complete=complete_tasks)
"""Resuming takes any name: what a program has paused must be resumed."""


@click.group("task", cls=OpenGroup)
def command() -> None:
    """Pause and resume task types, for all nodes and through every restart; list what is put aside."""


@command.command("pause")
@names(type=not_empty)
@as_json
@pass_program
def pause(program: Program, names: tuple[str, ...], as_json: bool) -> None:
    """Have no node begin tasks of these types, until they are resumed. Their messages are put aside, others go on."""
    app = program.reach()
    warn_of_unknown(app, names)
    app.pause(tasks=names)
    say("tasks", names, "paused", as_json)


@command.command("resume")
@names()
@as_json
@pass_program
def resume(program: Program, names: tuple[str, ...], as_json: bool) -> None:
    """Have tasks of these types run again. What was put aside is first in its queue, in its old order."""
    program.reach().resume(tasks=names)
    say("tasks", names, "resumed", as_json)


@command.command("list")
@as_json
@pass_program
def show_list(program: Program, as_json: bool) -> None:
    """List the task types that are paused, or of which messages are put aside by their rate limit."""
    app = program.reach()
    paused, parked = app.rules.paused_tasks, app.store.parked()
    rows = [
        {"task": name, "put_aside": parked.get(name, 0), "state": "paused" if name in paused else "throttled"}
        for name in sorted({*paused, *parked})
    ]
    if as_json:
        print_json(rows)
    else:
        print_columns(("task", "put aside", "state"), [tuple(row.values()) for row in rows])


def warn_of_unknown(app: Celery, names: Sequence[str]) -> None:
    """Say which of these the app does not know: a name that was mistyped pauses nothing."""
    app.import_tasks()
    for name in names:
        if len(app.tasks) > 0 and name not in app.tasks:
            log.warning("the app knows no task %r; it is paused all the same", name)
