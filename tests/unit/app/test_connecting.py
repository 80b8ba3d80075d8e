"""What an app leaves behind: nothing that grows with the number of apps that a program makes."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from threading import enumerate as threads
from weakref import ref

import pytest

from celeriac import Celery
from celeriac.app.runtime import SystemRuntime
from celeriac.core.errors import OperationalError
from celeriac.drivers.memory.store import MemoryStore
from system.patience import eventually


def use_and_drop(url: str) -> ref[Celery]:
    app = Celery("passing", broker=url, backend=url, set_as_current=False)
    with pytest.raises(TimeoutError):
        app.AsyncResult("never").get(timeout=0.001)
    return ref(app)


def test_what_an_app_that_nobody_closed_held_open_is_closed_by_the_next_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'celeriac.db'}"
    before = set(threads())
    dropped = use_and_drop(url)
    gc.collect()
    left = set(threads()) - before

    with Celery("next", broker=url, backend=url, set_as_current=False) as app:
        app.AsyncResult("a").exists()

        assert dropped() is None
        assert left
        assert not any(thread.is_alive() for thread in left)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_who_waits_while_the_app_is_closed_is_told_instead_of_waiting_for_ever(kind: str, tmp_path: Path) -> None:
    url = "memory://closing" if kind == "memory" else f"sqlite:///{tmp_path / 'celeriac.db'}"
    app = Celery("closing", broker=url, backend=url, set_as_current=False)
    told: list[BaseException] = []

    def wait(get: Callable[[], object]) -> None:
        try:
            get()
        except OperationalError as error:
            told.append(error)

    waits = [lambda: app.AsyncResult("a").get(timeout=30), lambda: asyncio.run(app.AsyncResult("b").aget(timeout=30))]
    waiting = [Thread(target=wait, args=(each,)) for each in waits]
    for thread in waiting:
        thread.start()
    eventually(lambda: app.results.waiting.size == 2, what="both wait")

    app.close()
    for thread in waiting:
        thread.join(10)

    assert [str(error).startswith("the app was closed") for error in told] == [True, True]
    assert app.results.waiting.size == 0
    app.backend.mark_as_done("a", 1)
    assert app.AsyncResult("a").get(timeout=30) == 1
    app.close()


class Noting(MemoryStore):
    """Notes that it was left behind in the parent."""

    abandoned = False

    def abandon(self) -> None:
        super().abandon()
        self.abandoned = True


class Opening(Celery):
    """An app that opens such stores."""

    def open_store(self) -> Noting:
        return Noting(runtime=SystemRuntime())


def test_after_a_fork_every_store_that_is_open_is_abandoned_those_that_the_settings_named_before_too() -> None:
    app = Opening("forking", broker="memory://first", set_as_current=False)
    first = app.store
    app.conf.broker_url = "memory://second"
    stores = [first, app.store]

    child = os.fork()
    if child == 0:
        os._exit(0 if all(isinstance(store, Noting) and store.abandoned for store in stores) else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert stores[0] is not stores[1]
