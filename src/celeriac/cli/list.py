"""``celeriac list``: the tasks of an app, and the queues with what waits in them. Does not know: workers."""

from __future__ import annotations

import click

from celeriac.app.builtin import is_builtin
from celeriac.cli.output import as_json, print_columns, print_json
from celeriac.cli.program import Program, pass_program


@click.group("list")
def command() -> None:
    """List tasks or queues."""


@command.command("tasks")
@as_json
@pass_program
def tasks(program: Program, as_json: bool) -> None:
    """List the names of the app's tasks."""
    app = program.load()
    app.import_tasks()
    names = sorted(name for name in app.tasks if not is_builtin(name))
    if as_json:
        print_json(names)
    else:
        for name in names:
            click.echo(name)


@command.command("queues")
@as_json
@pass_program
def queues(program: Program, as_json: bool) -> None:
    """List the app's queues with the number of messages that wait in each, and how many are in the schedule."""
    app = program.reach()
    names = sorted(app.queue_names())
    waiting = list(app.store.depth(names))
    scheduled = app.store.scheduled()
    if as_json:
        print_json({"queues": dict(zip(names, waiting, strict=True)), "scheduled": scheduled})
        return
    print_columns(("queue", "waiting"), zip(names, waiting, strict=True))
    click.echo(f"\n{scheduled} in the schedule.")
