"""Tasks that fail in every way, and those that hear of it. A worker is told of them with ``-I linked_jobs``."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from jobs import app, note  # type: ignore[import-not-found]  # as the worker finds it


@app.task  # type: ignore[untyped-decorator]
def fails() -> None:
    raise KeyError("gone")


@app.task  # type: ignore[untyped-decorator]
def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@app.task  # type: ignore[untyped-decorator]
def hangs() -> None:
    time.sleep(60)


@app.task  # type: ignore[untyped-decorator]
def called(request: Any, exc: BaseException, traceback: str | None) -> None:
    note("called", f"{request.task}:{type(exc).__name__}:{request.tenant}")


@app.task  # type: ignore[untyped-decorator]
def sent(failed_id: str) -> None:
    note("sent", failed_id)


@app.task(bind=True)  # type: ignore[untyped-decorator]
def moves(self: Any) -> str:
    if self.request.retries == 0:
        raise self.retry(queue="other", countdown=0.1)
    return str(self.request.delivery_info["routing_key"])
