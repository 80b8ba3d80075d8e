"""``celeriac inspect``: ask running workers what they know; nothing changes.

Does not know: which commands there are, how they travel.
"""

from __future__ import annotations

import click

from celeriac.cli.output import as_json
from celeriac.cli.program import Program, pass_program
from celeriac.cli.remote import arguments_from, ask, find, listing_of, names_of, patience, with_destination, with_timeout
from celeriac.cli.user_options import OpenCommand

KIND = "inspect"


@click.command(KIND, cls=OpenCommand)
@click.argument("name", metavar="COMMAND", shell_complete=names_of(KIND))
@click.argument("words", metavar="[ARGUMENT]...", nargs=-1)
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=listing_of(KIND), help="List the commands.")
@with_timeout
@with_destination
@as_json
@pass_program
def command(
    program: Program, name: str, words: tuple[str, ...], timeout: float, destination: tuple[str, ...], as_json: bool
) -> int:
    """Ask running workers a question that changes nothing.

    Each node answers for itself; exit code 1 when one says that it failed, 69 when none answers within the
    timeout. The app's own commands are known, too.

    \b
    celeriac -A shop inspect active
    celeriac -A shop inspect query_task ID -d celery@host
    """
    app = program.reach()
    info = find(app, KIND, name)
    arguments = arguments_from(name, info, words)
    return ask(program, app, name, arguments, destination=destination, timeout=patience(timeout, info), as_json=as_json)
