"""Programs written for Celery, not for us, run as they are: `import celery`, `celery -A ... worker`, results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from system.patience import eventually
from system.processes import send, session_of

HERE = Path(__file__).parent
SHIM = HERE.parent.parent / "shim" / "src"


class Program:
    """One program's folder, with a store of its own."""

    def __init__(self, folder: str, store: Path) -> None:
        self.folder, self.log = HERE / "programs" / folder, store / "worker.log"
        url = f"sqlite:///{store}/store.db"
        hidden = {name: value for name, value in os.environ.items() if not name.startswith("CELERY_")}
        self.environment = {
            **hidden,
            "PYTHONPATH": str(SHIM),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CELERY_BROKER_URL": url,
            "CELERY_RESULT_BACKEND": url,
        }

    @contextmanager
    def worker(self, app: str, *options: str) -> Iterator[None]:
        """Run a worker until the end of the block."""
        command = [sys.executable, "-m", "celery", "-A", app, "worker", "-c", "1", "-l", "info", *options]
        with self.log.open("wb") as log:
            node = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            eventually(
                lambda: " ready." in self.log.read_text() or node.poll() is not None, within_s=30, what="the worker is ready"
            )
            assert node.poll() is None, self.log.read_text()
            yield
        finally:
            node.terminate()
            try:
                node.wait(20)
            finally:
                for process in session_of(node.pid):
                    send(process.pid, signal.SIGKILL)

    def ask(self, code: str) -> object:
        """Run a client in the folder; return what it prints as JSON."""
        program = f"import json\n{code}"
        answer = subprocess.run(
            [sys.executable, "-c", program], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=30
        )
        assert answer.returncode == 0, f"{answer.stderr}\n{self.log.read_text()}"
        return json.loads(answer.stdout)


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_a_program_of_one_module(tmp_path: Path, pool: str) -> None:
    program = Program("plain", tmp_path)

    with program.worker("tasks", "-P", pool):
        answers = program.ask(
            "from tasks import add, stubborn, divide\n"
            "from celery.result import AsyncResult\n"
            "results = [add.delay(2, 2), stubborn.delay(), divide.apply_async((1, 0), countdown=0)]\n"
            "told = [results[0].get(timeout=20), results[1].get(timeout=20), repr(results[2].get(timeout=20, propagate=False))]\n"
            "print(json.dumps([*told, AsyncResult(results[0].id).state]))"
        )

    assert answers == [4, 2, "ZeroDivisionError('division by zero')", "SUCCESS"]
    assert "adding 2 and 2" in program.log.read_text()


def test_a_project_in_the_form_of_djangos(tmp_path: Path) -> None:
    program = Program("shop_site", tmp_path)

    with program.worker("shop"):
        answers = program.ask(
            "from shop.orders.tasks import total, ship\n"
            "from shop.celery import debug_task, app\n"
            "debug_task.delay()\n"
            "print(json.dumps([total.delay([1, 2]).get(timeout=20), ship.delay('x').get(timeout=20), total.name,\n"
            "    app.conf.task_track_started, app.conf.task_default_queue]))"
        )
        eventually(lambda: "Request: <Context" in program.log.read_text(), what="the request printed")

    assert answers == [3, "x by orders.ship", "shop.orders.tasks.total", True, "shop"]


def test_a_program_in_the_form_of_flasks(tmp_path: Path) -> None:
    program = Program("flaskish", tmp_path)

    with program.worker("application:celery"):
        answers = program.ask(
            "from application import inside, flask\n"
            "print(json.dumps([inside.delay().get(timeout=20), inside(), inside.apply().get(), flask.active]))"
        )

    assert answers == [True, True, True, False]


def test_a_program_of_classes_hooks_and_signals(tmp_path: Path) -> None:
    program = Program("classes", tmp_path)

    with program.worker("jobs"):
        answers = program.ask(
            "from jobs import rows, square, progress, listening, twice\n"
            "first = [rows.delay().get(timeout=20), rows.delay().get(timeout=20)]\n"
            "values = [one.get(timeout=20) for one in (twice.delay(7), square.delay(4), progress.delay(), listening.delay())]\n"
            "print(json.dumps([first, twice.delay(7), *values]))"
        )

    assert answers == [
        [[3, 1], [3, 1]],
        "already queued",
        [7, {"keys": ["x"]}],
        16,
        True,
        [
            ["prerun", "jobs.rows"],
            ["success", [3, 1]],
            ["prerun", "jobs.rows"],
            ["success", [3, 1]],
            ["prerun", "jobs.twice"],
            ["prerun", "jobs.square"],
            ["prerun", "jobs.progress"],
            ["prerun", "jobs.listening"],
        ],
    ]


@pytest.mark.parametrize("pool", ["prefork", "solo", "threads"])
def test_a_tool_that_replaces_the_maker_of_tracers_is_around_every_run(tmp_path: Path, pool: str) -> None:
    program = Program("traced", tmp_path)

    with program.worker("work", "-P", pool):
        answers = program.ask(
            "from work import plain, own, later, spans, app\n"
            "sends = [lambda: plain.delay(1), lambda: app.send_task('work.own', (1,)), lambda: later.delay(2)]\n"
            "values = [send().get(timeout=20) for send in sends]\n"
            "print(json.dumps([values, spans.delay().get(timeout=20)]))"
        )

    def around(name: str) -> list[list[str | None]]:
        return [["begin", name, "abc"], ["call", name, "abc"], ["end", name, None]]

    told = [*around("work.plain"), *around("work.own"), *around("work.later")]
    assert answers == [[1, 2, 2], [*told, ["begin", "work.spans", "abc"], ["call", "work.spans", "abc"]]]


@pytest.mark.parametrize("imported", ["before", "after"])
def test_a_program_may_catch_kombus_and_billiards_errors(tmp_path: Path, imported: str) -> None:
    pytest.importorskip("redis")
    program = Program("beside", tmp_path)
    del program.environment["CELERY_BROKER_URL"]

    answer = subprocess.run(
        [sys.executable, "-W", "error", "catching.py", imported],
        cwd=program.folder, env=program.environment, capture_output=True, text=True, timeout=30,
    )  # fmt: skip

    assert answer.returncode == 0, answer.stderr
    limits = ["SoftTimeLimitExceeded", "TimeLimitExceeded", "WorkerLostError"]
    assert json.loads(answer.stdout) == [["celeriac.core.errors", True], True, *limits]


def test_the_report_says_which_celery_is_active(tmp_path: Path) -> None:
    program = Program("plain", tmp_path)

    answer = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "tasks", "report", "--json"],
        cwd=program.folder, env=program.environment, capture_output=True, text=True, timeout=30,
    )  # fmt: skip

    told = json.loads(answer.stdout)["packages"]["celery"]
    assert told == f"not installed; but imported from {SHIM}/celery/__init__.py"
