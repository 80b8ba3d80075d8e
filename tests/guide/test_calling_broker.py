"""The examples of Celery's chapter "Calling Tasks", about a broker that does not answer: how long sending is tried."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from celeriac import Celery, OperationalError
from guide.conftest import Serve


@pytest.fixture(params=["sqlite", "redis"])
def silent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a broker that does not answer; one in this process always does."""
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "busy.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield f"sqlite:///{tmp_path / 'busy.db'}"
        return
    pytest.importorskip("redis")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and nobody listens
        yield f"redis://127.0.0.1:{bound.getsockname()[1]}/0"


def test_a_broker_that_does_not_answer_is_an_error_that_the_task_knows(silent: str) -> None:
    with Celery("guide", broker=silent, set_as_current=False) as app:

        @app.task
        def work() -> None: ...

        with pytest.raises(work.OperationalError) as raised:
            work.apply_async(retry=False)

    assert isinstance(raised.value, OperationalError)


def test_sending_is_tried_again_until_the_broker_answers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with Celery("guide", broker=url, set_as_current=False) as app:
        work = app.task(name="work")(lambda: None)
        work.delay()
        with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(OperationalError):
                work.apply_async(retry=False)
            freed = threading.Timer(0.3, other.rollback)
            freed.start()
            work.apply_async(retry=True, retry_policy={"max_retries": 3, "interval_start": 0, "interval_max": 0.2})
            freed.join()

        assert list(app.store.depth(["celery"])) == [2]


def test_a_policy_may_name_all_its_parts(app: Celery, serve: Serve) -> None:
    policy = {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2, "retry_errors": None}
    answer = app.task(name="answer")(lambda: 42)
    serve()

    assert answer.apply_async(retry=True, retry_policy=policy).get(timeout=5) == 42
    assert answer.apply_async(retry_policy={**policy, "retry_errors": (TimeoutError,)}).get(timeout=5) == 42
