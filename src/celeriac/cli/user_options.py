"""Options that a program adds to commands: ``app.user_options["worker"]`` to one, ``app.user_options["preload"]`` to each.

In a program's life: they are known once the app of ``-A`` is loaded, so they stand after the command's name. What they were given
is told by signal: ``user_preload_options`` those of every command, ``celeryd_init`` those of ``worker``. Does not know: what they
mean. Source: Celery's guide "Extensions and Bootsteps", command-line programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from celeriac.app import signals
from celeriac.cli.program import Program

EVERYWHERE: Final = "preload"
_GIVEN: Final = "celeriac.user_options"


class OpenCommand(click.Command):
    """A command that also takes the options that the app adds to it."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return its own options and the app's."""
        own = super().get_params(ctx)
        return [*own, *self._added(ctx, EVERYWHERE), *self._added(ctx, self.name or "")]

    def invoke(self, ctx: click.Context) -> Any:
        """Tell what the app's options were given, and run the command without them."""
        everywhere, here = self._taken(ctx, EVERYWHERE), self._taken(ctx, self.name or "")
        ctx.meta[_GIVEN] = here
        if everywhere and (program := ctx.find_object(Program)) is not None:
            signals.user_preload_options.send(self.callback, app=program.load(), options=everywhere)
        return super().invoke(ctx)

    def _added(self, ctx: click.Context, command: str) -> list[click.Parameter]:
        program = ctx.find_object(Program)
        return program.user_options(command) if program is not None else []

    def _taken(self, ctx: click.Context, command: str) -> dict[str, Any]:
        names = [option.name for option in self._added(ctx, command) if option.name is not None]
        return {name: ctx.params.pop(name) for name in names if name in ctx.params}


class OpenGroup(click.Group):
    """A group whose commands do."""

    command_class = OpenCommand


def given() -> Mapping[str, Any]:
    """Return what the app's options of the command that runs were given, by name."""
    options: Mapping[str, Any] = click.get_current_context().meta.get(_GIVEN, {})
    return options
