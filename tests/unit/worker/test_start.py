"""What a node does before it runs."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from celeriac import Celery, signals
from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.childhood import before_fork
from celeriac.worker.instance import Worker
from celeriac.worker.start import run_worker


def test_a_receiver_that_starts_a_thread_in_the_template_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(Celery("warned", broker="memory://warned", set_as_current=False))
    free = threading.Event()
    thread = threading.Thread(target=free.wait, args=(10,), name="out of place")

    def careless(sender: Worker, **named: Any) -> None:
        assert sender is worker
        thread.start()

    signals.worker_before_create_process.connect(careless)
    try:
        before_fork(worker)
    finally:
        signals.worker_before_create_process.disconnect(careless)
        free.set()
        thread.join()

    assert "worker_before_create_process started threads" in caplog.text
    assert "out of place" in caplog.text


def test_without_receivers_nobody_is_warned(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(Celery("silent", broker="memory://silent", set_as_current=False))

    before_fork(worker)

    assert caplog.text == ""


@pytest.mark.parametrize("name", ["result_serializer", "task_serializer", "result_compression", "task_compression"])
def test_a_format_that_cannot_be_written_is_told_before_any_task_has_run(name: str) -> None:
    settings: dict[str, Any] = {name: "jsn"}
    app = Celery("wrong", broker="memory://wrong", set_as_current=False, **settings)

    with pytest.raises(ImproperlyConfigured, match=f"the setting {name} = 'jsn' is wrong: there is no"):
        run_worker(Worker(app))
