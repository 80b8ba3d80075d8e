"""``celery.concurrency``: the pools of a worker, by name. What runs tasks is a lane, not a pool of Celery's form."""

from __future__ import annotations

import os
from typing import Any, Final

from celeriac.worker.lanes.custom import CUSTOM, VARIABLE, lane_class

ALIASES: Final[dict[str, str]] = {
    "prefork": "celeriac.worker.lanes.inline:InlineLane",
    "eventlet": "celeriac.worker.lanes.by_eventlet:EventletLane",
    "gevent": "celeriac.worker.lanes.by_gevent:GeventLane",
    "solo": "celeriac.worker.lanes.inline:InlineLane",
    "processes": "celeriac.worker.lanes.inline:InlineLane",
    "threads": "celeriac.worker.lanes.threads:ThreadsLane",
    "asyncio": "celeriac.worker.lanes.aio:AsyncioLane",
}
"""Name -> what runs the tasks of one child."""

if VARIABLE in os.environ:
    ALIASES[CUSTOM] = os.environ[VARIABLE]


def get_implementation(cls: str | type) -> Any:
    """Return what a pool's name, or the path of a class, stands for; a class is itself.

    Raises:
        ImproperlyConfigured: there is no such class, or it is no lane.
    """
    return lane_class(ALIASES.get(cls, cls)) if isinstance(cls, str) else cls


def get_available_pool_names() -> tuple[str, ...]:
    """Return the names that ``-P`` takes."""
    return tuple(ALIASES)
