"""What each step of one task costs, without any server: `.venv/bin/python benchmarks/hot_paths.py`.

Prints microseconds for each step, the best of several rounds. Steps of one line below another are parts of it.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from celeriac import Celery, group
from celeriac.abc import Lessee
from celeriac.app.plan import Call, plan_call
from celeriac.core import envelope, protocol, taskmeta
from celeriac.core.message import Parcel
from celeriac.core.taskmeta import TaskMeta
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import plan_node
from celeriac.worker.slots import Slots
from celeriac.worker.start import make_child, make_lane

ROUNDS, TIMES = 5, 5_000

app = Celery("bench", broker="memory://", backend="memory://")


@app.task
def add(x: int, y: int) -> int:
    return x + y


def measure(name: str, step: Callable[[], Any], times: int = TIMES) -> None:
    best = float("inf")
    for _ in range(ROUNDS):
        gc.collect()
        began = time.perf_counter()
        for _ in range(times):
            step()
        best = min(best, time.perf_counter() - began)
    print(f"{name:<34}{best / times * 1e6:8.2f} µs")


def a_worker_runs(count: int) -> Callable[[], None]:
    """Return a step that sends ``count`` tasks in bulk and runs them all in one child, on the memory store."""
    plan = plan_node(app, WorkerOptions(pool="solo"))
    app.store.keep("node", name="bench", info={}, queues=plan.queues)
    child = make_child(app, plan, Lessee("node", "child"), make_lane(plan, app.runtime, Slots(1)[0]))

    def step() -> None:
        group(add.s(i, 1) for i in range(count)).apply_async()
        done = 0
        while done < count:
            done += child.step()

    return step


def main() -> None:
    call = Call(add.recipe(), (2, 3), {})
    here = app.producer.here
    message = plan_call(call, here, None)
    outgoing = app.producer.plan(call, None)
    raw = envelope.pack(outgoing, tag=message.id)
    parcel = envelope.unpack(raw)
    assert isinstance(parcel, Parcel)
    meta = TaskMeta(task_id=message.id, status="SUCCESS", result=5, date_done=app.runtime.now())
    measure("delay(), memory store", lambda: add.delay(2, 3))
    measure("  plan", lambda: plan_call(call, here, None))
    measure("  plan, route, encode", lambda: app.producer.plan(call, None))
    measure("  envelope", lambda: envelope.pack(outgoing, tag=message.id))
    measure("read envelope", lambda: envelope.unpack(raw))
    measure("decode message", lambda: protocol.decode(parcel, accept=app.accept_content))
    measure("encode result", lambda: taskmeta.encode(meta))
    app.store.purge(["celery"])
    count = 2_000
    measure(f"send and run {count} tasks", a_worker_runs(count), times=1)


if __name__ == "__main__":
    main()
