"""``celeriac status``: which nodes are alive, as the store knows from their leases. No node has to answer.

Does not know: what they are doing.
"""

from __future__ import annotations

import click

from celeriac.cli.failures import OK, UNAVAILABLE
from celeriac.cli.option_types import comma_list
from celeriac.cli.output import as_json, print_json, printable
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenCommand
from celeriac.core.rules import Rules


@click.command("status", cls=OpenCommand)
@click.option("-d", "--destination", type=comma_list, metavar="A,B,...", default=(), help="Only these nodes.")
@as_json
@pass_program
def command(program: Program, destination: tuple[str, ...], as_json: bool) -> int:
    """Show the nodes that are alive, and what is paused; exit code 69 when there is none."""
    app = program.reach()
    nodes = sorted(app.store.nodes(), key=lambda node: node.node)
    if destination:
        nodes = [node for node in nodes if node.node in destination]
    if as_json:
        print_json({node.node: {"seen_s": round(node.seen_s, 3), **node.info} for node in nodes})
    else:
        for node in nodes:
            click.echo(f"{printable(node.node)}: OK")
        for line in pauses(app.rules):
            click.echo(printable(line))
        if not program.quiet:
            click.echo(f"\n{len(nodes)} {'node' if len(nodes) == 1 else 'nodes'} online.", err=not nodes)
    return OK if nodes else UNAVAILABLE


def pauses(rules: Rules) -> list[str]:
    """Return what is paused, as lines."""
    queues = [f"queue {name} is paused" for name in sorted(rules.paused_queues)]
    return [*queues, *(f"task type {name} is paused" for name in sorted(rules.paused_tasks))]
