"""Apps whose store has something of a test's over it, and the stores that tests put there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import arithmetic
from celeriac import Celery
from celeriac.core.errors import BrokerUnreachable
from celeriac.core.message import Outgoing
from celeriac.core.settlement import Opening
from celeriac.testing.clock import VirtualRuntime

_names = itertools.count()


class Over(Celery):
    """An app on a memory store of its own that it reaches through what ``over`` makes of it; with the usual tasks."""

    def __init__(self, over: Callable[[Any], Any]) -> None:
        url = f"memory://over-{next(_names)}"
        super().__init__("over", broker=url, backend=url, runtime=VirtualRuntime(seed=7), set_as_current=False)
        self._over = over
        arithmetic.declare(self)

    @property
    def store(self) -> Any:
        """What ``over`` made."""
        return super().store

    def open_store(self) -> Any:
        """Return it with what is over it."""
        return self._over(super().open_store())


class Watching:
    """Hands everything on to a store."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class Failing(Watching):
    """A store that takes so many messages and then no more."""

    def __init__(self, store: Any, limit: int) -> None:
        super().__init__(store)
        self._left = limit

    def publish(self, messages: Sequence[Outgoing], **how: Any) -> None:
        if len(messages) > self._left:
            self.store.publish(messages[: self._left], **how)
            error = BrokerUnreachable("gone")
            error.accepted = self._left
            raise error
        self._left -= len(messages)
        self.store.publish(messages, **how)


class Opened(Watching):
    """A store that notes when a chord is opened: its id, its size, how many messages there were by then, how long it is kept."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.published = 0
        self.opened: list[tuple[str, int, int, float | None]] = []

    def publish(self, messages: Sequence[Outgoing], **how: Any) -> None:
        self.published += len(messages)
        self.store.publish(messages, **how)

    def open_chords(self, openings: Sequence[Opening]) -> None:
        self.opened += [(one.chord, one.size, self.published, one.ttl_s) for one in openings]
        self.store.open_chords(openings)


class Counting(Watching):
    """A store that takes messages and keeps none."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.published, self.opened = 0, 0

    def publish(self, messages: Sequence[Outgoing], **_how: Any) -> None:
        self.published += len(messages)

    def open_chords(self, openings: Sequence[Opening]) -> None:
        [opening] = openings
        self.opened = opening.size
