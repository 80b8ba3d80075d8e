"""Dispatchers of events."""

from celeriac.app.monitoring.dispatching import EventDispatcher

__all__ = ("EventDispatcher",)
