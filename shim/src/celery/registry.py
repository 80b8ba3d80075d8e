"""The current app's tasks, under a path of old."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return ``tasks`` of the app that is the current one now."""
    from celery._state import current_app  # late: this module is imported before there is an app

    if name != "tasks":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return current_app.tasks
