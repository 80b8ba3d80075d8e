"""``celeriac list``: an app's tasks, its queues with what waits in them, and what they are bound to. Does not know: workers."""

from __future__ import annotations

import click

from celeriac.app.builtin import is_builtin
from celeriac.cli.output import as_json, print_columns, print_json
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenGroup


@click.group("list", cls=OpenGroup)
def command() -> None:
    """List tasks, queues or bindings."""


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


@command.command("bindings")
@as_json
@pass_program
def bindings(program: Program, as_json: bool) -> None:
    """List the app's queues with the exchanges and routing keys that they are bound to, as its settings say.

    On stores without exchanges a message for one of these exchanges goes to the queue beside it.
    """
    rows = [
        (queue.name, source.name, source.type, key)
        for queue in program.reach().router.queues.values()
        for source, key in [(queue.source, queue.key), *((one.exchange, one.routing_key) for one in queue.bindings)]
    ]
    headings = ("queue", "exchange", "type", "routing_key")
    if as_json:
        print_json([dict(zip(headings, row, strict=True)) for row in rows])
    else:
        print_columns(headings, rows)
