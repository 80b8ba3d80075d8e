"""``celeriac purge``: drop what waits in queues. Running tasks go on. Does not know: what the messages say."""

from __future__ import annotations

import click

from celeriac.cli.completing import complete_queues
from celeriac.cli.option_types import comma_list, queue_list
from celeriac.cli.output import as_json, print_json
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenCommand


@click.command("purge", cls=OpenCommand)
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
@click.option(
    "-Q",
    "--queues",
    type=queue_list,
    metavar="A,B,...",
    default=(),
    shell_complete=complete_queues,
    help="Only these queues.  [default: all of the app]",
)
@click.option(
    "-X",
    "--exclude-queues",
    type=comma_list,
    metavar="A,B,...",
    default=(),
    shell_complete=complete_queues,
    help="Not these queues.",
)
@as_json
@pass_program
def command(program: Program, force: bool, queues: tuple[str, ...], exclude_queues: tuple[str, ...], as_json: bool) -> None:
    """Delete the messages that wait in the queues, and those in the schedule for them. There is no way back."""
    app = program.reach()
    names = [name for name in queues or sorted(app.queue_names()) if name not in exclude_queues]
    if not names:
        raise click.UsageError("no queue is left: -X excludes all of them")
    if not force:
        click.confirm(f"Delete every message that waits in {', '.join(names)}?", abort=True, err=True)
    count = app.store.purge(names)
    if as_json:
        print_json({"purged": count, "queues": names})
    else:
        click.echo(f"{count} {'message' if count == 1 else 'messages'} deleted from {', '.join(names)}.")
