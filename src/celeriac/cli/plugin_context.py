"""What a command that was written for Celery finds on ``ctx.obj``: the app, and how to print.

In a program's life: while such a command runs. Names and meanings are those of ``celery.bin.base.CLIContext``. Does not know: the
command.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from pprint import pformat
from textwrap import indent
from typing import Any

import click

from celeriac.app.app import Celery


class PluginContext:
    """The program's options, by the names that Celery's commands know."""

    def __init__(self, app: Celery | Callable[[], Celery], no_color: bool, workdir: str | None, quiet: bool = False) -> None:
        """``app`` may be what finds it, when it is first asked for."""
        self._app, self.no_color, self.workdir, self.quiet = app, no_color, workdir, quiet

    @cached_property
    def app(self) -> Celery:
        """The app of ``-A``; without it a bare one, which knows no task by itself."""
        return self._app if isinstance(self._app, Celery) else self._app()

    @property
    def OK(self) -> str:  # noqa: N802 - Celery's name
        """``OK``, in green where there is colour."""
        return self.style("OK", fg="green", bold=True)

    @property
    def ERROR(self) -> str:  # noqa: N802 - Celery's name
        """``ERROR``, in red where there is colour."""
        return self.style("ERROR", fg="red", bold=True)

    def style(self, message: Any = None, **kwargs: Any) -> str:
        """Return the text with a colour, or without where there is none."""
        return str(message) if self.no_color else click.style(message, **kwargs)

    def echo(self, message: Any = None, **kwargs: Any) -> None:
        """Print."""
        click.echo(message, **self._plain(kwargs))

    def secho(self, message: Any = None, **kwargs: Any) -> None:
        """Print in a colour."""
        click.secho(message, **self._plain(kwargs))

    def error(self, message: Any = None, **kwargs: Any) -> None:
        """Print in a colour to stderr."""
        click.secho(message, **self._plain({**kwargs, "err": True}))

    def _plain(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {**options, "color": False} if self.no_color else dict(options)

    def pretty(self, n: Any) -> tuple[str, str]:
        """Return the word that stands before an answer of a worker, and the answer for people."""
        if isinstance(n, dict) and ("ok" in n or "error" in n):
            return self.pretty_dict_ok_error(n)
        if isinstance(n, list):
            return self.OK, self.pretty_list(n)
        if isinstance(n, dict):
            return self.OK, json.dumps(n, sort_keys=True, indent=4, default=str)
        return self.OK, n if isinstance(n, str) else pformat(n)

    def pretty_dict_ok_error(self, n: Mapping[str, Any]) -> tuple[str, str]:
        """Return the same for an answer that says whether it could be done."""
        word, value = (self.OK, n["ok"]) if "ok" in n else (self.ERROR, n["error"])
        return word, indent(self.pretty(value)[1], "    ")

    def pretty_list(self, n: list[Any]) -> str:
        """Return a line for each."""
        return "\n".join(f"{self.style('*', fg='white')} {item}" for item in n) or "- empty -"

    def say_chat(self, direction: str, title: str, body: str = "", show_body: bool = False) -> None:
        """Print a step of a talk with workers: ``->`` what is asked, ``<-`` what is answered."""
        if direction == "<-" and self.quiet:
            return
        self.echo(title if self.quiet else f"{self.style(direction, fg='white', bold=True)} {title}")
        if body and show_body:
            self.echo(body)
