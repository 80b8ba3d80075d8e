"""From the settings to the recipe of a call: what holds for a task of which nothing but the name is known.

In a job's life: before the plan; a task of this app puts what it says itself over it. Does not know: tasks, calls.
"""

from __future__ import annotations

from celeriac.app.plan import Recipe
from celeriac.config.sections import TaskSettings

EVERY_LEVEL = 1_000_000
"""``task_repr_maxlevels`` may be ``None``: show arguments however deep they are."""


def recipe_from(name: str, settings: TaskSettings) -> Recipe:
    """Return what the settings say about every call of the task ``name``."""
    return Recipe(
        name=name,
        serializer=settings.serializer,
        compression=settings.compression,
        delivery_mode=delivery_mode_from(settings.default_delivery_mode),
        priority=settings.default_priority or 0,
        inherit_priority=settings.inherit_parent_priority,
        repr_levels=settings.repr_maxlevels or EVERY_LEVEL,
    )


def delivery_mode_from(said: int | str) -> int:
    """Return the number that travels: 1 need not survive a restart of the broker, 2 must."""
    return 1 if said in {1, "transient"} else 2
