"""Real Celery at the other end of the wire: its clients, its workers, and both kinds of workers on one queue.

``CELERIAC_TEST_CELERY_PYTHON`` names an interpreter that has Celery and redis-py; without it these tests are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
import time
from collections.abc import Callable
from typing import Any

import pytest

from celeriac import TaskRevokedError
from system.fleet import Fleet, Node
from system.redis_server import RedisServer

CELERY_PYTHON = os.environ.get("CELERIAC_TEST_CELERY_PYTHON", "")
COUNT = 500
CELERY_JOBS = """
    import os

    from celery import Celery

    app = Celery("jobs", broker=os.environ["JOBS_STORE"], backend=os.environ["JOBS_STORE"])
    app.conf.broker_connection_retry_on_startup = True
    app.conf.worker_hijack_root_logger = False


    def note(what, key):
        descriptor = os.open(os.environ["JOBS_JOURNAL"], os.O_WRONLY | os.O_APPEND)
        os.write(descriptor, f"{what} {key} {os.getpid()}\\n".encode())
        os.close(descriptor)


    @app.task(name="jobs.add")
    def add(x, y):
        return x + y


    @app.task(name="jobs.early")
    def early(key, seconds=0.0):
        note("begin", key)
        note("end", key)
        return key


    @app.task(name="jobs.fail")
    def fail(text):
        raise ValueError(text)


    @app.task(name="jobs.flaky", bind=True, max_retries=3)
    def flaky(self, times):
        if self.request.retries < times:
            raise self.retry(countdown=0)
        return self.request.retries
"""

pytestmark = [
    pytest.mark.skipif(not CELERY_PYTHON, reason="CELERIAC_TEST_CELERY_PYTHON names no interpreter that has Celery"),
    pytest.mark.timeout(120),
]


@pytest.fixture
def shared(fleets: Callable[..., Fleet], redis_server: RedisServer) -> Fleet:
    """Give a fleet on Redis, with Celery's program beside it."""
    fleet = fleets(redis_server.url, lease_s=30.0)
    (fleet.folder / "celery_jobs.py").write_text(textwrap.dedent(CELERY_JOBS))
    return fleet


def celery_says(fleet: Fleet, code: str) -> Any:
    """Run a program of Celery's client; return the value of its variable ``answer``."""
    program = f"import json, time\nfrom celery_jobs import *\n{textwrap.dedent(code)}\nprint(json.dumps(answer))"
    ran = subprocess.run(
        [CELERY_PYTHON, "-c", program],
        cwd=fleet.folder,
        env=celery_environment(fleet),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def celery_environment(fleet: Fleet) -> dict[str, str]:
    """Celery is not to be disturbed by our warnings."""
    environment = fleet.environment()
    del environment["PYTHONWARNINGS"]
    return environment


@pytest.fixture
def celery_worker(shared: Fleet) -> Node:
    """Give a running worker of Celery."""
    log = shared.folder / "celery.log"
    command = [CELERY_PYTHON, "-m", "celery", "-A", "celery_jobs", "worker", "-c", "2", "-l", "INFO", "--without-mingle"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=shared.folder,
            env=celery_environment(shared),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    node = Node("celery", process, log)
    shared.nodes.append(node)
    node.wait_until_ready()
    return node


def test_celerys_client_is_served_by_our_worker(shared: Fleet) -> None:
    shared.start("-c", "2")

    told = celery_says(
        shared,
        """
        from datetime import datetime, timedelta, timezone
        began = time.monotonic()
        result = add.delay(2, 2)
        later = add.apply_async(kwargs={"x": 3, "y": 3}, countdown=1.0)
        eta = add.apply_async((4, 4), eta=datetime.now(timezone.utc) + timedelta(seconds=1))
        expired = add.apply_async((1, 1), expires=0.001, countdown=0.5)
        failed = fail.delay("no such thing")
        retried = flaky.delay(2)
        answer = [
            result.get(timeout=10),
            retried.get(timeout=10),
            [type(failed.get(timeout=10, propagate=False)).__name__, str(failed.result), "Traceback" in failed.traceback],
            [later.get(timeout=10), eta.get(timeout=10), time.monotonic() - began],
            [type(expired.get(timeout=10, propagate=False)).__name__, expired.state],
            [result.state, result.successful()],
        ]
        """,
    )

    assert told[0] == 4
    assert told[1] == 2
    assert told[2] == ["ValueError", "no such thing", True]
    assert told[3][:2] == [6, 8]
    assert 1.0 <= told[3][2] < 3.0
    assert told[4] == ["TaskRevokedError", "REVOKED"]
    assert told[5] == ["SUCCESS", True]
    assert shared.dead_letters() == []


def test_celerys_groups_are_served_by_our_worker(shared: Fleet) -> None:
    shared.start("-c", "2")

    told = celery_says(shared, "from celery import group\nanswer = group(add.s(i, i) for i in range(100))().get(timeout=20)")

    assert told == [2 * i for i in range(100)]


def test_a_call_that_celerys_client_linked_is_made(shared: Fleet) -> None:
    shared.start("-c", "2")

    told = celery_says(
        shared,
        """
        result = add.apply_async((1, 1), link=add.s(10))
        result.get(timeout=10)
        deadline = time.monotonic() + 10
        while not result.children and time.monotonic() < deadline:
            time.sleep(0.05)
            result = app.AsyncResult(result.id)
        answer = result.children[0].get(timeout=10) if result.children else None
        """,
    )

    assert told == 12


def test_our_client_is_served_by_celerys_worker(shared: Fleet, celery_worker: Node) -> None:
    result = shared.send("add", 2, 2)
    expired = shared.send("add", 1, 1, expires=0.0001)
    failed = shared.send("fail", "no such thing")
    retried = shared.send("flaky", 2)

    assert result.get(timeout=10) == 4
    assert retried.get(timeout=10) == 2
    with pytest.raises(ValueError, match="no such thing"):
        failed.get(timeout=10)
    assert "Traceback" in (failed.traceback or "")
    with pytest.raises(TaskRevokedError):
        expired.get(timeout=10)
    assert celery_worker.process.poll() is None


def test_a_delayed_task_of_ours_reaches_celerys_worker_through_any_node_of_ours(shared: Fleet, celery_worker: Node) -> None:
    began = time.monotonic()
    delayed = shared.send("add", 3, 3, countdown=1)

    shared.start("-c", "1", "-Q", "another")

    assert delayed.get(timeout=10) == 6
    assert time.monotonic() - began >= 1.0
    assert "jobs.add" in celery_worker.log


def test_both_kinds_of_workers_share_one_queue(shared: Fleet, celery_worker: Node) -> None:
    ours = shared.start("-c", "2")

    results = shared.send_many("early", [(f"ours-{i}", 0.002) for i in range(COUNT)])
    told = celery_says(
        shared,
        f"""
        results = [early.delay(f"theirs-{{i}}", 0.002) for i in range({COUNT})]
        answer = [result.get(timeout=30) for result in results]
        """,
    )

    assert results.get(timeout=30) == [f"ours-{i}" for i in range(COUNT)]
    assert told == [f"theirs-{i}" for i in range(COUNT)]
    assert set(shared.times("end").values()) == {1}
    assert len(shared.times("end")) == 2 * COUNT
    by_us = {pid for _, _, pid in shared.entries()} & set(ours.children())
    assert by_us
    assert {pid for _, _, pid in shared.entries()} - by_us


def test_a_task_that_celery_left_in_its_queue_runs_here(shared: Fleet) -> None:
    id = celery_says(shared, "answer = add.delay(20, 22).id")

    shared.start("-c", "1")

    assert shared.client.AsyncResult(id).get(timeout=10) == 42
