"""An app on a memory store of its own, under a clock that the test moves."""

from __future__ import annotations

import itertools

import pytest

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
