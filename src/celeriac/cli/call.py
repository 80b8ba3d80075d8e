"""``celeriac call``: send one task by its name, and wait for it if asked to.

In a job's life: its beginning, by hand. The app need not know the task. Does not know: how it is run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from celeriac.cli.ending import finish
from celeriac.cli.option_types import json_array, json_object, moment, moment_or_seconds, plain_name
from celeriac.cli.output import as_json, print_json
from celeriac.cli.program import Program, pass_program


@click.command("call")
@click.argument("name")
@click.option("-a", "--args", type=json_array, metavar="JSON", default="[]", help="Positional arguments, a JSON array.")
@click.option("-k", "--kwargs", type=json_object, metavar="JSON", default="{}", help="Keyword arguments, a JSON object.")
@click.option("--eta", type=moment, metavar="ISO", help="Not before this moment.")
@click.option("--countdown", type=float, help="Not before so many seconds have passed.")
@click.option(
    "--expires",
    type=moment_or_seconds,
    metavar="ISO|SECONDS",
    help="Do not start it after this moment, or after so many seconds.",
)
@click.option("--serializer", help="Serializer of the message. [default: as the app says]")
@click.option("--queue", type=plain_name, metavar="NAME", help="Queue.")
@click.option("--exchange", help="Exchange.")
@click.option("--routing-key", help="Routing key.")
@click.option("-w", "--wait", is_flag=True, help="Wait for the result and print it; show progress that the task reports.")
@click.option("--timeout", type=float, help="With --wait: give up after so many seconds.")
@as_json
@pass_program
def command(
    program: Program,
    name: str,
    args: list[Any],
    kwargs: dict[str, Any],
    eta: datetime | None,
    countdown: float | None,
    expires: datetime | float | None,
    serializer: str | None,
    queue: str | None,
    exchange: str | None,
    routing_key: str | None,
    wait: bool,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Send the task NAME and print its id.

    \b
    celeriac -A shop call shop.add --args '[2, 3]' --wait
    """
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait")
    app = program.reach()
    result = app.send_task(
        name,
        args=args,
        kwargs=kwargs,
        eta=eta,
        countdown=countdown,
        expires=expires,
        serializer=serializer,
        queue=queue,
        exchange=exchange,
        routing_key=routing_key,
    )
    if wait:
        return finish(result, timeout=timeout, json=as_json, progress=not program.quiet)
    if as_json:
        print_json({"id": result.id})
    else:
        click.echo(result.id)
    return 0
