"""``celeriac migrate``: carry messages from one broker to another, whatever drivers serve them.

In a message's life: between two places where it waits. Does not know: how that is done (``app.carrying``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import click

from celeriac.app.carrying import Carried, Decide, carry, id_of, outgoing, task_of
from celeriac.app.runtime import SystemRuntime
from celeriac.cli.breaking_off import ended_by_sigterm
from celeriac.cli.completing import complete_queues, complete_tasks
from celeriac.cli.option_types import comma_list, plain_name, seconds
from celeriac.cli.output import as_json, print_json, printable
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenCommand
from celeriac.core.message import Delivery, Outgoing
from celeriac.drivers.registry import open_store, same_queues
from celeriac.drivers.url import mask


@click.command("migrate", cls=OpenCommand)
@click.argument("source", metavar="SOURCE")
@click.argument("destination", metavar="DESTINATION")
@click.option("-n", "--limit", type=click.IntRange(min=1), help="At most so many messages.")
@click.option(
    "-t",
    "--timeout",
    type=seconds,
    default=1.0,
    show_default=True,
    help="End when none came for so many seconds.",
)
@click.option("-a", "--ack-messages", is_flag=True, help="Move them: without this they are copied, and stay at the source.")
@click.option(
    "-T", "--tasks", type=comma_list, metavar="A,B,...", default=(), shell_complete=complete_tasks, help="Only these tasks."
)
@click.option(
    "-Q",
    "--queues",
    metavar="A,B:C,...",
    shell_complete=complete_queues,
    help="Only these queues; B:C, from B to C.  [default: all of the app]",
)
@click.option("-F", "--forever", is_flag=True, help="Go on until told to stop.")
@as_json
@pass_program
def command(
    program: Program,
    source: str,
    destination: str,
    limit: int | None,
    timeout: float,
    ack_messages: bool,
    tasks: tuple[str, ...],
    queues: str | None,
    forever: bool,
    as_json: bool,
) -> None:
    """Carry the messages that wait at the URL SOURCE, and those in its schedule, to the URL DESTINATION.

    It may be broken off, or killed, at any moment: no message is lost; one step of a hundred may be in both places, under the
    same ids. Results are not carried. Nodes at the source should be stopped before, or they run what is being copied.

    \b
    celeriac migrate --ack-messages redis://old/0 redis://new/0
    celeriac migrate -a -Q images:pictures,celery sqlite:///queue.db redis://localhost
    """
    names = renamed(queues) if queues else {name: name for name in program.reach().queue_names()}
    if same_queues(source, destination, os.environ):
        clash = sorted(set(names) & set(names.values()))
        if clash:
            raise click.UsageError(f"source and destination are one broker, where {clash[0]!r} would be carried into itself")
    runtime = SystemRuntime()
    here, there = (open_store(url, None, runtime=runtime, environ=os.environ) for url in (source, destination))
    if paused := sorted(here.rules().paused_queues & names.keys()):
        raise click.ClickException(f"the queue {paused[0]!r} is paused, and nothing comes of it: resume it, or leave it out")
    quiet = as_json or program.quiet
    try:
        with ended_by_sigterm():
            carried = carry(
                here,
                there,
                list(names),
                wanted(names, tasks),
                runtime=runtime,
                name="celeriac@migrate",
                copy=not ack_messages,
                limit=limit,
                wait_s=timeout,
                forever=forever,
                tell=None if quiet else show,
            )
    finally:
        here.close()
        there.close()
    if as_json:
        print_json(
            {"carried": carried.carried, "copied": not ack_messages, "seen": carried.seen, "unreadable": carried.unreadable}
        )
    else:
        click.echo(summary(carried, destination, copied=not ack_messages))


def renamed(text: str) -> Mapping[str, str]:
    """Read ``a,b:c``: from which queue to which."""
    pairs = (name.partition(":") for name in comma_list(text))
    return {plain_name(one): plain_name(other) if colon else one for one, colon, other in pairs}


def wanted(names: Mapping[str, str], tasks: Sequence[str]) -> Decide:
    """Return the decision which message goes where."""

    def decide(delivery: Delivery) -> Outgoing | None:
        if tasks and task_of(delivery) not in tasks:
            return None
        return outgoing(delivery, names[delivery.queue])

    return decide


def show(delivery: Delivery) -> None:
    """Print one message that was sent on."""
    click.echo(f"{printable(delivery.queue)}: {printable(task_of(delivery))}[{printable(id_of(delivery))}]")


def summary(carried: Carried, destination: str, *, copied: bool) -> str:
    """Say how many messages were carried, and what became of the others."""
    text = f"{carried.carried} {'message' if carried.carried == 1 else 'messages'} {'copied' if copied else 'moved'}"
    text += f" to {mask(destination)}"
    if copied and carried.carried:
        text += "; they are at the source, too (--ack-messages moves them)"
    if carried.unreadable:
        text += f"; {carried.unreadable} cannot be read and stayed"
    return f"{text}."
