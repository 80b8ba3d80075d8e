"""An app on a memory store of its own, under a clock that the test moves."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import arithmetic
from celeriac import Celery
from celeriac.testing.clock import VirtualRuntime

_names = itertools.count()


@pytest.fixture
def clock() -> VirtualRuntime:
    return VirtualRuntime(seed=7)


@pytest.fixture
def app(clock: VirtualRuntime) -> Celery:
    url = f"memory://unit-app-{next(_names)}"
    return Celery("unit", broker=url, backend=url, runtime=clock, set_as_current=False)


@pytest.fixture
def tasks(app: Celery) -> dict[str, Any]:
    """Give the tasks that most workflows here are made of, by name."""
    return arithmetic.declare(app)


@pytest.fixture
def add(tasks: dict[str, Any]) -> Any:
    return tasks["add"]


@pytest.fixture
def total(tasks: dict[str, Any]) -> Any:
    return tasks["total"]
