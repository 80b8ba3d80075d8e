"""``celeriac top``: queues, running tasks and nodes, every second, on a screen; ``--json``: one look.

Does not know: how a look is taken, or drawn.
"""

from __future__ import annotations

import click
import msgspec

from celeriac.cli.failures import OK, UNAVAILABLE
from celeriac.cli.output import as_json, print_json
from celeriac.cli.program import Program, pass_program
from celeriac.cli.screens import run_screen
from celeriac.cli.screens.picture import take
from celeriac.cli.user_options import OpenCommand


@click.command("top", cls=OpenCommand)
@as_json
@pass_program
def command(program: Program, as_json: bool) -> int:
    """Watch queues, running tasks and nodes; sort, filter, revoke, terminate, pause.

    With --json: one look, and exit code 69 when the store does not answer.
    """
    app = program.reach()
    if not as_json:
        return run_screen("top", app)
    picture = take(app, app.events.State())
    print_json(msgspec.to_builtins(picture))
    return OK if picture.trouble is None else UNAVAILABLE
