"""An app of each store, and workers for it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import arithmetic
from celeriac import Celery
from celeriac.app import current
from guide.serving import InProcess

REDIS = os.environ.get("CELERIAC_TEST_REDIS", "")

_names = itertools.count()

Serve = Callable[..., InProcess]


@pytest.fixture(params=["memory", "sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty store, of each kind."""
    match request.param:
        case "memory":
            return f"memory://guide-{next(_names)}"
        case "sqlite":
            return f"sqlite:///{tmp_path / 'store.db'}"
    return empty_redis()


def empty_redis() -> str:
    """Empty the database that tests may use, and return its URL."""
    if not REDIS:
        pytest.skip("CELERIAC_TEST_REDIS names no server")
    redis = pytest.importorskip("redis")
    with redis.Redis.from_url(REDIS) as client:
        client.flushdb()
    return REDIS


@pytest.fixture(autouse=True)
def _no_current_app() -> Iterator[None]:
    """Each example begins in a program that has made no app, and leaves none behind."""
    _forget_apps()
    yield
    _forget_apps()


def _forget_apps() -> None:
    current.set_current(None)
    current.set_default_app(None)


@pytest.fixture
def app(url: str) -> Iterator[Celery]:
    """Give the app of an example."""
    with Celery("guide", broker=url, backend=url, set_as_current=False) as made:
        yield made


@pytest.fixture
def tasks(app: Celery) -> dict[str, Any]:
    """Give the tasks that most workflows here are made of, by name. A file that has more of its own adds them."""
    return arithmetic.declare(app)


@pytest.fixture
def serve(app: Celery) -> Iterator[Serve]:
    """Give a function that starts a worker for the app, once the example has declared its tasks."""
    with ExitStack() as workers:

        def begin(*, serving: Celery | None = None, **options: object) -> InProcess:
            return workers.enter_context(InProcess(serving or app, **options))  # type: ignore[arg-type]

        yield begin
