"""``celeriac graph``: draw a workflow, as it is to run or as it has run.

In a job's life: before it or after it. Does not know: how a figure is made, how it is written.
"""

from __future__ import annotations

from typing import Any, Final

import click
import msgspec

from celeriac.app.app import Celery
from celeriac.app.drawing.figure import Figure, laid_out
from celeriac.app.drawing.formats import to_dot, to_mermaid, to_text
from celeriac.app.drawing.happened import happened
from celeriac.app.drawing.planned import DEPTH, MEMBERS, Shown, planned, shown
from celeriac.app.flows.stored import Stored
from celeriac.cli.output import as_json, print_json
from celeriac.cli.program import Program, pass_program
from celeriac.cli.signatures import find_signature, is_json, read_signature
from celeriac.cli.trails import trail_of
from celeriac.cli.user_options import OpenCommand
from celeriac.core.message import Message

MISSING: Final = frozenset({"bootsteps", "workers"})
WRITERS: Final = {"text": to_text, "dot": to_dot, "mermaid": to_mermaid}


class Drawer(click.Group):
    """A group that knows what else Celery's draws."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Say of what Celery's command draws, and this one does not, that it is missing."""
        if args and args[0] in MISSING:
            raise click.UsageError(f"this version draws no {args[0]}, only workflows", ctx)
        return super().resolve_command(ctx, args)


@click.group("graph", cls=Drawer)
def command() -> None:
    """Draw a workflow."""


@command.command("workflow", cls=OpenCommand)
@click.argument("source", metavar="[MODULE:NAME|FILE|-]", required=False)
@click.option("--result", "task_id", metavar="ID", help="Draw what became of this task, or of this group if it was saved.")
@click.option("-f", "--format", "form", type=click.Choice(list(WRITERS)), default="text", show_default=True, help="Language.")
@click.option("--members", type=click.IntRange(min=1), default=MEMBERS, show_default=True, help="So many of each group.")
@click.option("--depth", type=click.IntRange(1, 90), default=DEPTH, show_default=True, help="So many levels.")
@as_json
@pass_program
def workflow(
    program: Program, source: str | None, task_id: str | None, form: str, members: int, depth: int, as_json: bool
) -> None:
    """Draw a signature before it runs, or the tree of a result.

    A signature is named as in shop.flows:nightly, which is one, or a function that returns one; or it is JSON, in a file or on
    stdin (-).

    \b
    celeriac graph workflow shop.flows:nightly --format dot | dot -Tsvg > nightly.svg
    celeriac -A shop graph workflow --result ID --format mermaid
    """
    if (source is None) == (task_id is None):
        raise click.UsageError("say what to draw: MODULE:NAME, a file of JSON, -, or --result ID")
    if task_id is not None:
        figure = happened(trail_of(program.reach(), task_id), members=members, depth=depth)
    else:
        figure = drawn(program, source or "", members, depth)
    if as_json:
        print_json(msgspec.to_builtins(laid_out(figure)))
    else:
        click.echo(WRITERS[form](figure), nl=False)


def drawn(program: Program, source: str, members: int, depth: int) -> Figure:
    """Return the figure of the signature that ``source`` names."""
    signature: Stored
    app: Celery | Any = None
    if is_json(source):
        signature = read_signature(source)
        if program.app is not None or program.given is not None:
            app = program.load()
            app.import_tasks()
    else:
        signature = found = find_signature(source)
        app = found.app
    return planned(signature, shown=shown if app is None else without_secrets(app), members=members, depth=depth)


def without_secrets(app: Celery) -> Shown:
    """Return a writer of calls that shows no arguments of a task some of whose arguments are secrets."""

    def written(call: Stored) -> str:
        task = app.tasks.get(call["task"])
        # Which argument is which is not known: a step is handed the value of the one before as its first.
        asked = Message(id="", task=call["task"])
        return shown(call) if task is None or task.without_secrets(asked) is asked else f"{call['task']}(***)"

    return written
