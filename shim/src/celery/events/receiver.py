"""Receivers of events."""

from celeriac.app.monitoring.receiving import CLIENT_CLOCK_SKEW, EventReceiver

__all__ = ("CLIENT_CLOCK_SKEW", "EventReceiver")
