"""The app, under Celery's path."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Final

from celeriac import Celery, shared_task
from celery._state import app_or_default, disable_trace, enable_trace, get_current_app, pop_current_task, push_current_task
from celery._state import current_app as default_app
from celery.app.utils import bugreport

PARTS: Final = frozenset({"amqp", "base", "control", "defaults", "log", "registry", "task", "trace"})
"""Modules that ``import celery`` gives, and that are imported when they are asked for."""


def __getattr__(name: str) -> ModuleType:
    """Import one of ``PARTS``."""
    if name in PARTS:
        return import_module(f"celery.app.{name}")
    raise AttributeError(f"module 'celery.app' has no attribute {name!r}")
