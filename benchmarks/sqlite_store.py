"""How fast is the bare SQLite store: publish, then fetch and settle with results in several processes, and waking.

python benchmarks/sqlite_store.py [--messages 200000] [--workers 2] [--batch 100] [--folder DIR]
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import threading
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

from celeriac.abc import Lessee
from celeriac.app.runtime import SystemRuntime
from celeriac.core.message import Outgoing, Parcel
from celeriac.core.settlement import Done, Settlement, StoredResult
from celeriac.drivers.sqlite.store import SqliteStore

LEASE_S = 600.0


def a_message(id: str) -> Outgoing:
    headers = {"lang": "py", "task": "bench.noop", "id": id, "root_id": id, "retries": 0, "argsrepr": "()", "kwargsrepr": "{}"}
    properties = {"correlation_id": id, "delivery_mode": 2}
    body = b"[[], {}, {}]"
    parcel = Parcel(body=body, content_type="application/json", content_encoding="utf-8", headers=headers, properties=properties)
    return Outgoing(parcel=parcel, queue="celery", routing_key="celery")


def a_result(id: str) -> StoredResult:
    body = (
        f'{{"status":"SUCCESS","result":null,"traceback":null,"children":[],"date_done":"2030-01-01T00:00:00","task_id":"{id}"}}'
    )
    return StoredResult(id, "SUCCESS", body.encode())


def work(path: str, number: int, batch: int, start: Barrier) -> None:
    store = SqliteStore(path, runtime=SystemRuntime())
    me = Lessee(f"node-{number}", "child")
    store.keep(me.node, name=me.node, info={}, queues=["celery"], lease_s=LEASE_S)
    start.wait()
    while True:
        fetched = store.fetch(["celery"], lessee=me, limit=batch, wait_s=0)
        if not fetched.deliveries:
            break
        settlements = [
            Settlement(tag=delivery.tag, fate=Done(), result=a_result(delivery.parcel.headers["id"]))  # type: ignore[union-attr]
            for delivery in fetched.deliveries
        ]
        store.settle(settlements, lessee=me)
    store.close()


def throughput(path: str, messages: int, workers: int, batch: int) -> None:
    runtime = SystemRuntime()
    store = SqliteStore(path, runtime=runtime)
    outgoing = [a_message(runtime.new_id()) for _ in range(messages)]
    started = time.perf_counter()
    store.publish(outgoing, deadline_s=600)
    print(f"publish in bulk          {messages / (time.perf_counter() - started):10,.0f} messages/s")
    start = multiprocessing.Barrier(workers + 1)
    processes = [multiprocessing.Process(target=work, args=(path, number, batch, start)) for number in range(workers)]
    for process in processes:
        process.start()
    start.wait()
    started = time.perf_counter()
    for process in processes:
        process.join()
    print(f"fetch + settle, {workers} procs  {messages / (time.perf_counter() - started):10,.0f} messages/s")
    assert store.depth(["celery"]) == [0]
    store.close()


def single(path: str, count: int = 3000) -> None:
    runtime = SystemRuntime()
    store = SqliteStore(path, runtime=runtime)
    outgoing = [a_message(runtime.new_id()) for _ in range(count)]
    started = time.perf_counter()
    for one in outgoing:
        store.publish([one])
    print(f"publish one by one       {count / (time.perf_counter() - started):10,.0f} messages/s")
    store.purge(["celery"])
    store.close()


def serve(path: str, count: int) -> None:
    store = SqliteStore(path, runtime=SystemRuntime())
    me = Lessee("server", "child")
    store.keep(me.node, name=me.node, info={}, queues=["celery"], lease_s=LEASE_S)
    while count:
        for delivery in store.fetch(["celery"], lessee=me, limit=10, wait_s=10).deliveries:
            id = delivery.parcel.headers["id"]  # type: ignore[union-attr]
            store.settle([Settlement(tag=delivery.tag, fate=Done(), result=a_result(id))], lessee=me)
            count -= 1
    store.close()


def round_trip(path: str, count: int = 1000) -> None:
    runtime = SystemRuntime()
    store = SqliteStore(path, runtime=runtime)
    server = multiprocessing.Process(target=serve, args=(path, count))
    server.start()
    took = []
    for _ in range(count):
        id = runtime.new_id()
        arrived = threading.Event()
        started = time.perf_counter()
        store.watch([id], lambda _id, _body, arrived=arrived: arrived.set())  # type: ignore[misc]
        store.publish([a_message(id)])
        assert arrived.wait(10)
        took.append(time.perf_counter() - started)
        store.unwatch([id])
    server.join()
    store.close()
    took.sort()
    print(f"round trip with result   p50 {statistics.median(took) * 1e3:.2f} ms, p99 {took[int(count * 0.99)] * 1e3:.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        single(f"{folder}/single.db")
        throughput(f"{folder}/load.db", options.messages, options.workers, options.batch)
        round_trip(f"{folder}/trip.db")


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
