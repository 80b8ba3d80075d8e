"""Run a workflow here and now, step by step, in a thread or in an event loop.

In a job's life: instead of everything between ``apply_async`` and ``get``. A workflow says what it wants to be run next and is
told the result; who drives it runs that with ``apply``, or awaits ``aapply``. Does not know: what is run.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

Asked = tuple[Any, Sequence[Any] | None, Mapping[str, Any] | None, dict[str, Any]]
"""A signature, and what it is to be applied with: arguments, keyword arguments, options."""
Applying = Generator[Asked, Any, Any]
"""Yields what is to be run, is sent the result of that, and returns the result of all."""


def applied(steps: Applying) -> Any:
    """Run all, and return the result of all."""
    found = None
    while True:
        try:
            sig, args, kwargs, options = steps.send(found)
        except StopIteration as end:
            return end.value
        found = sig.apply(args, kwargs, **options)


async def aapplied(steps: Applying) -> Any:
    """The twin of ``applied`` for event loops: coroutines run on this one."""
    found = None
    while True:
        try:
            sig, args, kwargs, options = steps.send(found)
        except StopIteration as end:
            return end.value
        found = await sig.aapply(args, kwargs, **options)
