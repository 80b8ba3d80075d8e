"""A task that uses a library with threads of its own."""

from __future__ import annotations

from jobs import app  # type: ignore[import-not-found]  # as the worker finds it
from threading_library import count  # type: ignore[import-not-found]


@app.task(name="jobs.locked")  # type: ignore[untyped-decorator]
def locked(number: int) -> int:
    return count(number)  # type: ignore[no-any-return]
