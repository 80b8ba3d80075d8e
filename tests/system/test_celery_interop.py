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
from system.patience import eventually
from system.redis_server import RedisServer

CELERY_PYTHON = os.environ.get("CELERIAC_TEST_CELERY_PYTHON", "")
COUNT = 500
CELERY_JOBS = """
    import os
    import time

    from celery import Celery, group

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


    @app.task(name="jobs.wait")
    def wait(seconds):
        time.sleep(seconds)


    @app.task(name="jobs.fail")
    def fail(text):
        raise ValueError(text)


    @app.task(name="jobs.total")
    def total(numbers):
        return sum(numbers)


    @app.task(name="jobs.split", bind=True)
    def split(self, x):
        raise self.replace(group(add.s(x, 1), add.s(x, 2)) | total.s())


    @app.task(name="jobs.fork", bind=True)
    def fork(self, x):
        raise self.replace(group(add.s(x, 1), add.s(x, 2)))


    @app.task(name="jobs.adds", bind=True)
    def adds(self, x):
        self.add_to_chord(add.s(x, 1000))
        return x


    @app.task(name="jobs.splits_late", bind=True)
    def splits_late(self, x):
        raise self.replace(add.s(x, 1).set(queue="theirs") | group(add.s(1), add.s(2)))


    @app.task(name="jobs.explained")
    def explained(request, exc, traceback):
        note("explained", type(exc).__name__)


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
    return start_celery(shared)


def start_celery(shared: Fleet, *words: str) -> Node:
    """Start a worker of Celery; return when it is ready."""
    log = shared.folder / "celery.log"
    command = [CELERY_PYTHON, "-m", "celery", "-A", "celery_jobs", "worker", "-c", "2", "-l", "INFO", "--without-mingle", *words]
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


def test_whatever_our_worker_tells_of_an_exception_celerys_client_reads(shared: Fleet) -> None:
    shared.start("-c", "1", "-I", "wild_jobs")

    told = celery_says(
        shared,
        """
        kinds = ["odd", "loud", "stingy", "untouchable", "chained", "deep", "group", "its own base", "exit", "no json", "no file"]
        ends = {kind: app.send_task("wild_jobs.misbehave", (kind,)) for kind in kinds}
        answer = {kind: type(end.get(timeout=30, propagate=False)).__name__ for kind, end in ends.items()}
        """,
    )

    # What cannot be made of its arguments is a plain Exception to Celery; what is not loaded there, a class of that name.
    assert told == {
        "odd": "Odd",
        "loud": "Loud",
        "stingy": "Stingy",
        "untouchable": "Untouchable",
        "chained": "ValueError",
        "deep": "ValueError",
        "group": "Exception",
        "its own base": "Own",
        "exit": "SystemExit",
        "no json": "Exception",
        "no file": "FileNotFoundError",
    }


WORTH = [7, 380, 107, 13]


def test_workflows_that_celerys_client_sends_are_carried_out_by_our_worker(shared: Fleet) -> None:
    shared.start("-c", "2")

    told = celery_says(
        shared,
        """
        from celery import chain, chord, group, signature

        def call(name, *args):
            return signature(name, args=args, app=app)

        total, add = call("jobs.total"), lambda *args: call("jobs.add", *args)
        sent = [
            (add(1, 1) | add(2) | add(3)).delay(),
            chord([add(i, i) for i in range(20)], total).delay(),
            (add(1, 1) | group(add(1), add(2)) | total | add(100)).delay(),
            chord([chord([add(1, 1), add(2, 2)], total), add(1, 1) | add(5)], total).delay(),
        ]
        failed = chord([add(1, 1), call("jobs.fail", "no such thing")], total).delay()
        error = failed.get(timeout=20, propagate=False)
        answer = [[one.get(timeout=20) for one in sent], failed.state, type(error).__name__]
        """,
    )

    assert told == [WORTH, "FAILURE", "ChordError"]


def test_workflows_that_we_send_are_carried_out_by_celerys_worker(shared: Fleet, celery_worker: Node) -> None:
    from celeriac import chord, group

    def call(name: str, *args: object) -> Any:
        return shared.client.signature(name, args)

    def add(*args: int) -> Any:
        return call("jobs.add", *args)

    total = call("jobs.total")
    sent = [
        (add(1, 1) | add(2) | add(3)).delay(),
        chord([add(i, i) for i in range(20)], total).delay(),
        (add(1, 1) | group(add(1), add(2)) | total | add(100)).delay(),
        chord([chord([add(1, 1), add(2, 2)], total), add(1, 1) | add(5)], total).delay(),
    ]

    assert [one.get(timeout=20) for one in sent] == WORTH


def test_both_kinds_of_workers_join_one_chord(shared: Fleet, celery_worker: Node) -> None:
    from celeriac import chord

    shared.start("-c", "2")
    total = shared.client.signature("jobs.total")

    sent: Any = [chord([shared.client.signature("jobs.add", (i, i)) for i in range(30)], total).delay() for _ in range(20)]

    assert {one.get(timeout=30) for one in sent} == {870}


def test_a_long_workflow_passes_through_celerys_worker_where_one_of_ours_gets_what_that_does_not_know(shared: Fleet) -> None:
    from celeriac import chain, chord

    start_celery(shared, "-Q", "theirs")
    shared.start("-c", "1")
    add = shared.client.signature("jobs.add", (1,), queue="theirs")
    long: Any = chain(shared.client.signature("jobs.add", (0, 1), queue="theirs"), *[add] * 59)
    total = shared.client.signature("jobs.total", queue="theirs")

    few = [add.clone((i,)) for i in range(5)]
    sent: Any = [long.delay(), chord(few, chain(total, *[add] * 30)).delay(), chord(few, total | add).delay()]

    assert [one.get(timeout=40) for one in sent] == [60, 15 + 30, 16]


def test_what_replaces_a_member_ends_in_its_place_also_when_celerys_worker_carries_it_on(shared: Fleet) -> None:
    from celeriac import chord

    start_celery(shared, "-Q", "theirs")
    shared.start("-c", "1", "-I", "changing_jobs")
    call = shared.client.signature

    header = [call("jobs.splits_late", (3,)), call("jobs.add", (5, 0))]
    sent: Any = [chord(header, call("jobs.early")).delay() for _ in range(3)]

    assert [one.get(timeout=30) for one in sent] == [[[5, 6], 5]] * 3


def test_celerys_worker_calls_the_errbacks_of_a_chord_whose_last_member_one_of_ours_has_run(shared: Fleet) -> None:
    from celeriac import chord

    start_celery(shared, "-Q", "theirs")
    shared.start("-c", "1", "-I", "changing_jobs")
    call = shared.client.signature

    body = call("jobs.total").on_error(call("jobs.explained", queue="theirs"))
    sent: Any = [chord([call("jobs.fail", ("no",)), call("jobs.add", (5, 0))], body).delay() for _ in range(3)]

    for one in sent:
        with pytest.raises(Exception, match="no"):
            one.get(timeout=30)
    eventually(lambda: shared.times("explained") == {"ChordError": 3}, within_s=30, what="the errbacks are called")


NESTED = [0, [3, 4], 9]
"""What a header comes to whose second member ends with a group."""


def test_headers_that_celerys_client_nests_keep_their_lists_whoever_runs_their_members(
    shared: Fleet, celery_worker: Node
) -> None:
    shared.start("-c", "2")

    told = celery_says(
        shared,
        """
        from celery import chain, chord, group, signature

        def add(*args):
            return signature("jobs.add", args=args, app=app)

        def header():
            return [add(0, 0), chain(add(1, 1), group(add(1), add(2))), add(9, 0)]

        body = signature("jobs.early", app=app)
        sent = [chord(header(), body.clone()).delay() for _ in range(20)]
        answer = [one.get(timeout=30) for one in sent]
        """,
    )

    assert told == [NESTED] * 20


def test_headers_that_we_nest_keep_their_lists_whoever_runs_their_members(shared: Fleet, celery_worker: Node) -> None:
    from celeriac import chain, chord, group

    shared.start("-c", "2")

    def add(*args: int) -> Any:
        return shared.client.signature("jobs.add", args)

    def header() -> list[Any]:
        return [add(0, 0), chain(add(1, 1), group(add(1), add(2))), add(9, 0)]

    def immutable() -> list[Any]:
        one, (first, *rest), last = add(0, 0), (add(1, 1), add(1), add(2)), add(9, 0)
        return [one.set(immutable=True), chain(first.set(immutable=True), group(*rest)), last.set(immutable=True)]

    direct: list[Any] = [chord(header(), shared.client.signature("jobs.early")).delay() for _ in range(20)]
    # Opened by whichever worker runs the step before.
    later: list[Any] = [chain(add(5, 5), chord(immutable(), shared.client.signature("jobs.early"))).delay() for _ in range(20)]

    assert [one.get(timeout=30) for one in [*direct, *later]] == [NESTED] * 40


@pytest.mark.parametrize("workers", ["celery", "celeriac"])
def test_nested_headers_keep_their_lists_with_either_kind_of_workers(shared: Fleet, request: Any, workers: str) -> None:
    from celeriac import chain, chord, group

    if workers == "celery":
        request.getfixturevalue("celery_worker")
    else:
        shared.start("-c", "2")

    def add(*args: int) -> Any:
        return shared.client.signature("jobs.add", args)

    sent: Any = chord(
        [add(0, 0), chain(add(1, 1), group(add(1), add(2))), add(9, 0)], shared.client.signature("jobs.early")
    ).delay()
    told = celery_says(
        shared,
        """
        from celery import chain, chord, group, signature

        def add(*args):
            return signature("jobs.add", args=args, app=app)

        header = [add(0, 0), chain(add(1, 1), group(add(1), add(2))), add(9, 0)]
        answer = chord(header, signature("jobs.early", app=app)).delay().get(timeout=20)
        """,
    )

    assert (sent.get(timeout=20), told) == (NESTED, NESTED)


def test_a_group_that_one_side_has_saved_is_restored_by_the_other(shared: Fleet) -> None:
    from celeriac import group

    shared.start("-c", "2")
    ours: Any = group(shared.client.signature("jobs.add", (i, i)) for i in range(3)).delay()
    ours.save()

    ids = celery_says(
        shared,
        f"""
        from celery import group
        from celery.result import GroupResult

        found = GroupResult.restore({ours.id!r}, app=app)
        theirs = group(add.s(i, 100) for i in range(3)).delay()
        theirs.save()
        answer = [found.get(timeout=20), theirs.id]
        """,
    )

    assert ids[0] == [0, 2, 4]
    assert shared.client.GroupResult.restore(ids[1]).get(timeout=20) == [100, 101, 102]


CHANGED = [113, 19, [1, [6, 7]], 2013]
"""What ``changing`` workflows come to."""


def test_tasks_are_replaced_and_members_added_whichever_kind_of_worker_runs_them(shared: Fleet, celery_worker: Node) -> None:
    from celeriac import chain, chord

    shared.start("-c", "2", "-I", "changing_jobs")

    def call(name: str, *args: int) -> Any:
        return shared.client.signature(f"jobs.{name}", args)

    sent: list[list[Any]] = [
        [
            chain(call("add", 1, 4), call("split"), call("add", 100)).delay(),
            chord([call("split", 5), call("split", 1), call("add", 0, 1)], call("total")).delay(),
            chord([call("add", 0, 1), call("fork", 5)], call("early")).delay(),
            chord([call("adds", 5), call("adds", 1), call("add", 0, 1)], call("total")).delay(),
        ]
        for _ in range(10)
    ]

    assert [[one.get(timeout=40) for one in several] for several in sent] == [CHANGED] * 10


def test_so_it_is_with_workflows_that_celerys_client_sends(shared: Fleet, celery_worker: Node) -> None:
    shared.start("-c", "2", "-I", "changing_jobs")

    told = celery_says(
        shared,
        """
        from celery import chain, chord, signature

        def call(name, *args):
            return signature("jobs." + name, args=args, app=app)

        sent = [
            [
                chain(call("add", 1, 4), call("split"), call("add", 100)).delay(),
                chord([call("split", 5), call("split", 1), call("add", 0, 1)], call("total")).delay(),
                chord([call("add", 0, 1), call("fork", 5)], call("early")).delay(),
                chord([call("adds", 5), call("adds", 1), call("add", 0, 1)], call("total")).delay(),
            ]
            for _ in range(10)
        ]
        answer = [[one.get(timeout=40) for one in several] for several in sent]
        """,
    )

    assert told == [CHANGED] * 10
