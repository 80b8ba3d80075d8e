"""A task that uses a library with threads of its own."""

from __future__ import annotations

from jobs import app
from threading_library import count


@app.task(name="jobs.locked")
def locked(number: int) -> int:
    return count(number)
