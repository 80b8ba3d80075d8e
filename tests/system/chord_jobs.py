"""Chords that tell what happens to their bodies. A worker is told of them with ``-I chord_jobs``."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from jobs import app, note  # type: ignore[import-not-found]  # as the worker finds it


@app.task(acks_late=True)  # type: ignore[untyped-decorator]
def member(chord: int, place: int) -> list[int]:
    time.sleep(0.001)
    return [chord, place]


@app.task(bind=True, acks_late=True)  # type: ignore[untyped-decorator]
def body(self: Any, values: list[list[int]], chord: int) -> str:
    """Say whether all values have come, in their order. A message whose run has cost a process comes again, and says so."""
    note("body-again" if self.request.delivery_info["redelivered"] else "body", chord)
    return f"{chord}: {len(values)}" if values == [[chord, place] for place in range(len(values))] else f"wrong: {values}"


@app.task  # type: ignore[untyped-decorator]
def early(chord: int, place: int) -> list[int]:
    time.sleep(0.01)
    return [chord, place]


@app.task  # type: ignore[untyped-decorator]
def dies(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@app.task  # type: ignore[untyped-decorator]
def hear(id: str) -> None:
    note("heard", id)
