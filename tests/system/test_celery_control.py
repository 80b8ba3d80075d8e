"""Remote control between real Celery and us: its clients steer our nodes, and ours its workers.

``CELERIAC_TEST_CELERY_PYTHON`` names an interpreter that has Celery and redis-py; without it these tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from celeriac import TaskRevokedError
from system.fleet import Fleet
from system.patience import eventually
from system.redis_server import RedisServer
from system.test_celery_interop import CELERY_JOBS, CELERY_PYTHON, celery_environment, celery_says, start_celery

WAIT_S = 10.0
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


def test_celerys_client_asks_and_steers_our_node(shared: Fleet) -> None:
    node = shared.start("-c", "2")
    shared.send("spin", "busy", 60.0, task_id="busy")
    eventually(lambda: shared.has_begun("busy"), what="a task runs")

    told = celery_says(
        shared,
        """
        node, control = "node0@here", app.control
        inspect = control.inspect(timeout=10, limit=1)
        said = dict(reply=True, timeout=10, limit=1)
        revoked = add.apply_async((1, 1), countdown=5)
        answer = [
            control.ping(destination=[node], timeout=10),
            control.broadcast("ping", reply=True, timeout=10, limit=1, pattern="node*", matcher="glob"),
            inspect.active()[node],
            inspect.query_task("busy")[node]["busy"][0],
            sorted(inspect.stats()[node]),
            inspect.registered()[node],
            [queue["name"] for queue in inspect.active_queues()[node]],
            control.rate_limit("jobs.add", "100/s", **said),
            control.time_limit("jobs.add", soft=10, hard=20, **said),
            control.add_consumer("more", **said),
            control.enable_events(**said),
            control.revoke(revoked.id, **said)[0][node]["ok"],
            revoked.id in inspect.revoked()[node],
            control.terminate("busy", signal="SIGKILL", **said),
            control.broadcast("no_such_command", **said),
            revoked.get(timeout=20, propagate=False).__class__.__name__,
            add.apply_async((2, 3), queue="more").get(timeout=10),
        ]
        control.shutdown(destination=[node])
        """,
    )

    ok = [{"node0@here": {"ok": "pong"}}]
    assert told[:2] == [ok, ok]
    [active] = told[2]
    assert (active["id"], active["name"], active["args"]) == ("busy", "jobs.spin", ["busy", 60.0])
    assert told[3] == "active"
    assert {"total", "pid", "pool", "broker", "rusage", "uptime", "clock", "prefetch_count"} <= set(told[4])
    assert any(name.startswith("jobs.add") for name in told[5])
    assert told[6] == ["celery"]
    answers = [next(iter(each[0].values())) for each in told[7:11]]
    assert answers == [
        {"ok": "new rate limit set successfully"},
        {"ok": "time limits set successfully"},
        {"ok": "add consumer more"},
        {"ok": "task events enabled"},
    ]
    assert "flagged as revoked" in told[11]
    assert told[12:14] == [True, [{"node0@here": {"ok": "terminate: busy"}}]]
    assert told[14] == [{"node0@here": {"error": "KeyError('no_such_command')"}}]
    assert told[15:] == ["TaskRevokedError", 5]
    assert node.process.wait(WAIT_S) == 0


def test_celerys_command_line_lists_and_asks_our_node(shared: Fleet) -> None:
    shared.start("-c", "1")

    ran = [
        subprocess.run(
            [CELERY_PYTHON, "-m", "celery", "-A", "celery_jobs", *words.split()],
            cwd=shared.folder,
            env=celery_environment(shared),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for words in ("status", "inspect active_queues -d node0@here", "control pool_grow 1 -d node0@here")
    ]

    assert [each.returncode for each in ran] == [0, 0, 0], [each.stderr for each in ran]
    assert "node0@here" in ran[0].stdout
    assert "celery" in ran[1].stdout
    assert "pool will grow" in ran[2].stdout


def test_our_client_asks_and_steers_celerys_worker(shared: Fleet) -> None:
    start_celery(shared, "-n", "theirs@here", "--without-gossip")
    control, name = shared.client.control, "theirs@here"

    def ask(method: str, *args: Any, **options: Any) -> Any:
        [answer] = getattr(control, method)(*args, reply=True, timeout=WAIT_S, destination=[name], **options)
        return answer[name]

    inspect = control.inspect(name, timeout=WAIT_S)
    result = shared.send("wait", 30.0, task_id="long")

    assert control.ping(destination=[name], timeout=WAIT_S) == [{name: {"ok": "pong"}}]
    eventually(lambda: inspect.active(), what="it runs")
    assert [info["id"] for info in inspect.active()] == ["long"]
    assert inspect.stats()["pool"]["max-concurrency"] == 2
    assert [queue["name"] for queue in inspect.active_queues()] == ["celery"]
    assert ask("rate_limit", "jobs.add", "10/m") == {"ok": "new rate limit set successfully"}
    assert ask("add_consumer", "extra") == {"ok": "add consumer extra"}
    assert ask("pool_grow", 1) == {"ok": "pool will grow"}
    result.revoke(terminate=True)
    with pytest.raises(TaskRevokedError):
        result.get(timeout=WAIT_S)


def test_what_our_client_revokes_neither_kind_of_worker_starts(shared: Fleet) -> None:
    start_celery(shared, "-n", "theirs@here")
    shared.start("-c", "1")
    results = [shared.send("early", f"{n}", countdown=1.5) for n in range(20)]

    for result in results:
        result.revoke()

    for result in results:
        with pytest.raises(TaskRevokedError):
            result.get(timeout=WAIT_S)
    assert shared.times("begin") == {}
    assert os.path.getsize(shared.journal) == 0


def test_status_shows_both_kinds(shared: Fleet) -> None:
    start_celery(shared, "-n", "theirs@here")
    shared.start("-c", "1")

    ran = shared.celeriac("status")

    assert (ran.returncode, ran.stdout) == (0, "node1@here: OK\ntheirs@here: OK\n\n2 nodes online.\n")
