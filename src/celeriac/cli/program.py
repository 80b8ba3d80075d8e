"""What stands before the command's name: which app, which store, how to print. Each command is handed it.

In a job's life: before it. The app is loaded when a command asks for it, once. Does not know: the commands.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from celeriac.app.app import Celery
from celeriac.cli.find_app import find_app


@dataclass(frozen=True, slots=True)
class Program:
    """The options of ``celeriac`` itself."""

    app: str | None
    """``-A``, as written."""
    broker: str | None
    result_backend: str | None
    config: str | None
    color: bool = True
    quiet: bool = False

    def load(self) -> Celery:
        """Return the app that ``-A`` names, with the other options applied.

        Raises:
            click.UsageError: there is no ``-A``.
            AppNotFound: it leads to no app.
        """
        if self.app is None:
            raise click.UsageError("say which app: celeriac -A module[:attr] ..., or set CELERY_APP")
        self._export()
        app = find_app(self.app)
        if self.config is not None:
            app.config_from_object(self.config)
        return app

    def reach(self) -> Celery:
        """Return the app of ``-A``; without it a bare one, which reaches the store and knows no task by itself."""
        if self.app is not None:
            return self.load()
        self._export()
        return Celery("celeriac", set_as_current=False, config_source=self.config)

    def _export(self) -> None:
        # The environment wins over what a program says, for this process and for children that import the app afresh.
        for name, value in (("CELERY_BROKER_URL", self.broker), ("CELERY_RESULT_BACKEND", self.result_backend)):
            if value is not None:
                os.environ[name] = value


pass_program = click.make_pass_decorator(Program)
