"""The current app's set-up of logging, under a path of old."""

from typing import Any

from celery._state import current_app


def get_default_logger(*args: Any, **kwargs: Any) -> Any:
    """Return the logger that the app that is current now writes to."""
    return current_app.log.get_default_logger(*args, **kwargs)


def setup_logging_subsystem(*args: Any, **kwargs: Any) -> Any:
    """Set logging up as the app that is current now wants it."""
    return current_app.log.setup_logging_subsystem(*args, **kwargs)


def redirect_stdouts_to_logger(*args: Any, **kwargs: Any) -> Any:
    """Send what is printed to a logger."""
    return current_app.log.redirect_stdouts_to_logger(*args, **kwargs)
