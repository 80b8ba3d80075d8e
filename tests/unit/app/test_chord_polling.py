"""``interval`` and ``max_retries`` of a chord: of polling, which no store here needs, and which Celery's programs give."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from celeriac import Celery, chord, signature
from unit.app.serving import waiting

POLLING = ("interval", "max_retries")
CHORDS: dict[str, Callable[[Any, Any], Any]] = {
    "constructor": lambda member, body: chord([member], body, interval=1, max_retries=3).delay(),
    "apply_async": lambda member, body: chord([member], body).apply_async(interval=1, max_retries=3),
    "aapply_async": lambda member, body: asyncio.run(chord([member], body).aapply_async(interval=1, max_retries=3)),
    "call": lambda member, body: chord([member])(body, interval=1, max_retries=3),
    "run": lambda member, body: chord([member], body).run([member], body, (), interval=1, max_retries=3),
    "stored": lambda member, body: signature(dict(chord([member], body, interval=1, max_retries=3))).delay(),
    "clone": lambda member, body: chord([member], body, interval=1, max_retries=3).clone().delay(),
    "in a chain": lambda member, body: (chord([member], body, interval=1, max_retries=3) | body).delay(),
}


@pytest.mark.parametrize("how", CHORDS)
def test_a_chord_takes_how_to_poll_and_says_once_that_it_does_not(
    how: str, app: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    member, body = app.task(name="member")(lambda: 1).s(), app.task(name="body")(sum).s()
    app.set_current()

    with caplog.at_level(logging.WARNING, logger="celeriac"):
        for _ in range(2):
            CHORDS[how](member, body)

    assert [message.task for message in waiting(app)] == ["member", "member"]
    told = [record.message for record in caplog.records]
    expected = [f"{name} has no effect on a chord: its store counts the members, and nothing is polled" for name in POLLING]
    assert sorted(told) == expected


def test_run_here_and_now_it_takes_them_too(app: Celery) -> None:
    polling: Any = {"interval": 1}
    member, body = app.task(name="member")(lambda: 1).s(), app.task(name="body")(lambda values: sum(values)).s()

    result = chord([member], body, max_retries=3).apply(**polling)

    assert result.get() == 1
