"""Small objects, by Celery's names."""

from types import SimpleNamespace

Bunch = SimpleNamespace
