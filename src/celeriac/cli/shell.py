"""``celeriac shell``: Python with the app and its tasks at hand. Does not know: workers."""

from __future__ import annotations

import code
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

import celeriac
from celeriac.app.app import Celery
from celeriac.app.builtin import is_builtin
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenCommand


@click.command("shell", cls=OpenCommand)
@click.option("-I", "--ipython", "kind", flag_value="IPython", help="Use IPython.")
@click.option("-B", "--bpython", "kind", flag_value="bpython", help="Use bpython.")
@click.option("--python", "kind", flag_value="python", help="Use the plain prompt.")
@click.option("-T", "--without-tasks", is_flag=True, help="Do not offer the tasks by their names.")
@pass_program
def command(program: Program, kind: str | None, without_tasks: bool) -> None:
    """Open Python with `app`, celeriac's public names and the app's tasks at hand."""
    app = program.load()
    names = namespace(app, with_tasks=not without_tasks)
    banner = f"celeriac {celeriac.__version__}: app is {app.main or program.app!r}; tasks and public names are here"
    match kind or preferred():
        case "IPython":
            interpreter(kind="IPython").start_ipython(argv=[], user_ns=names)
        case "bpython":
            interpreter(kind="bpython").embed(locals_=names, banner=banner)
        case _:
            code.interact(banner=banner, local=names, exitmsg="")


def namespace(app: Celery, *, with_tasks: bool) -> dict[str, Any]:
    """Return the names that are at hand: celeriac's, the tasks' last parts, and the app."""
    public = {name: getattr(celeriac, name) for name in celeriac.__all__}
    tasks: dict[str, Any] = {}
    if with_tasks:
        app.import_tasks()
        tasks = {name.rpartition(".")[2]: task for name, task in app.tasks.items() if not is_builtin(name)}
    return public | tasks | {"app": app, "celery": app}


def preferred() -> str:
    """Return the best prompt that is installed."""
    return next((kind for kind in ("IPython", "bpython") if find_spec(kind)), "python")


def interpreter(kind: str) -> Any:
    """Import a prompt of others."""
    if find_spec(kind) is None:
        raise click.ClickException(f"{kind} is not installed: pip install {kind.lower()}, or use --python")
    return import_module(kind)
