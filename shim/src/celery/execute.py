"""The current app's ``send_task``, under a path of old."""

from typing import Any

from celery._state import current_app


def send_task(*args: Any, **kwargs: Any) -> Any:
    """Send a task by its name with the app that is the current one now."""
    return current_app.send_task(*args, **kwargs)
