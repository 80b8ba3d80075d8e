"""Find the lane that a user has written: ``-P shop.lanes:MyLane``, or ``-P custom`` and a variable of the environment.

In a node's life: when it is planned, and when a child is put together. What such a class promises stands in ``Lane``; that a
class of Celery's makes other promises is said here, before anything is started. Does not know: what a lane does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, Protocol, cast

from celeriac.abc import Runtime
from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.lanes import Lane
from celeriac.worker.slots import Slot

CUSTOM: Final = "custom"
VARIABLE: Final = "CELERY_CUSTOM_WORKER_POOL"
"""Environment: the class that ``-P custom`` means. Source: Celery's page on concurrency."""
_PROMISES: Final = ("concurrent", "free", "wait_for_room", "run", "idle", "wake", "heed", "close")
_OF_CELERY: Final = ("on_apply", "apply_async")


class LaneClass(Protocol):
    """A class of lanes, as a node makes one in each child."""

    concurrent: bool
    """Whether one child runs many tasks at a time; otherwise there is a child for each."""

    def __call__(self, size: int, *, runtime: Runtime, slot: Slot) -> Lane:
        """Return a lane of ``size`` slots, which begins and ends its runs in the seats of ``slot``."""


def is_path(pool: str) -> bool:
    """Say whether this names a class rather than one of our pools."""
    return pool == CUSTOM or "." in pool or ":" in pool


def lane_class(pool: str, environment: Mapping[str, str] = os.environ) -> LaneClass:
    """Return the class that ``pool`` names: ``module:Class``, ``module.Class``, or ``custom``.

    Raises:
        ImproperlyConfigured: there is no such class, or it is no lane.
    """
    path, said = pool, f"-P {pool}"
    if pool == CUSTOM:
        path = environment.get(VARIABLE, "")
        if not path:
            raise ImproperlyConfigured(f"-P {CUSTOM}: set {VARIABLE} to the class that is meant, such as shop.lanes:MyLane")
        said = f"{VARIABLE}={path}"
    return _checked(_found(path, said), said)


def _found(path: str, said: str) -> object:
    module, colon, name = path.partition(":")
    if not colon:
        module, _, name = path.rpartition(".")
    try:
        found: object = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ImproperlyConfigured(f"{said}: there is no such class: {error}") from error
    return found


def _checked(found: Any, said: str) -> LaneClass:
    if not isinstance(found, type):
        raise ImproperlyConfigured(f"{said}: that is no class, but of type {type(found).__name__!r}")
    missing = [name for name in _PROMISES if not hasattr(found, name)]
    if missing and any(hasattr(found, name) for name in _OF_CELERY):
        raise ImproperlyConfigured(
            f"{said}: that is a pool of Celery's, to which a worker hands tasks; here a lane runs them in the child that fetched "
            f"them: the page on workers says what one is (it has no {', '.join(missing)})"
        )
    if missing:
        raise ImproperlyConfigured(f"{said}: it has no {', '.join(missing)}: the page on workers says what a lane is")
    return cast(LaneClass, found)
