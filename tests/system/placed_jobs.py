"""Tasks with a result backend of their own. A worker is told of them with ``-I placed_jobs``."""

from __future__ import annotations

import os
import signal

from jobs import app, note  # type: ignore[import-not-found]  # as the worker finds it

PLACE = os.environ["JOBS_PLACE"]


@app.task(backend=PLACE, track_started=True)  # type: ignore[untyped-decorator]
def kept(x: int) -> int:
    return x + 1


@app.task(backend=PLACE)  # type: ignore[untyped-decorator]
def fails() -> None:
    raise KeyError("gone")


@app.task(backend=PLACE)  # type: ignore[untyped-decorator]
def dies() -> None:
    note("begin", "dies")
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(bind=True, backend=PLACE)  # type: ignore[untyped-decorator]
def reports(self: object, steps: int) -> int:
    self.update_state(state="PROGRESS", meta={"of": steps})  # type: ignore[attr-defined]
    return steps
