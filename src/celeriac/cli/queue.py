"""``celeriac queue``: pause and resume queues for all nodes, and see what stands in them. Does not know: task types."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import click

from celeriac.app.explaining import served_by
from celeriac.cli.completing import complete_queues
from celeriac.cli.option_types import plain_name
from celeriac.cli.output import as_json, print_columns, print_json, printable
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenGroup

names = partial(click.argument, "names", nargs=-1, required=True, metavar="QUEUE...", shell_complete=complete_queues)
"""Resuming takes any name: what a program has paused must be resumed."""


@click.group("queue", cls=OpenGroup)
def command() -> None:
    """List queues; pause and resume them, for all nodes and through every restart."""


@command.command("pause")
@names(type=plain_name)
@as_json
@pass_program
def pause(program: Program, names: tuple[str, ...], as_json: bool) -> None:
    """Have no node take anything from these queues, until they are resumed. What runs comes to its end."""
    program.reach().pause(queues=names)
    say("queues", names, "paused", as_json)


@command.command("resume")
@names()
@as_json
@pass_program
def resume(program: Program, names: tuple[str, ...], as_json: bool) -> None:
    """Have these queues served again."""
    program.reach().resume(queues=names)
    say("queues", names, "resumed", as_json)


@command.command("list")
@as_json
@pass_program
def show_list(program: Program, as_json: bool) -> None:
    """List the queues of the app and its routes, those served and those paused: what waits there, and how many nodes serve it."""
    app = program.reach()
    paused, nodes = app.rules.paused_queues, app.store.nodes()
    served = {name for node in nodes for name in served_by(node)}
    names = sorted({*app.routed_queues(), *served, *paused})
    rows = [
        {
            "queue": name,
            "waiting": waiting,
            "nodes": sum(name in served_by(node) for node in nodes),
            "state": "paused" if name in paused else "open",
        }
        for name, waiting in zip(names, app.store.depth(names), strict=True)
    ]
    if as_json:
        print_json(rows)
    else:
        print_columns(("queue", "waiting", "nodes", "state"), [tuple(row.values()) for row in rows])


def say(kind: str, names: Sequence[str], what: str, as_json: bool) -> None:
    """Say what was done."""
    if as_json:
        print_json({what: {kind: list(names)}})
    else:
        for name in names:
            click.echo(f"{printable(name)} {what}.")
