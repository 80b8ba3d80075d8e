"""Events: dispatchers and receivers, under Celery's path."""

from celeriac.app.monitoring.dispatching import EventDispatcher
from celeriac.app.monitoring.receiving import EventReceiver
from celery.events.event import Event, event_exchange, get_exchange, group_from

__all__ = ("Event", "EventDispatcher", "EventReceiver", "event_exchange", "get_exchange", "group_from")
