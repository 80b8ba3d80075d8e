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
        return self._applied(find_app(self.app))

    def reach(self) -> Celery:
        """Return the app of ``-A``; without it a bare one, which reaches the store and knows no task by itself."""
        return self.load() if self.app is not None else self._applied(Celery("celeriac", set_as_current=False))

    def _export(self) -> None:
        # Children that are started afresh import the app again: they must see the same store.
        for name, value in (("CELERY_BROKER_URL", self.broker), ("CELERY_RESULT_BACKEND", self.result_backend)):
            if value is not None:
                os.environ[name] = value

    def _applied(self, app: Celery) -> Celery:
        if self.config is not None:
            app.config_from_object(self.config)
        if self.broker is not None:
            app.conf.update(broker_url=self.broker)
        if self.result_backend is not None:
            app.conf.update(result_backend=self.result_backend)
        return app


pass_program = click.make_pass_decorator(Program)
