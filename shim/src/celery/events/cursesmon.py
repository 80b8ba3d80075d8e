"""The screen of events, which is none of curses here."""

from __future__ import annotations

from typing import Any

from celeriac.app.current import app_or_default
from celeriac.cli.screens import run_screen

__all__ = ("evtop",)


def evtop(app: Any = None) -> int:
    """Show the events of an app's fleet on this terminal until it is left."""
    app = app_or_default(app)
    return run_screen("events", app)
