"""``celeriac call``: send one task by its name, or a whole workflow that is written as JSON, and wait for it if asked to.

In a job's life: its beginning, by hand. The app need not know the task. Does not know: how it is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import click

from celeriac.app.app import Celery
from celeriac.cli.completing import complete_queues, complete_tasks
from celeriac.cli.ending import finish
from celeriac.cli.option_types import (
    json_array,
    json_object,
    moment,
    moment_or_seconds,
    not_empty,
    plain_name,
    seconds,
    signed_seconds,
)
from celeriac.cli.output import as_json, print_json
from celeriac.cli.program import Program, pass_program
from celeriac.cli.signatures import read_signature, sendable
from celeriac.cli.trails import keep_shape
from celeriac.cli.user_options import OpenCommand
from celeriac.core.errors import ImproperlyConfigured


@click.command("call", cls=OpenCommand)
@click.argument("name", required=False, type=not_empty, shell_complete=complete_tasks)
@click.option("--signature", metavar="FILE|-", help="Send this instead: a signature of any kind, as JSON, - for stdin.")
@click.option("-a", "--args", type=json_array, metavar="JSON", default="[]", help="Positional arguments, a JSON array.")
@click.option("-k", "--kwargs", type=json_object, metavar="JSON", default="{}", help="Keyword arguments, a JSON object.")
@click.option("--eta", type=moment, metavar="ISO", help="Not before this moment.")
@click.option("--countdown", type=signed_seconds, metavar="SECONDS", help="Not before so many seconds have passed.")
@click.option(
    "--expires",
    type=moment_or_seconds,
    metavar="ISO|SECONDS",
    help="Do not start it after this moment, or after so many seconds.",
)
@click.option("--serializer", help="Serializer of the message. [default: as the app says]")
@click.option("--queue", type=plain_name, metavar="NAME", shell_complete=complete_queues, help="Queue.")
@click.option("--exchange", help="Exchange.")
@click.option("--routing-key", help="Routing key.")
@click.option("-w", "--wait", is_flag=True, help="Wait for the result and print it; show progress that the task reports.")
@click.option("--timeout", type=seconds, metavar="SECONDS", help="With --wait: give up after so many seconds.")
@as_json
@pass_program
def command(
    program: Program,
    name: str | None,
    signature: str | None,
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
    """Send the task NAME, or a whole workflow, and print its id.

    The id of a workflow is that of its end: `celeriac result ID --tree` shows all of it. Its groups are saved under their ids.
    With --wait, what the end has sent and returns the result of, as chunks do, is waited for, too, and its values are printed.
    Arguments and options of a workflow are those of what is called first.

    \b
    celeriac -A shop call shop.add --args '[2, 3]' --wait
    celeriac -A shop call --signature nightly.json --wait
    """
    if timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait")
    if (name is None) == (signature is None):
        raise click.UsageError("say what to send: the NAME of a task, or --signature FILE")
    app = program.reach()
    said = {"eta": eta, "countdown": countdown, "expires": expires, "serializer": serializer}
    said |= {"queue": queue, "exchange": exchange, "routing_key": routing_key}
    options: dict[str, Any] = {option: value for option, value in said.items() if value is not None}
    if signature is None:
        result: Any = app.send_task(name or "", args=args, kwargs=kwargs, **options)
    else:
        result = sent(app, read_signature(signature), args, kwargs, options)
    if wait:
        return finish(result, timeout=timeout, json=as_json, progress=not program.quiet, follow=signature is not None)
    if as_json:
        print_json({"id": result.id})
    else:
        click.echo(result.id)
    return 0


def sent(app: Celery, stored: Mapping[str, Any], args: list[Any], kwargs: dict[str, Any], options: dict[str, Any]) -> Any:
    """Send a signature; see to it that its result, and what it came from, can be asked for by id."""
    result = sendable(stored, app).apply_async(args, kwargs, **options)
    with suppress(ImproperlyConfigured):  # no result backend: nobody will ask
        keep_shape(app, result)
    return result
