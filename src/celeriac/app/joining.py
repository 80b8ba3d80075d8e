"""May code here wait for a result? Inside a task it may not, unless it knows better.

In a job's life: before every wait. A task that waits for another holds its slot meanwhile; when all slots wait, nothing ends.
Source: Celery's guide, "Avoid launching synchronous subtasks". Does not know: results.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from celeriac.app.context import current_context

_allowed: ContextVar[bool | None] = ContextVar("celeriac_joins_allowed", default=None)
"""``None``: nobody has said; inside a task it is forbidden then."""


@contextmanager
def allow_join_result() -> Iterator[None]:
    """Let code inside a task wait for other tasks, though that can block a worker for ever."""
    token = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(token)


@contextmanager
def denied_join_result() -> Iterator[None]:
    """Forbid code here to wait for results, inside a task or not."""
    token = _allowed.set(False)
    try:
        yield
    finally:
        _allowed.reset(token)


def join_will_block() -> bool:
    """Say whether waiting for a result is forbidden here. An eager task may wait: it holds no worker's slot."""
    allowed = _allowed.get()
    if allowed is not None:
        return not allowed
    context = current_context()
    running = None if context is None else context.of_worker
    return running is not None and not running.is_eager


def assert_will_not_block() -> None:
    """Raise if a task runs here: waiting for another one can block the worker for ever.

    Raises:
        RuntimeError: ``join_will_block``.
    """
    if join_will_block():
        raise RuntimeError(
            "never wait for a result inside a task: the worker may have no slot left for the other one. "
            "Link the tasks instead, or use allow_join_result() if you know better"
        )
