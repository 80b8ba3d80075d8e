"""The thread that handles what others hand over: nothing is lost when it is closed meanwhile."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Sequence
from queue import SimpleQueue

from celeriac import Celery
from celeriac.app.gathering import Gatherer
from system.patience import eventually


def test_what_is_handed_over_while_it_is_closed_is_handled_nevertheless() -> None:
    handled: list[int] = []
    everything = threading.Event()

    def handle(things: Sequence[int]) -> None:
        handled.extend(things)
        if len(handled) == 2:
            everything.set()

    gatherer: Gatherer[int] = Gatherer(handle, name="test", limit=10)

    class Closing(SimpleQueue[int | None]):
        """Lets somebody close the gatherer just before something is put into its queue."""

        def put(self, thing: int | None, block: bool = True, timeout: float | None = None) -> None:
            if thing == 2:
                gatherer.close()
            super().put(thing, block, timeout)

    gatherer._queue = Closing()
    gatherer.put(1)
    gatherer.put(2)

    assert everything.wait(5)
    assert handled == [1, 2]
    gatherer.close()


def test_what_is_handed_over_in_the_midst_of_closing_is_handled_too() -> None:
    handled: list[int] = []

    class Interrupted(Gatherer[int]):
        """Somebody hands something over between the two steps in which it forgets its queue and its thread."""

        steps = 0
        other: threading.Thread | None = None

        def __setattr__(self, name: str, value: object) -> None:
            if name in {"_queue", "_thread"} and value is not self.__dict__.get(name) and handled == [1] and self.other is None:
                self.steps += 1
                if self.steps == 2:
                    queue = self._queue
                    self.other = other = threading.Thread(target=self.put, args=(2,), daemon=True)
                    other.start()
                    eventually(lambda: queue.qsize() or 2 in handled or not other.is_alive(), what="it was put into a queue")
            super().__setattr__(name, value)

    gatherer = Interrupted(handled.extend, name="test", limit=10)
    gatherer.put(1)
    eventually(lambda: handled == [1], what="the first is handled")

    gatherer.close()

    eventually(lambda: handled == [1, 2], within_s=5, what="the second is handled")
    gatherer.close()


def test_its_thread_ends_when_nobody_holds_it_any_more() -> None:
    handled = threading.Event()
    gatherer: Gatherer[int] = Gatherer(lambda things: handled.set(), name="dropped", limit=10)
    gatherer.put(1)
    assert handled.wait(5)
    [thread] = [one for one in threading.enumerate() if one.name == "dropped"]

    del gatherer
    gc.collect()

    thread.join(5)
    assert not thread.is_alive()


def test_an_app_that_was_dropped_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    app = Celery("dropped", broker="memory://dropped", backend="memory://dropped", set_as_current=False)
    asyncio.run(app.signature("add", (1, 1)).adelay())
    dropped = weakref.ref(app)

    del app

    # The thread that sent the message may not have come back from that yet.
    eventually(lambda: gc.collect() is not None and dropped() is None, what="nobody holds the app")
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before
