"""``celeriac shell``: Python with the app and its tasks at hand. Does not know: workers.

``--gevent`` and ``--eventlet`` replace what waits in the standard library. That must come before anything else is imported, so
the command begins again in an interpreter whose first line does it.
"""

from __future__ import annotations

import code
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

import celeriac
from celeriac.app.app import Celery
from celeriac.app.builtin import is_builtin
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenCommand
from celeriac.worker.lanes.patching import FIRST_LINES, check_library, patch


class PatchedFirst(OpenCommand):
    """A command that begins again in a patched interpreter if it is asked to, before the app is imported."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Look for the two options before anything else is looked at."""
        program = parent.obj if parent is not None else None
        for library in FIRST_LINES:
            if f"--{library}" in args and isinstance(program, Program) and not is_patched(library):
                begin_again(library, program)
        return super().make_context(info_name, args, parent, **extra)


@click.command("shell", cls=PatchedFirst)
@click.option("-I", "--ipython", "kind", flag_value="IPython", help="Use IPython.")
@click.option("-B", "--bpython", "kind", flag_value="bpython", help="Use bpython.")
@click.option("--python", "kind", flag_value="python", help="Use the plain prompt.")
@click.option("-T", "--without-tasks", is_flag=True, help="Do not offer the tasks by their names.")
@click.option("--eventlet", is_flag=True, expose_value=False, help="Have eventlet patch the standard library.")
@click.option("--gevent", is_flag=True, expose_value=False, help="Have gevent patch the standard library.")
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


def is_patched(library: str) -> bool:
    """Say whether this interpreter's sockets are those of a library."""
    monkey = sys.modules.get({"gevent": "gevent.monkey", "eventlet": "eventlet.patcher"}[library])
    if monkey is None:
        return False
    asked: Any = getattr(monkey, {"gevent": "is_module_patched", "eventlet": "is_monkey_patched"}[library])
    return bool(asked("socket"))


def begin_again(library: str, program: Program) -> None:
    """Replace this process by one whose interpreter is patched first; of an app that has called us: patch what can be patched."""
    check_library(library)
    if program.app is None and program.given is not None:
        patch(library)
        return
    first = f"{FIRST_LINES[library]}; from celeriac.cli.main import main; main()"
    if program.began_in is not None:
        os.chdir(program.began_in)
    os.execv(sys.executable, [sys.executable, "-c", first, *sys.argv[1:]])  # noqa: S606 -- it is our own
