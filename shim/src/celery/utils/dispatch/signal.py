"""Signals, under Celery's path."""

from celeriac.app.dispatch import Signal
