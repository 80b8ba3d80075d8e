"""``celeriac result``: wait for a task's end and print what it returned, or show the tree of what it set off.

In a job's life: its end. Does not know: who sent it.
"""

from __future__ import annotations

import click

from celeriac.app.app import Celery
from celeriac.cli.completing import complete_tasks
from celeriac.cli.ending import await_end, finish
from celeriac.cli.failures import FAILURE, OK
from celeriac.cli.option_types import not_empty, seconds
from celeriac.cli.output import as_json
from celeriac.cli.program import Program, pass_program
from celeriac.cli.returned import Awaited
from celeriac.cli.trails import print_trail, trail_of
from celeriac.cli.user_options import OpenCommand


@click.command("result", cls=OpenCommand)
@click.argument("task_id", type=not_empty)
@click.option(
    "-t", "--task", "task_name", metavar="NAME", shell_complete=complete_tasks, help="Ask the result backend of this task."
)
@click.option("--tree", is_flag=True, help="Show what it set off and what it came from, with states, as it is now.")
@click.option("-w", "--wait", is_flag=True, help="With --tree: wait for its end first. Without, it is waited for anyhow.")
@click.option("--traceback", is_flag=True, help="Print the traceback of a task that failed, instead of its result.")
@click.option("--timeout", type=seconds, metavar="SECONDS", help="Give up after so many seconds.")
@as_json
@pass_program
def command(
    program: Program,
    task_id: str,
    task_name: str | None,
    tree: bool,
    wait: bool,
    traceback: bool,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Wait for the task TASK_ID, or for the group that was saved under it, and print its result."""
    if tree and traceback:
        raise click.UsageError("--tree and --traceback are two different questions: ask one")
    if tree and timeout is not None and not wait:
        raise click.UsageError("--timeout needs --wait where there is --tree")
    if tree and task_name is not None:
        raise click.UsageError("--tree looks at all tasks, --task at one: leave one of them out")
    app = program.reach()
    if task_name is not None:
        result = of_task(program.load(), task_name, task_id)
    elif not tree or wait:
        result = app.GroupResult.restore(task_id) or app.AsyncResult(task_id)
    if not tree:
        return finish(result, timeout=timeout, json=as_json, progress=not program.quiet, traceback=traceback)
    if wait and await_end(result, timeout, progress=not program.quiet, follow=True) is None:
        return FAILURE
    print_trail(trail_of(app, task_id), json=as_json, color=program.color)
    return OK


def of_task(app: Celery, name: str, task_id: str) -> Awaited:
    """Return the result of a task that may name a result backend of its own.

    Raises:
        NotRegistered: the app has no such task.
    """
    app.import_tasks()
    return app.tasks[name].AsyncResult(task_id)
