"""Names of keys, and the priorities of a queue as suffixes of its list.

Queues, results and channels have Celery's names, so that its programs share them; what only we need stands under
``celeriac:``. Does not know: connections, scripts. Source: kombu's Redis transport, Celery's Redis backend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from celeriac.core.errors import ImproperlyConfigured


class Keys(Struct, frozen=True, kw_only=True):
    """How the keys of one store are called."""

    prefix: str = ""
    """``global_keyprefix`` of the broker: before every key."""
    suffixes: Sequence[str] = ("", "\x06\x163", "\x06\x166", "\x06\x169")
    """One for each priority step, the most urgent first."""
    steps: Sequence[int] = (0, 3, 6, 9)
    result_prefix: str = "celery-task-meta-"

    @property
    def own(self) -> str:
        """The prefix of the keys that only celeriac knows."""
        return f"{self.prefix}celeriac:"

    def suffix(self, priority: int) -> str:
        """Return the suffix of the list that holds messages of this priority: the largest step that is not above it."""
        chosen = self.suffixes[0]
        for step, suffix in zip(self.steps, self.suffixes, strict=True):
            if step <= priority:
                chosen = suffix
        return chosen

    def lists(self, queue: str) -> list[str]:
        """Return the keys of the lists that make up ``queue``."""
        return [f"{self.prefix}{queue}{suffix}" for suffix in self.suffixes]

    def result(self, task_id: str) -> str:
        """Return the key, which is also the channel, of a task's result."""
        return self.result_prefix + task_id


def keys_from(options: Mapping[str, Any], result_options: Mapping[str, Any]) -> Keys:
    """Build the names from ``broker_transport_options`` and ``result_backend_transport_options``."""
    steps = sorted(int(step) for step in options.get("priority_steps", (0, 3, 6, 9)))
    if not steps or steps[0] != 0:
        raise ImproperlyConfigured(f"broker_transport_options: priority_steps is {steps}; it must begin with 0")
    separator = str(options.get("sep", "\x06\x16"))
    prefix = str(result_options.get("global_keyprefix", ""))
    if prefix and prefix[-1] not in ":_-.":
        prefix += "_"
    return Keys(
        prefix=str(options.get("global_keyprefix", "")),
        suffixes=tuple(f"{separator}{step}" if step else "" for step in steps),
        steps=tuple(steps),
        result_prefix=f"{prefix}celery-task-meta-",
    )
