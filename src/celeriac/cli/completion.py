"""``celeriac completion``: the lines that teach a shell to complete this command line.

In a program's life: once, in a shell's start-up file. The shell then calls ``celeriac`` back with what was typed so far. Does not
know: what completes to what (``completing.py``, and the commands themselves).
"""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Final

import click
from click.shell_completion import get_completion_class

from celeriac.cli.completing import VARIABLE

SHELLS: Final = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.option("--command", "name", default="celeriac", show_default=True, help="The command that is completed: celery, for one.")
@click.pass_context
def command(ctx: click.Context, shell: str | None, name: str) -> None:
    """Print what makes a shell complete commands, options, and names of tasks, queues and nodes.

    \b
    bash:  eval "$(celeriac completion bash)"              in ~/.bashrc   (bash 4.4 or newer)
    zsh:   eval "$(celeriac completion zsh)"               in ~/.zshrc, after compinit
    fish:  celeriac completion fish > ~/.config/fish/completions/celeriac.fish
    """
    wanted = shell or PurePath(os.environ.get("SHELL", "")).name
    if wanted not in SHELLS:
        raise click.UsageError(f"say for which shell: {', '.join(SHELLS)}", ctx)
    kind = get_completion_class(wanted)
    assert kind is not None  # click knows these three
    whole = kind(ctx.find_root().command, {}, name, VARIABLE)
    click.echo(whole.source_template % whole.source_vars())
