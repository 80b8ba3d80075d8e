"""Thousands who wait: one thread hears for all of them, over one connection, and all are woken."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from celeriac import Celery
from celeriac.core import taskmeta
from celeriac.core.settlement import StoredResult
from celeriac.core.taskmeta import TaskMeta
from system.patience import eventually

REDIS = os.environ.get("CELERIAC_TEST_REDIS", "")
THREADS, COROUTINES = 1000, 5000
LISTENERS = 2
"""Threads that may be at work for all who wait: the store's that hears, ours that subscribes."""
_names = itertools.count()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Celery]:
    if request.param == "redis" and not REDIS:
        pytest.skip("CELERIAC_TEST_REDIS names no server")
    name = f"crowd-{os.getpid()}-{next(_names)}"
    url = {"memory": f"memory://{name}", "sqlite": f"sqlite:///{tmp_path}/crowd.db", "redis": REDIS}[request.param]
    with closing(Celery(name, broker=url, backend=url, redis_client_name=name, set_as_current=False)) as app:
        app.conf.broker_transport_options = {"client_name": name} if request.param == "redis" else {}
        yield app


def ids(count: int) -> list[str]:
    prefix = f"{os.getpid()}-{next(_names)}"
    return [f"{prefix}-{number}" for number in range(count)]


def store_all(app: Celery, several: list[str]) -> None:
    metas = [TaskMeta(task_id=id_, status="SUCCESS", result=number) for number, id_ in enumerate(several)]
    bodies = [StoredResult(meta.task_id, "SUCCESS", taskmeta.encode(meta), 60.0) for meta in metas]
    for first in range(0, len(bodies), 500):
        app.store.store_results(bodies[first : first + 500])


def ours() -> list[str]:
    """Return the names of the threads that we have started."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("celeriac")]


def listening(app: Celery) -> int:
    """Return over how many connections the app hears of results; one where there are no connections."""
    if not str(app.conf.broker_url).startswith("redis"):
        return 1
    redis = pytest.importorskip("redis")
    with closing(redis.Redis.from_url(REDIS)) as client:
        return sum(each["name"] == app.main and each["sub"] != "0" for each in client.client_list())


@pytest.mark.timeout(120)
def test_a_thousand_threads_are_woken_by_one(app: Celery) -> None:
    several = ids(THREADS)
    got: dict[str, int] = {}
    before = len(ours())

    def wait(id_: str) -> None:
        got[id_] = app.AsyncResult(id_).get(timeout=90)

    waiters = [threading.Thread(target=wait, args=(id_,), daemon=True) for id_ in several]
    for waiter in waiters:
        waiter.start()
    eventually(lambda: app.results.waiting.size == THREADS, within_s=60, what="all wait")
    listeners = len(ours()) - before
    links = listening(app)
    store_all(app, several)
    for waiter in waiters:
        waiter.join(90)

    assert got == {id_: number for number, id_ in enumerate(several)}
    assert listeners <= LISTENERS
    assert links == 1
    assert app.results.waiting.size == 0


@pytest.mark.timeout(120)
def test_five_thousand_coroutines_are_woken_by_one(app: Celery) -> None:
    several = ids(COROUTINES)
    before = len(ours())

    async def program() -> tuple[list[int], int, int]:
        tasks = [asyncio.create_task(app.AsyncResult(id_).aget(timeout=90)) for id_ in several]
        await asyncio.to_thread(eventually, lambda: app.results.waiting.size == COROUTINES, within_s=60, what="all wait")
        listeners = len(ours()) - before
        links = listening(app)
        await asyncio.to_thread(store_all, app, several)
        return await asyncio.gather(*tasks), listeners, links

    values, listeners, links = asyncio.run(program())

    assert values == list(range(COROUTINES))
    assert listeners <= LISTENERS
    assert links == 1
    eventually(lambda: app.results.waiting.size == 0, what="nobody waits any more")
