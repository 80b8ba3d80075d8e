"""``celeriac``: the options of every command, and the door to each.

In a job's life: before it (``worker``, ``call``) and after it (``result``, ``dlq``). ``celeriac worker`` must start fast, so a
command's file is imported when its name is given, not before; other packages may add commands. Does not know: what they do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from celeriac import __version__
from celeriac.app.app import Celery
from celeriac.cli import plugins
from celeriac.cli.failures import run_guarded
from celeriac.cli.program import Program

COMMANDS: Final[Mapping[str, str]] = MappingProxyType({
    "worker": "Run a worker.",
    "multi": "Start and stop several workers on this machine.",
    "health": "Ask a worker how it is.",
    "doctor": "Look for what is wrong with settings, stores and fleet.",
    "beat": "Run a scheduler of periodic tasks.",
    "schedule": "Look at the entries of the beat; change them.",
    "call": "Send a task by name and print its id.",
    "result": "Wait for a result and print it, or the tree of what it set off.",
    "graph": "Draw a workflow, a node, or the nodes that are alive.",
    "status": "Show the nodes that are alive.",
    "inspect": "Ask running workers what they know.",
    "control": "Tell running workers to change something.",
    "list": "List tasks, queues or bindings.",
    "queue": "List queues; pause and resume them.",
    "task": "Pause and resume task types.",
    "explain": "Say where a task is and why it does not run.",
    "purge": "Delete the messages that wait in queues.",
    "migrate": "Carry messages from one broker to another.",
    "amqp": "Look after queues by hand, at a prompt.",
    "events": "Watch what nodes tell of themselves and of tasks.",
    "top": "Watch queues, running tasks and nodes.",
    "dlq": "Look into the dead letters; replay or drop them.",
    "logtool": "Ask logs of workers what became of tasks.",
    "upgrade": "Rewrite the old names of settings in a file.",
    "report": "Print versions, platform and settings for a bug report.",
    "shell": "Open Python with the app and its tasks at hand.",
    "completion": "Print what makes a shell complete this command line.",
    "shim": "Put celeriac in the place of Celery, and back.",
})  # fmt: skip
"""Name -> one line of help, so that ``--help`` imports none of them."""


class Door(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, the most used first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's file; its click command is named ``command`` there."""
        if cmd_name not in COMMANDS:
            return plugins.find(cmd_name, ctx)
        command: click.Command = import_module(f"celeriac.cli.{cmd_name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which command was perhaps meant, when there is none of that name."""
        name = args[0] if args else ""
        if name not in COMMANDS and not name.startswith("-") and name not in plugins.found():
            near = get_close_matches(name, [*COMMANDS, *plugins.found()], n=1)
            hint = f"did you mean {near[0]!r}?" if near else "the help names them all"
            raise click.UsageError(f"there is no command {name!r}: {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table above, and those that other packages have added."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        if added := {name: plugins.origin(name) for name in plugins.found() if name not in COMMANDS}:
            with formatter.section("Commands of other packages"):
                formatter.write_dl(list(added.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the commands without importing them, and options."""
        names = {**COMMANDS, **{name: plugins.origin(name) for name in plugins.found()}}
        commands = [CompletionItem(name, help=text) for name, text in names.items() if name.startswith(incomplete)]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(
    cls=Door,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "CELERY"},
)
@click.option("-A", "--app", envvar=["APP", "CELERY_APP"], metavar="MODULE[:ATTR]", help="Where the app is.")
@click.option(
    "-b", "--broker", envvar=["BROKER_URL", "CELERY_BROKER_URL"], metavar="URL", help="Broker, instead of the app's own."
)
@click.option(
    "--result-backend",
    envvar=["RESULT_BACKEND", "CELERY_RESULT_BACKEND"],
    metavar="URL",
    help="Result backend, instead of the app's own.",
)
@click.option(
    "--loader", envvar=["LOADER", "CELERY_LOADER"], metavar="CLASS", help="Class of app.loader, for an app that names none."
)
@click.option(
    "--config",
    envvar=["CONFIG_MODULE", "CELERY_CONFIG_MODULE"],
    metavar="MODULE",
    help="Module of settings, for an app that names none.",
)
@click.option("--workdir", type=click.Path(exists=True, file_okay=False), help="Change to this folder first.")
@click.option("-C", "--no-color", is_flag=True, help="Plain output. So does NO_COLOR, whatever it is set to.")
@click.option("-q", "--quiet", is_flag=True, help="Less output: no banner.")
@click.option("--skip-checks", is_flag=True, help="Have Django run no checks of its own: hands CELERY_SKIP_CHECKS on to the app.")
@click.option("--traceback", is_flag=True, expose_value=False, help="On an error, show where it came from.")
@click.version_option(__version__, prog_name="celeriac", message="%(prog)s %(version)s")
@click.pass_context
def celeriac(
    ctx: click.Context,
    app: str | None,
    broker: str | None,
    result_backend: str | None,
    loader: str | None,
    config: str | None,
    workdir: str | None,
    no_color: bool,
    quiet: bool,
    skip_checks: bool,
) -> None:
    """Run workers, send tasks, look at what became of them.

    The app is found as Celery finds it: -A shop, -A shop.tasks, -A shop:app, a package's `celery` module. Options are also
    read from the environment: CELERY_APP, CELERY_BROKER_URL, CELERY_WORKER_CONCURRENCY and so on.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        return
    if ctx.obj is not None and ctx.get_parameter_source("app") is not ParameterSource.COMMANDLINE:
        app = None  # the app whose ``start`` this is; the environment means programs that have none
    began_in = _folder()
    if workdir:
        os.chdir(workdir)
    plain = no_color or bool(os.environ.get("NO_COLOR"))
    ctx.color = False if plain else None
    program = Program(
        app,
        broker,
        result_backend,
        config,
        loader=loader,
        workdir=workdir,
        color=not plain,
        quiet=quiet,
        skip_checks=skip_checks or bool(os.environ.get("SKIP_CHECKS")),
        given=ctx.obj,
        began_in=began_in,
    )
    ctx.obj = program
    if ctx.invoked_subcommand not in COMMANDS:
        ctx.obj = plugins.open_up(ctx.invoked_subcommand, program, ctx)


def _folder() -> str | None:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it was deleted under us
        return None


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and leave with its exit code."""
    run_guarded(lambda: run(arguments))


def run(arguments: list[str] | None, app: Celery | None = None) -> int:
    """Run one command; return its exit code. ``app`` is meant where no ``-A`` names one."""
    code: Any = celeriac.main(arguments, prog_name="celeriac", standalone_mode=False, obj=app)
    return code if isinstance(code, int) else 0
