"""What each step of one task costs, without any server: `.venv/bin/python benchmarks/hot_paths.py`.

Prints microseconds for each step, the best of several rounds of ``-n`` calls. Steps of one line below another are parts of it.
"""

from __future__ import annotations

import argparse
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
from celeriac.worker.assembly import make_child, make_lane
from celeriac.worker.instance import Worker
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import plan_node
from celeriac.worker.slots import Slots

ROUNDS = 5

app = Celery("bench", broker="memory://", backend="memory://")


@app.task
def add(x: int, y: int) -> int:
    return x + y


def measure(name: str, step: Callable[[], Any], times: int) -> None:
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
    options = WorkerOptions(pool="solo")
    plan = plan_node(app, options)
    app.store.keep("node", name="bench", info={}, queues=plan.queues)
    child = make_child(Worker(app, options), plan, Lessee("node", "child"), make_lane(plan, app.runtime, Slots(1)[0]))

    def step() -> None:
        group(add.s(i, 1) for i in range(count)).apply_async()
        done = 0
        while done < count:
            done += child.step()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5_000, help="calls in a round")
    times: int = parser.parse_args().n
    call = Call(add.recipe(), (2, 3), {})
    here = app.producer.here
    message = plan_call(call, here, None)
    outgoing = app.producer.plan(call, None)
    raw = envelope.pack(outgoing, tag=message.id)
    parcel = envelope.unpack(raw)
    assert isinstance(parcel, Parcel)
    meta = TaskMeta(task_id=message.id, status="SUCCESS", result=5, date_done=app.runtime.now())
    measure("delay(), memory store", lambda: add.delay(2, 3), times)
    measure("  plan", lambda: plan_call(call, here, None), times)
    measure("  plan, route, encode", lambda: app.producer.plan(call, None), times)
    measure("  envelope", lambda: envelope.pack(outgoing, tag=message.id), times)
    measure("read envelope", lambda: envelope.unpack(raw), times)
    measure("decode message", lambda: protocol.decode(parcel, accept=app.accept_content), times)
    measure("encode result", lambda: taskmeta.encode(meta), times)
    app.store.purge(["celery"])
    count = min(2_000, times)
    measure(f"send and run {count} tasks", a_worker_runs(count), times=1)


if __name__ == "__main__":
    main()
