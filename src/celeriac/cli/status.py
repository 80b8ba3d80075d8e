"""``celeriac status``: which nodes are alive, as the store knows from their leases, and who answers a ping.

A node of ours is seen in both ways, one of Celery's in the second alone; one that is alive and does not answer hears no commands.
Does not know: what they are doing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import click

from celeriac.abc import NodeRecord
from celeriac.app.app import Celery
from celeriac.cli.failures import OK, UNAVAILABLE
from celeriac.cli.output import as_json, print_json, printable
from celeriac.cli.program import Program, pass_program
from celeriac.cli.remote import may_have_strangers, with_destination, with_timeout
from celeriac.cli.user_options import OpenCommand
from celeriac.core.rules import Rules


@click.command("status", cls=OpenCommand)
@with_timeout
@with_destination
@as_json
@pass_program
def command(program: Program, timeout: float, destination: tuple[str, ...], as_json: bool) -> int:
    """Show the nodes that are alive, and what is paused; exit code 69 when there is none."""
    app = program.reach()
    living = [node for node in app.store.nodes() if not destination or node.node in destination]
    alive = {node.node: node for node in living}
    answered = _pinged(app, alive, destination, timeout)
    names = sorted(alive.keys() | answered.keys())
    for name, many in sorted(Counter(node.node for node in living).items()):
        if many > 1:
            click.echo(f"{many} nodes are called {printable(name)}: give each a name of its own with `worker -n`", err=True)
    if as_json:
        print_json({name: {**_seen(alive.get(name)), **answered.get(name, {})} for name in names})
    else:
        for name in names:
            click.echo(f"{printable(name)}: {'OK' if name in answered else 'alive, hears no commands'}")
        for line in pauses(app.rules):
            click.echo(printable(line))
        if not program.quiet:
            click.echo(f"\n{len(names)} {'node' if len(names) == 1 else 'nodes'} online.", err=not names)
    return OK if names else UNAVAILABLE


def _pinged(app: Celery, alive: Mapping[str, NodeRecord], destination: Sequence[str], timeout: float) -> dict[str, Any]:
    """Return the answers by node. Nobody is waited for who cannot be there."""
    if not alive and not may_have_strangers(app):
        return {}
    limit = None if may_have_strangers(app) else len(alive)
    answers = app.control.ping(destination=list(destination) or None, timeout=timeout, limit=limit)
    return {node: value for answer in answers for node, value in answer.items()}


def _seen(node: NodeRecord | None) -> dict[str, Any]:
    return {} if node is None else {"seen_s": round(node.seen_s, 3), **node.info}


def pauses(rules: Rules) -> list[str]:
    """Return what is paused, as lines."""
    queues = [f"queue {name} is paused" for name in sorted(rules.paused_queues)]
    return [*queues, *(f"task type {name} is paused" for name in sorted(rules.paused_tasks))]
