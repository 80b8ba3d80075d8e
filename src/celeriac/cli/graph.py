"""``celeriac graph``: draw a workflow, as it is to run or as it has run; a node, or the nodes that are alive.

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
from celeriac.cli.graph_nodes import Alive, fleet_dot, node_dot, words_from
from celeriac.cli.output import as_json, print_json
from celeriac.cli.program import Program, pass_program
from celeriac.cli.signatures import find_signature, is_json, read_signature
from celeriac.cli.store_urls import store_urls
from celeriac.cli.trails import trail_of
from celeriac.cli.user_options import OpenCommand
from celeriac.core.message import Message
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import plan_node

WRITERS: Final = {"text": to_text, "dot": to_dot, "mermaid": to_mermaid}


@click.group("graph")
def command() -> None:
    """Draw a workflow, a node, or the nodes that are alive."""


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


@command.command("bootsteps", cls=OpenCommand)
@click.argument("parts", nargs=-1, type=click.Choice(["worker", "consumer"], case_sensitive=False), metavar="[worker] [consumer]")
@pass_program
def bootsteps(program: Program, parts: tuple[str, ...]) -> None:
    """Draw a node as it would be started, in Graphviz' language: its processes (worker), what they serve (consumer), or both.

    A node has no boot steps. Those that the app adds are drawn, too, as what they are: not run.
    """
    app = program.load()
    broker, results = store_urls(app)
    steps = [getattr(step, "__name__", str(step)) for added in app.steps.values() for step in added]
    plan = plan_node(app, WorkerOptions())
    kept = None if app.places.results is None else results
    click.echo(node_dot(plan, parts or ("worker", "consumer"), broker=broker, results=kept, steps=steps))


@command.command("workers", cls=OpenCommand)
@click.argument("words", nargs=-1, metavar="[WORD:VALUE]...")
@pass_program
def workers(program: Program, words: tuple[str, ...]) -> None:
    """Draw the nodes that are alive, with their slots, around broker and results, in Graphviz' language.

    \b
    nodes:A,B    draw these instead      threads:2,3  with so many slots each
    wmax:4       at most so many nodes   tmax:3       at most so many slots of each; 0: all
    enumerate    numbers, not names      generic      kinds of stores, not their URLs
    broker:URL   another broker          backend:URL  another result backend
    """
    said = words_from(words)
    app = program.reach()
    broker, results = store_urls(app)
    if said.nodes is None:
        found = [Alive(one.node, slots_of(one.info.get("concurrency"))) for one in app.store.nodes()]
    else:
        counts = [*said.threads, *[0] * len(said.nodes)]
        found = [Alive(name, slots_of(count)) for name, count in zip(said.nodes, counts, strict=False)]
    click.echo(fleet_dot(found, said, broker=broker, results=None if app.places.results is None else results))


def slots_of(count: object) -> list[str]:
    """Return labels of so many slots."""
    return [f"slot {number + 1}" for number in range(count if isinstance(count, int) else 0)]
