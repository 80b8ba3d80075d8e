"""``app.events``: receivers, dispatchers and states of one app.

In a program's life: where monitors begin. Classes of a program's own may stand in the place of ours. Source: Celery's reference
of ``celery.app.events``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from celeriac.app.monitoring.dispatching import EventDispatcher
from celeriac.app.monitoring.receiving import EventReceiver
from celeriac.config.sources import load
from celeriac.events.state import State


class Events:
    """Events of one app."""

    receiver_cls: Any = EventReceiver
    """Class of ``Receiver``, or its dotted name; so are those below."""
    dispatcher_cls: Any = EventDispatcher
    state_cls: Any = State

    def __init__(self, app: Any = None) -> None:
        self.app = app

    @cached_property
    def Receiver(self) -> Any:  # noqa: N802 - Celery's name
        """Class of receivers that hear the events of this app: ``app.events.Receiver(connection, handlers={...})``."""
        return self._of_app(self.receiver_cls)

    @cached_property
    def Dispatcher(self) -> Any:  # noqa: N802 - Celery's name
        """Class of dispatchers that say events by way of this app."""
        return self._of_app(self.dispatcher_cls)

    @cached_property
    def State(self) -> Any:  # noqa: N802 - Celery's name
        """Class of states. It knows of no app, and can be pickled."""
        return _loaded(self.state_cls)

    def _of_app(self, named: Any) -> Any:
        cls = _loaded(named)
        return type(cls.__name__, (cls,), {"app": self.app, "__module__": cls.__module__, "__doc__": cls.__doc__})

    @contextmanager
    def default_dispatcher(
        self, hostname: str | None = None, enabled: bool = True, buffer_while_offline: bool = False
    ) -> Iterator[Any]:
        """``with`` this: a dispatcher; ``hostname`` of who says it, ``None``: this process."""
        with self.Dispatcher(None, hostname, enabled, None, buffer_while_offline) as dispatcher:
            yield dispatcher


def _loaded(named: Any) -> Any:
    return load(named, what="a class of app.events") if isinstance(named, str) else named
