"""``app.events``, under Celery's path."""

from celeriac.app.monitoring.events_view import Events

__all__ = ("Events",)
