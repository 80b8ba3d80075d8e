"""``celeriac explain``: where a task is, and why it does not run. Does not know: how that is found out."""

from __future__ import annotations

from typing import Any

import click

from celeriac.app.app import Celery
from celeriac.app.explaining import Explanation
from celeriac.cli.completing import complete_queues
from celeriac.cli.failures import FAILURE, OK
from celeriac.cli.option_types import queue_list
from celeriac.cli.output import as_json, print_json, printable
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenCommand
from celeriac.core.errors import CeleriacError


@click.command("explain", cls=OpenCommand)
@click.argument("id")
@click.option(
    "-Q",
    "--queues",
    type=queue_list,
    metavar="A,B,...",
    default=(),
    shell_complete=complete_queues,
    help="Look through these queues, too.  [default: those of the app, of its routes and of the nodes that are alive]",
)
@click.option("-t", "--timeout", type=float, default=1.0, show_default=True, help="How long the node that holds it may answer.")
@as_json
@pass_program
def command(program: Program, id: str, queues: tuple[str, ...], timeout: float, as_json: bool) -> int:
    """Say where a task is and why it does not run: its place in a queue, its date, a pause, a rate limit, who holds it.

    Everything is read from the store; only since when a task runs is asked of the node that holds it. Exit code 1 when nothing is
    known of the id.
    """
    app = program.reach()
    found = app.explain(id, queues=queues)
    running = said_by_nodes(app, found, timeout)
    if as_json:
        print_json(
            {
                "id": found.id,
                "task": found.task,
                "state": found.state,
                "reasons": [{"kind": one.kind, "text": one.text, **one.facts} for one in found.reasons],
                "running": running,
            }
        )
    else:
        head = f"Task {found.task or '(unknown type)'}[{found.id}]"
        click.echo(printable(head if found.state is None else f"{head}: {found.state}"))
        for reason in found.reasons:
            click.echo(f"  {printable(reason.text)}")
        for one in running:
            click.echo(f"  {printable(sentence(one))}")
    return OK if found.is_known else FAILURE


def said_by_nodes(app: Celery, found: Explanation, timeout: float) -> list[dict[str, Any]]:
    """Ask the nodes that hold the task since when it runs; one that does not answer says nothing."""
    names = sorted({reason.facts["node"] for reason in found.reasons if reason.kind == "held"})
    if not names:
        return []
    try:
        replies = app.control.inspect(destination=names, timeout=timeout).query_task(found.id) or {}
    except CeleriacError:
        return []  # such as a store that carries no commands
    said = []
    for node, tasks in replies.items():
        if known := tasks.get(found.id):
            state, info = known
            began = info.get("time_start")
            running_s = None if not began else round(max(0.0, app.runtime.time() - began), 3)
            said.append({"node": node, "state": state, "running_s": running_s, "pid": info.get("worker_pid")})
    return said


def sentence(said: dict[str, Any]) -> str:
    """Return what a node says, as a sentence."""
    if said["running_s"] is None:
        return f"Node {said['node']!r} says: {said['state']}."
    return f"Node {said['node']!r} says: {said['state']}, in process {said['pid']}, for {said['running_s']:.1f} s now."
