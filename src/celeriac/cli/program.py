"""What stands before the command's name: which app, which store, how to print. Each command is handed it.

In a job's life: before it. The app is loaded when a command asks for it, once. Does not know: the commands.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import Final

import click

from celeriac.app.app import LOADER_VARIABLE, Celery
from celeriac.cli.find_app import find_app
from celeriac.config.sources import MODULE_VARIABLE

log = logging.getLogger("celeriac.cli")
CHECKS_VARIABLE: Final = "CELERY_SKIP_CHECKS"


@dataclass(frozen=True, slots=True)
class Program:
    """The options of ``celeriac`` itself."""

    app: str | None
    """``-A``, as written."""
    broker: str | None
    result_backend: str | None
    config: str | None
    """Module of settings, for an app that names none."""
    loader: str | None = None
    """Class of ``app.loader``, for an app that names none."""
    workdir: str | None = None
    """The folder that the program has changed to."""
    skip_checks: bool = False
    """Integrations with frameworks that check a project before a command are told not to."""
    color: bool = True
    quiet: bool = False
    given: Celery | None = None
    """The app whose ``start`` runs the command: holds where there is no ``-A``."""
    began_in: str | None = None
    """The folder before ``--workdir``; ``None``: it was not known."""
    _loaded: list[Celery] = field(default_factory=list, repr=False)
    """The app, once it is loaded: options are said and warned of once."""

    def load(self) -> Celery:
        """Return the app that ``-A`` names, with the other options applied.

        Raises:
            click.UsageError: there is no ``-A``.
            AppNotFound: it leads to no app.
        """
        if self._loaded:
            return self._loaded[0]
        if self.app is None and self.given is None:
            raise click.UsageError("say which app: celeriac -A module[:attr] ..., or set CELERY_APP")
        named_here = self.config is not None and os.environ.get(MODULE_VARIABLE) != self.config
        self._export()
        app = self._found()
        if named_here and app.conf.names_source:
            log.warning("--config %s has no effect: the app names its own source of settings", self.config)
        if self.loader is not None and app.loader_cls != self.loader:
            log.warning("--loader %s has no effect: the app names its own loader", self.loader)
        self._loaded.append(app)
        return app

    def reach(self) -> Celery:
        """Return the app of ``-A``; without it a bare one, which reaches the store and knows no task by itself."""
        if self.app is not None or self.given is not None:
            return self.load()
        self._export()
        return Celery("celeriac", set_as_current=False)

    def user_options(self, command: str) -> list[click.Parameter]:
        """Return the options that the app adds to a command, if an app is named: ``app.user_options[command]``.

        Raises:
            click.UsageError: one is no option.
        """
        if self.app is None and self.given is None:
            return []
        options = list(self.load().user_options.get(command, ()))
        for option in options:
            if not isinstance(option, click.Parameter):
                raise click.UsageError(f"app.user_options[{command!r}] holds {option!r}, which is no click.Option")
        # A set has no order, and help should have one.
        return sorted(options, key=lambda option: option.name or "")

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
        said = {
            "CELERY_BROKER_URL": self.broker,
            "CELERY_RESULT_BACKEND": self.result_backend,
            MODULE_VARIABLE: self.config,
            LOADER_VARIABLE: self.loader,
            CHECKS_VARIABLE: "true" if self.skip_checks else None,
        }
        for name, value in said.items():
            if value is not None:
                os.environ[name] = value


pass_program = click.make_pass_decorator(Program)
