"""A worker inside the test: the loop of a real child in a thread of its own, with a lease that a real keeper keeps.

What a process has of its own (limits, redirected output, its death) is not here: those examples start the command.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from celeriac import Celery
from celeriac.abc import Lessee
from celeriac.worker import assembly
from celeriac.worker.herald import Herald
from celeriac.worker.instance import Worker
from celeriac.worker.keeper import Keeper
from celeriac.worker.limiting import make_limits, make_releaser
from celeriac.worker.options import WorkerOptions
from celeriac.worker.orders import OrderBook
from celeriac.worker.plan import plan_node
from celeriac.worker.slots import Slots
from celeriac.worker.tender import Tender

_END_S = 10.0
_numbers = itertools.count()


class InProcess:
    """One child that serves an app until the test ends.

    Args:
        app: Whose tasks it runs.
        pool: ``solo``, ``threads`` or ``asyncio``.
        concurrency: Tasks at a time.
        queues: What it serves; ``None``: as the settings say.
    """

    def __init__(
        self, app: Celery, *, pool: str = "solo", concurrency: int = 1, queues: Sequence[str] | None = None, name: str = "guide"
    ) -> None:
        self.app = app
        options = WorkerOptions(hostname=f"{name}@here", pool=pool, concurrency=concurrency, queues=queues)
        worker = Worker(app, options)
        plan = plan_node(app, options)
        self.hostname = plan.hostname
        node, runtime = f"node-{next(_numbers)}", app.runtime
        store = app.open_store()
        book, limits = OrderBook(assembly.first_orders(plan)), make_limits(app)
        release = make_releaser(app, store, book, limits).release
        self._leases = assembly.leases_of(app, plan, node, store, Herald(lambda: True, runtime), release=release)
        self._leases.tick()
        self._keeper = Keeper(self._leases, store, runtime)
        slot = Slots(1, plan.slots_per_child)[0]
        lane = assembly.make_lane(plan, runtime, slot)
        self._child = assembly.make_child(
            worker, plan, Lessee(node, "0.1"), lane, store=app.open_store(), book=book, limits=limits
        )
        self._tender = Tender(self._child, concurrent=lane.concurrent, runtime=runtime)
        self._thread = threading.Thread(target=self._work, name="guide-child", daemon=True)

    def _work(self) -> None:
        self.app.set_current()  # of this thread alone: the worker's app is the current one of its tasks
        self._child.work()

    def __enter__(self) -> Self:
        self._keeper.start()
        self._tender.start()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None) -> None:
        ends = time.monotonic() + _END_S
        while self._thread.is_alive() and time.monotonic() < ends:
            # A store of memory is one object for all who use it: another one's wait may have taken the interruption.
            self._child.stop()
            self._thread.join(0.05)
        self._keeper.stop()
        self._leases.part()
        assert not self._thread.is_alive(), "the child did not end"
