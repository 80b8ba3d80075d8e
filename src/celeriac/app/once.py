"""Warnings that are given once: what has been said is not said again by the same app, or the same part of it.

In a job's life: wherever an option that Celery has is accepted without effect. Does not know: what is said.
"""

from __future__ import annotations

import logging

log = logging.getLogger("celeriac.app")


class Once:
    """What has been said so far."""

    def __init__(self) -> None:
        """Nothing has been said."""
        self._said: set[str] = set()

    def warn(self, text: str) -> None:
        """Log this as a warning, unless it has been."""
        self.say(text, text)

    def say(self, key: str, text: str) -> None:
        """Log ``text`` as a warning, unless something was said under this key."""
        if key not in self._said:
            self._said.add(key)
            log.warning(text)
