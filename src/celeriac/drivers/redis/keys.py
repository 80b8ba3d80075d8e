"""Names of keys, and the priorities of a queue as suffixes of its list.

Queues, results and channels have Celery's names, so that its programs share them; what only we need stands under
``celeriac:``. Does not know: connections, scripts. Source: kombu's Redis transport, Celery's Redis backend.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.groupmeta import group_at


class Keys(Struct, frozen=True, kw_only=True):
    """How the keys of one store are called."""

    prefix: str = ""
    """``global_keyprefix`` of the broker: before every key."""
    suffixes: Sequence[str] = ("", "\x06\x163", "\x06\x166", "\x06\x169")
    """One for each priority step, the most urgent first."""
    result_prefix: str = "celery-task-meta-"
    group_prefix: str = "celery-taskset-meta-"

    own: str = "celeriac:"
    """The prefix of the keys that only celeriac knows, after ``prefix``."""
    by_priority: Sequence[str] = ()
    """For each priority the suffix of its list: that of the largest step which is not above it."""

    def suffix(self, priority: int) -> str:
        """Return the suffix of the list that holds messages of this priority."""
        return self.by_priority[min(priority, len(self.by_priority) - 1)]

    def lists(self, queue: str) -> list[str]:
        """Return the keys of the lists that make up ``queue``."""
        return [f"{self.prefix}{queue}{suffix}" for suffix in self.suffixes]

    def result(self, task_id: str) -> str:
        """Return the key, which is also the channel, of a task's result, or of a group that is kept among results."""
        group_id = group_at(task_id)
        return self.result_prefix + task_id if group_id is None else self.group(group_id)

    def group(self, group_id: str) -> str:
        """Return the key of a saved group; with a suffix, of what is known about a chord."""
        return self.group_prefix + group_id


def keys_from(options: Mapping[str, Any], result_options: Mapping[str, Any]) -> Keys:
    """Build the names from ``broker_transport_options`` and ``result_backend_transport_options``."""
    steps = _steps(options.get("priority_steps", (0, 3, 6, 9)))
    separator = str(options.get("sep", "\x06\x16"))
    suffixes = tuple(f"{separator}{step}" if step else "" for step in steps)
    prefix = str(options.get("global_keyprefix", ""))
    result_prefix = _result_prefix(str(result_options.get("global_keyprefix", "")))
    return Keys(
        prefix=prefix,
        own=f"{prefix}celeriac:",
        suffixes=suffixes,
        by_priority=tuple(suffixes[bisect_right(steps, priority) - 1] for priority in range(steps[-1] + 1)),
        result_prefix=f"{result_prefix}celery-task-meta-",
        group_prefix=f"{result_prefix}celery-taskset-meta-",
    )


def _steps(given: Any) -> list[int]:
    try:
        # A step named twice is one list, not one that is counted twice.
        steps = sorted({int(step) for step in given})
    except (TypeError, ValueError):
        steps = []
    if not steps or steps[0] != 0:
        raise ImproperlyConfigured(
            f"broker_transport_options: priority_steps is {given!r}; it is a list of numbers, one of them 0"
        )
    return steps


def _result_prefix(prefix: str) -> str:
    if prefix and prefix[-1] not in ":_-.":
        prefix += "_"
    return prefix
