"""The app of the tests of beats: its store, and how many entries tick how often, come from the environment."""

from __future__ import annotations

import os
from typing import Any

from celeriac import Celery
from celeriac.app.runtime import SystemRuntime


class Skewed(SystemRuntime):
    """A wall clock that is wrong."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        """The wrong time."""
        return super().time() + self._seconds


def made(skew_s: float = 0.0) -> Celery:
    """Return the app."""
    url = os.environ["TICKING_STORE"]
    app = Celery("ticking", broker=url, backend=url, runtime=Skewed(skew_s))
    every, count = float(os.environ.get("TICKING_EVERY", "1")), int(os.environ.get("TICKING_COUNT", "1"))
    entry = {"task": "ticking.tick", "schedule": every, "catch_up": 10_000}
    app.conf.beat_schedule = {f"e{number:03}": entry for number in range(count)}

    @app.task(name="ticking.tick")
    def tick(*args: Any) -> None:
        """Do nothing."""

    return app


app = made()
