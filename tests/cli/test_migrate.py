"""Messages are carried from one broker to another."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from celeriac import Celery
from cli.quick import Quick
from cli.terminal import Terminal
from system.patience import eventually


@pytest.fixture
def redis_url() -> str:
    """Return the URL of an empty Redis database; skip where there is none."""
    url = os.environ.get("CELERIAC_TEST_REDIS")
    if url is None:
        pytest.skip("CELERIAC_TEST_REDIS is not set")
    redis = pytest.importorskip("redis")
    redis.Redis.from_url(url).flushdb()
    return url


def an_app(url: str, **settings: Any) -> Celery:
    return Celery("migrating", broker=url, set_as_current=False, **settings)


def sqlite(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}.db"


def test_messages_and_dates_are_copied_and_with_ack_messages_moved(quick: Quick, tmp_path: Path) -> None:
    here, there, elsewhere = (sqlite(tmp_path, name) for name in ("here", "there", "elsewhere"))
    source = an_app(here)
    for number in range(3):
        source.send_task("shop.add", (number, 1))
    source.send_task("shop.add", (3, 1), countdown=3600)

    copied = quick.celeriac("migrate", here, there, "--timeout", "0", bare=True)
    moved = quick.celeriac("migrate", here, elsewhere, "--timeout", "0", "-a", "--json", bare=True)

    assert copied.out.splitlines()[-1].startswith("4 messages copied to sqlite:"), copied.err
    assert moved.json == {"carried": 4, "copied": False, "seen": 4, "unreadable": 0}
    stores = [an_app(url).store for url in (here, there, elsewhere)]
    assert [(store.depth(["celery"])[0], store.scheduled()) for store in stores] == [(0, 0), (3, 1), (3, 1)]


def test_only_some_tasks_of_some_queues_up_to_a_limit_to_queues_of_other_names(quick: Quick, tmp_path: Path) -> None:
    here, there = sqlite(tmp_path, "here"), sqlite(tmp_path, "there")
    source = an_app(here)
    for queue in ("images", "mails"):
        for task in ("shop.add", "shop.other", "shop.add", "shop.add"):
            source.send_task(task, queue=queue)

    ran = quick.celeriac(
        "migrate", here, there, "-t", "0", "-a", "-T", "shop.add", "-Q", "images:pictures", "-n", "2", "-j", bare=True
    )

    assert ran.json["carried"] == 2, ran.err
    assert an_app(here).store.depth(["images", "mails"]) == [2, 4]
    assert an_app(there).store.depth(["images", "pictures"]) == [0, 2]


def test_from_sqlite_to_redis_and_back_every_task_runs(terminal: Terminal, redis_url: str) -> None:
    here, there = sqlite(terminal.folder, "here"), sqlite(terminal.folder, "there")
    results = [an_app(here, result_backend=there).send_task("shop.add", (number, 1)) for number in range(20)]

    first = terminal.celeriac("migrate", "-a", "-t", "0", here, redis_url)
    second = terminal.celeriac("migrate", "-a", "-t", "0", redis_url, there)

    assert first.out.splitlines()[-1] == f"20 messages moved to {redis_url}.", first.err
    assert second.out.splitlines()[-1].startswith("20 messages moved to sqlite:"), second.err
    worker = terminal.start("-b", there, "--result-backend", there, "-A", "shop", "worker", "-P", "solo")
    try:
        app = an_app(there, result_backend=there)
        assert [app.AsyncResult(one.id).get(timeout=20) for one in results] == list(range(1, 21))
    finally:
        worker.terminate()
        worker.communicate(timeout=20)


def test_what_a_migration_held_when_it_was_broken_off_goes_back(terminal: Terminal) -> None:
    here, there = sqlite(terminal.folder, "here"), sqlite(terminal.folder, "there")
    source = an_app(here)
    source.send_task("shop.add", (1, 1))
    process = terminal.start("migrate", here, there, "--forever")
    try:
        eventually(lambda: an_app(there).store.depth(["celery"]) == [1], within_s=20, what="the message is copied")
    finally:
        process.terminate()
        process.communicate(timeout=20)

    assert process.returncode == 130
    assert source.store.depth(["celery"]) == [1]


def test_a_queue_that_is_paused_is_told(quick: Quick, tmp_path: Path) -> None:
    here, there = sqlite(tmp_path, "here"), sqlite(tmp_path, "there")
    an_app(here).store.pause(queues=["celery"])

    ran = quick.celeriac("migrate", here, there, "-t", "0", bare=True)

    assert (ran.code, "the queue 'celery' is paused" in ran.err) == (1, True)


def test_a_message_of_celerys_is_carried(terminal: Terminal, redis_url: str) -> None:
    python = os.environ.get("CELERIAC_TEST_CELERY_PYTHON")
    if python is None:
        pytest.skip("CELERIAC_TEST_CELERY_PYTHON is not set")
    code = f"from celery import Celery; print(Celery('x', broker={redis_url!r}).send_task('shop.add', (2, 3), countdown=900).id)"
    sent = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    there = sqlite(terminal.folder, "there")

    ran = terminal.celeriac("migrate", "-a", "-t", "0", redis_url, there)

    assert ran.out.splitlines()[0] == f"celery: shop.add[{sent.stdout.strip()}]", ran.err
    assert (an_app(there).store.depth(["celery"]), an_app(there).store.scheduled()) == ([0], 1)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("memory://a",), 2, "Missing argument 'DESTINATION'"),
        (("memory://a", "amqp://there"), 1, "no driver of this version serves amqp://"),
        (("memory://a", "memory://a"), 2, "source and destination are one broker, where 'celery' would be carried into itself"),
        (("redis://localhost", "redis://localhost:6379/0"), 2, "source and destination are one broker"),
        (("memory://a", "memory://b", "-Q", "a,,b"), 2, "has an empty name in it"),
        (("memory://a", "memory://b", "-Q", "a:b c"), 2, "is no name: it has a space"),
        (("memory://a", "memory://b", "-n", "0"), 2, "0 is not in the range"),
        (("memory://a", "redis://127.0.0.1:1/0", "-t", "0"), 0, ""),
        (("redis://127.0.0.1:1/0", "memory://a", "-t", "0"), 69, "127.0.0.1:1"),
    ],
)
def test_a_wrong_call_is_told_in_a_sentence(quick: Quick, words: tuple[str, ...], code: int, sentence: str) -> None:
    ran = quick.celeriac("migrate", *words, bare=True)

    assert ran.code == code, ran.err
    assert sentence in ran.err
    assert len(ran.err.splitlines()) <= 1
