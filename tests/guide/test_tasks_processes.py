"""The examples of Celery's chapters that need a real worker: the log and the output of its processes, limits, the command line.

A store in memory cannot be shared by processes: these run on SQLite and on Redis.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celeriac import Celery, SoftTimeLimitExceeded, TimeLimitExceeded
from guide.conftest import empty_redis
from system.patience import eventually

TASKS = """
import logging
import os
import sys
import time

from celeriac import Celery, SoftTimeLimitExceeded, get_task_logger, signals

app = Celery("shop")
app.config_from_envvar("CELERY_CONFIG_MODULE")
log = get_task_logger(__name__)


@app.task(bind=True)
def plus(self, x, y):
    log.info("adding %s and %s", x, y)
    return x + y


@app.task
def printed(x, y):
    print(f"printed {x} + {y}")
    print("complained", file=sys.stderr)
    return x + y


@app.task(bind=True)
def redirected(self, x, y):
    streams = sys.stdout, sys.stderr
    level = self.app.conf.worker_redirect_stdouts_level
    try:
        self.app.log.redirect_stdouts_to_logger(logging.getLogger("shop.own"), level)
        print(f"redirected {x} + {y}")
        return x + y
    finally:
        sys.stdout, sys.stderr = streams


@app.task(time_limit=0.5)
def hangs():
    time.sleep(60)


@app.task(soft_time_limit=0.3, time_limit=30)
def slow(tidies):
    try:
        time.sleep(60)
    except SoftTimeLimitExceeded:
        if tidies:
            return "tidied up"
        raise


@app.task
def tell(request, error, traceback):
    log.info("errback of %s heard %s", request.id, type(error).__name__)


@signals.task_failure.connect
def on_task_failure(sender, task_id, exception, **kwargs):
    log.info("receiver for %s heard %s", task_id, type(exception).__name__)


@app.task
def pid():
    return os.getpid()
"""
UNREDIRECTED = """
app.conf.worker_redirect_stdouts = False
"""
QUIET = """
@signals.setup_logging.connect
def on_setup_logging(**kwargs):
    pass
"""
PROPAGATING = """
@signals.after_setup_logger.connect
def on_after_setup_logger(logger, **kwargs):
    for name in ("celeriac", "celery", "celery.app.trace"):
        logging.getLogger(name).propagate = True
    logger.info("the log is set up")
"""


class Shop:
    """A project in a folder, its worker, and a client of it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.client = Celery("client", broker=url, backend=url, set_as_current=False)
        self._workers: list[subprocess.Popen[bytes]] = []
        self.output = folder / "output"
        (folder / "settings_of_production.py").write_text(f"broker_url = result_backend = {url!r}\nworker_concurrency = 1\n")

    def start(self, *words: str, more: str = "") -> None:
        """Start ``celeriac worker`` with these words; return when it is ready."""
        (self.folder / "tasks.py").write_text(TASKS + more)
        command = [sys.executable, "-m", "celeriac", "-A", "tasks", "worker", "-l", "INFO", *words]
        with self.output.open("ab") as output:
            worker = subprocess.Popen(
                command,
                cwd=self.folder,
                env={"CELERY_CONFIG_MODULE": "settings_of_production", "PATH": "/usr/bin:/bin", "HOME": str(self.folder)},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._workers.append(worker)
        eventually(lambda: self.client.store.nodes() or worker.poll() is not None, what="the worker is ready")
        assert worker.poll() is None, self.log

    @property
    def log(self) -> str:
        """All that the worker has printed."""
        return self.output.read_text()

    def run(self, task: str, *args: Any, **options: Any) -> Any:
        """Send a task; return its result."""
        return self.client.send_task(f"tasks.{task}", args, **options).get(timeout=20)

    def line(self, text: str) -> str:
        """Wait for a line of the log."""
        return eventually(lambda: next((line for line in self.log.splitlines() if text in line), None), what=text)

    def close(self) -> None:
        """Stop the workers."""
        while self._workers:
            worker = self._workers.pop()
            worker.terminate()
            worker.wait(20)
        self.client.close()


@pytest.fixture(params=["sqlite", "redis"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """Give the project on each store."""
    url = empty_redis() if request.param == "redis" else f"sqlite:///{tmp_path / 'store.db'}"
    made = Shop(tmp_path, url)
    yield made
    made.close()


def test_the_environment_chooses_the_settings_and_the_log_names_the_task(shop: Shop) -> None:
    shop.start()

    result = shop.client.send_task("tasks.plus", (2, 3))

    assert result.get(timeout=20) == 5
    assert f"tasks.plus[{result.id}]" in shop.line("adding 2 and 3")
    assert "succeeded" in shop.line(f"Task tasks.plus[{result.id}] succeeded")


def test_what_a_task_prints_is_logged(shop: Shop) -> None:
    shop.start()

    assert shop.run("printed", 2, 3) == 5

    assert "WARNING" in shop.line("printed 2 + 3")
    assert "WARNING" in shop.line("complained")


def test_a_task_may_have_what_it_prints_logged_though_the_worker_does_not(shop: Shop) -> None:
    shop.start(more=UNREDIRECTED)

    shop.run("printed", 2, 3)
    shop.run("redirected", 4, 5)
    shop.run("printed", 6, 7)
    shop.close()  # what was printed into a file may wait for more until then

    assert "WARNING" in shop.line("redirected 4 + 5")
    assert shop.line("printed 2 + 3") == "printed 2 + 3"
    assert shop.line("printed 6 + 7") == "printed 6 + 7"


def test_loggers_can_be_set_up_after_ours(shop: Shop) -> None:
    shop.start(more=PROPAGATING)

    shop.run("plus", 1, 1)

    assert "INFO" in shop.line("the log is set up")
    shop.line("succeeded")


def test_a_receiver_of_setup_logging_replaces_all_of_it(shop: Shop) -> None:
    shop.start(more=QUIET)

    assert shop.run("plus", 1, 1) == 2
    assert "adding" not in shop.log
    assert "succeeded" not in shop.log


def test_time_limits_end_a_task_and_the_next_one_runs(shop: Shop) -> None:
    shop.start()

    before = shop.run("pid")
    assert shop.run("slow", True) == "tidied up"
    with pytest.raises(SoftTimeLimitExceeded):
        shop.run("slow", False)
    same = shop.run("pid")
    with pytest.raises(TimeLimitExceeded):
        shop.run("hangs")

    assert before == same != shop.run("pid")


@pytest.mark.parametrize(("task", "args", "error"), [("slow", (False,), SoftTimeLimitExceeded), ("hangs", (), TimeLimitExceeded)])
def test_who_listens_for_failures_hears_of_both_limits(shop: Shop, task: str, args: Any, error: type[Exception]) -> None:
    shop.start()

    tell = shop.client.signature("tasks.tell")
    result = shop.client.send_task(f"tasks.{task}", args, link_error=tell)
    with pytest.raises(error):
        result.get(timeout=20)

    assert error.__name__ in shop.line(f"errback of {result.id} heard")
    assert error.__name__ in shop.line(f"receiver for {result.id} heard")


def test_a_worker_serves_the_queues_of_its_command_line(shop: Shop) -> None:
    shop.start("-Q", "celery,priority.high")

    assert shop.run("plus", 1, 2, queue="priority.high") == 3
    assert shop.run("plus", 1, 2) == 3
