"""Events between real Celery and us: its monitors hear our nodes, ours hear its workers.

Needs the interpreter that ``test_celery_interop`` needs.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from system.fleet import Fleet
from system.monitor import Monitor
from system.redis_server import RedisServer
from system.test_celery_interop import CELERY_JOBS, CELERY_PYTHON, celery_says, start_celery

pytestmark = [
    pytest.mark.skipif(not CELERY_PYTHON, reason="CELERIAC_TEST_CELERY_PYTHON names no interpreter that has Celery"),
    pytest.mark.timeout(120),
]


@pytest.fixture
def shared(fleets: Callable[..., Fleet], redis_server: RedisServer) -> Fleet:
    fleet = fleets(redis_server.url, lease_s=30.0)
    (fleet.folder / "celery_jobs.py").write_text(textwrap.dedent(CELERY_JOBS))
    return fleet


def test_celerys_monitor_understands_our_nodes(shared: Fleet) -> None:
    shared.start("-c", "2", "-E")

    told = celery_says(
        shared,
        """
        import threading
        state, types = app.events.State(), set()

        def hear(event):
            state.event(event)
            types.add(event["type"])
            if state.tasks and all(task.ready for task in state.tasks.values()) and len(state.tasks) == 12:
                receiver.should_stop = True

        connection = app.connection()
        receiver = app.events.Receiver(connection, handlers={"*": hear})
        results = []

        def send():
            time.sleep(1)
            results.extend(add.delay(i, i) for i in range(10))
            results.extend([fail.delay("no"), flaky.delay(1)])

        threading.Thread(target=send).start()
        receiver.capture(limit=None, timeout=20, wakeup=True)
        [worker] = state.alive_workers()
        tasks = {task.uuid: task for _, task in state.tasks_by_time()}
        answer = [
            worker.hostname, worker.sw_ident, sorted(types),
            [tasks[result.id].state for result in results],
            tasks[results[3].id].result, tasks[results[3].id].name, tasks[results[10].id].exception,
            sorted({task.name for task in tasks.values()}), tasks[results[0].id].runtime < 5,
        ]
        """,
    )

    assert told[:2] == ["node0@here", "celeriac"]
    assert {"task-received", "task-started", "task-succeeded", "task-failed", "task-retried", "worker-heartbeat"} <= set(told[2])
    assert told[3] == ["SUCCESS"] * 10 + ["FAILURE", "SUCCESS"]
    assert told[4:7] == ["6", "jobs.add", "ValueError('no')"]
    assert told[7:] == [["jobs.add", "jobs.fail", "jobs.flaky"], True]


def test_our_monitor_understands_celerys_workers(shared: Fleet) -> None:
    with Monitor(shared.client) as monitor:
        worker = start_celery(shared, "-E", "-n", "theirs@here")
        done, failed = shared.send("add", 2, 3), shared.send("fail", "no")
        monitor.wait_for("task-succeeded", uuid=done.id)
        monitor.wait_for("task-failed", uuid=failed.id)
        beat = monitor.wait_for("worker-heartbeat")
        worker.stop()
        monitor.wait_for("worker-offline")

    task = monitor.state.tasks[done.id]
    assert (task.name, task.state, task.result, task.args) == ("jobs.add", "SUCCESS", "5", "(2, 3)")
    assert monitor.state.tasks[failed.id].exception == "ValueError('no')"
    assert (beat["hostname"], beat["sw_ident"]) == ("theirs@here", "py-celery")
    assert monitor.of(done.id) == ["task-received", "task-started", "task-succeeded"]


def test_on_one_queue_both_kinds_of_workers_are_seen_by_one_monitor(shared: Fleet) -> None:
    with Monitor(shared.client) as monitor:
        shared.start("-c", "1", "-E")
        start_celery(shared, "-E", "-n", "theirs@here")
        monitor.wait_for("worker-heartbeat", hostname="node0@here")
        monitor.wait_for("worker-heartbeat", hostname="theirs@here")

        alive = sorted(str(worker.hostname) for worker in monitor.state.alive_workers())

    assert alive == ["node0@here", "theirs@here"]
