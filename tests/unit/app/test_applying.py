"""A workflow that runs here and now says what is to run next, and is told the result of that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from celeriac.app.applying import Applying, aapplied, applied


class Call:
    """Something that can be applied, and notes with what."""

    def __init__(self, value: Any) -> None:
        self._value, self.seen = value, []  # type: ignore[var-annotated]

    def apply(self, args: Any, kwargs: Any, **options: Any) -> Any:
        self.seen.append((args, kwargs, options))
        if isinstance(self._value, Exception):
            raise self._value
        return self._value

    async def aapply(self, args: Any, kwargs: Any, **options: Any) -> Any:
        return self.apply(args, kwargs, **options)


def in_a_loop(steps: Applying) -> Any:
    return asyncio.run(_awaited(steps))


async def _awaited(steps: Applying) -> Any:
    return await aapplied(steps)


both = pytest.mark.parametrize("drive", [applied, in_a_loop])


@both
def test_each_is_run_with_what_was_asked_and_its_result_is_handed_back(drive: Callable[[Applying], Any]) -> None:
    first, second = Call(4), Call(9)

    def steps() -> Applying:
        found = yield first, (1,), {"y": 2}, {"queue": "q"}
        last = yield second, (found,), None, {}
        return found, last

    assert drive(steps()) == (4, 9)
    assert first.seen == [((1,), {"y": 2}, {"queue": "q"})]
    assert second.seen == [((4,), None, {})]


@both
def test_what_a_call_raises_is_raised(drive: Callable[[Applying], Any]) -> None:
    def steps() -> Applying:
        yield Call(LookupError("no such thing")), None, None, {}

    with pytest.raises(LookupError, match="no such thing"):
        drive(steps())
