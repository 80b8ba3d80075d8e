"""Screens of a terminal: ``celeriac events`` and ``celeriac top``. They need the extra ``tui``; no other command imports it."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import click

from celeriac.app.app import Celery
from celeriac.cli.failures import OK


def run_screen(name: str, app: Celery) -> int:
    """Show the screen ``events`` or ``top`` until it is left; return its exit code.

    Raises:
        click.ClickException: this is no terminal, or the extra is not installed.
    """
    if find_spec("textual") is None:
        raise click.ClickException(f"celeriac {name} is a screen, which needs an extra: pip install 'celeriac[tui]'")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        instead = "celeriac events --dump prints lines" if name == "events" else "celeriac top --json prints one look"
        raise click.ClickException(f"celeriac {name} is a screen, and this is no terminal: {instead}")
    # Late: whoever has no screen need not have what draws one.
    if name == "events":
        from celeriac.cli.screens.events import EventsScreen

        EventsScreen(app).run()
    else:
        from celeriac.cli.screens.top import TopScreen

        TopScreen(app).run()
    return OK
