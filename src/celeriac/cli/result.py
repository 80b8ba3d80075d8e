"""``celeriac result``: wait for a task's end and print what it returned.

In a job's life: its end. Does not know: who sent it.
"""

from __future__ import annotations

import click

from celeriac.cli.ending import finish
from celeriac.cli.output import as_json
from celeriac.cli.program import Program, pass_program


@click.command("result")
@click.argument("task_id")
@click.option("--traceback", is_flag=True, help="Print the traceback of a task that failed, instead of its result.")
@click.option("--timeout", type=float, help="Give up after so many seconds.")
@as_json
@pass_program
def command(program: Program, task_id: str, traceback: bool, timeout: float | None, as_json: bool) -> int:
    """Wait for the task TASK_ID and print its result."""
    result = program.reach().AsyncResult(task_id)
    return finish(result, timeout=timeout, json=as_json, progress=not program.quiet, traceback=traceback)
