"""What the screens have nodes do, and what they answered: revoke, terminate, limit the rate.

In a screen's life: after a key, in a thread, since nodes are given a second to answer. Does not know: how anything looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from celeriac.app.app import Celery
from celeriac.cli.output import printable
from celeriac.core.errors import CeleriacError


def revoke(app: Celery, id: str, *, terminate: bool) -> list[str]:
    """Have a task never start; ``terminate``: end it if it runs. Return the answers, a line each."""
    return _asked(lambda: app.control.revoke(id, terminate=terminate, reply=True))


def limit_rate(app: Celery, task: str, rate: str) -> list[str]:
    """Have nodes start no more runs of a task than ``10/m``; ``0``: any number. Return the answers, a line each."""
    return _asked(lambda: app.control.rate_limit(task, rate, reply=True))


def done(change: Callable[[], object], text: str) -> list[str]:
    """Change something in the store; return ``text``, or why it could not be."""
    try:
        change()
    except CeleriacError as error:
        return [printable(str(error))]
    return [printable(text)]


def _asked(ask: Callable[[], Sequence[Mapping[str, Any]] | None]) -> list[str]:
    try:
        return answers(ask())
    except CeleriacError as error:
        return [printable(str(error))]


def answers(replies: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """Return what nodes answered, a line each.

    >>> answers([{"celery@a": {"ok": "done"}}, {"celery@b": {"error": "no such task"}}])
    ['celery@a: done', 'celery@b: error: no such task']
    """
    lines = []
    for node, said in (pair for reply in replies or () for pair in reply.items()):
        if isinstance(said, Mapping) and "error" in said:
            text = f"error: {said['error']}"
        else:
            text = str(said.get("ok", said) if isinstance(said, Mapping) else said)
        lines.append(printable(f"{node}: {text}"))
    return lines or ["no node answered within a second"]
