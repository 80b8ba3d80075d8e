"""What stands before the command's name: which app, which store, how to print. Each command is handed it.

In a job's life: before it. The app is loaded when a command asks for it, once. Does not know: the commands.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

import click

from celeriac.app.app import Celery
from celeriac.cli.find_app import find_app
from celeriac.config.sources import MODULE_VARIABLE

log = logging.getLogger("celeriac.cli")


@dataclass(frozen=True, slots=True)
class Program:
    """The options of ``celeriac`` itself."""

    app: str | None
    """``-A``, as written."""
    broker: str | None
    result_backend: str | None
    config: str | None
    """Module of settings, for an app that names none."""
    color: bool = True
    quiet: bool = False
    given: Celery | None = None
    """The app whose ``start`` runs the command: holds where there is no ``-A``."""

    def load(self) -> Celery:
        """Return the app that ``-A`` names, with the other options applied.

        Raises:
            click.UsageError: there is no ``-A``.
            AppNotFound: it leads to no app.
        """
        if self.app is None and self.given is None:
            raise click.UsageError("say which app: celeriac -A module[:attr] ..., or set CELERY_APP")
        named_here = self.config is not None and os.environ.get(MODULE_VARIABLE) != self.config
        self._export()
        app = self._found()
        if named_here and app.conf.names_source:
            log.warning("--config %s has no effect: the app names its own source of settings", self.config)
        return app

    def reach(self) -> Celery:
        """Return the app of ``-A``; without it a bare one, which reaches the store and knows no task by itself."""
        if self.app is not None or self.given is not None:
            return self.load()
        self._export()
        return Celery("celeriac", set_as_current=False)

    def _found(self) -> Celery:
        if self.app is not None:
            return find_app(self.app)
        assert self.given is not None
        # It has read the environment already, before the command line was known.
        urls = {"broker_url": self.broker, "result_backend": self.result_backend}
        self.given.conf.update({name: url for name, url in urls.items() if url is not None})
        return self.given

    def _export(self) -> None:
        # The environment wins over what a program says, for this process and for children that import the app afresh.
        # The module is for an app that names none: Celery's page on the command line has it so.
        said = {"CELERY_BROKER_URL": self.broker, "CELERY_RESULT_BACKEND": self.result_backend, MODULE_VARIABLE: self.config}
        for name, value in said.items():
            if value is not None:
                os.environ[name] = value


pass_program = click.make_pass_decorator(Program)
