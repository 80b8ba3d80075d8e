"""``celeriac control``: tell running workers to change something.

Does not know: which commands there are, how they travel.
"""

from __future__ import annotations

from typing import Final

import click

from celeriac.cli.failures import OK
from celeriac.cli.output import as_json
from celeriac.cli.program import Program, pass_program
from celeriac.cli.remote import arguments_from, ask, find, listing_of, names_of, patience, with_destination, with_timeout
from celeriac.cli.user_options import OpenCommand

KIND = "control"
UNANSWERED: Final = frozenset({"shutdown"})
"""Commands that no node answers."""


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
    """Tell running workers to change something.

    Each node answers for itself; exit code 1 when one says that it failed, 69 when none answers within the
    timeout. The app's own commands are known, too.

    \b
    celeriac -A shop control rate_limit shop.mail 10/m
    celeriac -A shop control terminate SIGKILL ID
    """
    app = program.reach()
    info = find(app, KIND, name)
    arguments = arguments_from(name, info, words)
    if name in UNANSWERED:
        app.control.broadcast(name, arguments, destination=list(destination) or None)
        if not program.quiet:
            click.echo(f"{name} was said: a node that stops does not answer")
        return OK
    return ask(program, app, name, arguments, destination=destination, timeout=patience(timeout, info), as_json=as_json)
