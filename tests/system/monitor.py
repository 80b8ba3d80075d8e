"""A monitor: a thread that hears every event of a fleet and keeps a State, as a user's program would."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from celeriac import Celery
from celeriac.events.state import State
from celeriac.events.types import Event
from system.patience import eventually


class Monitor:
    """Hears what a fleet tells. ``with`` it."""

    def __init__(self, app: Celery) -> None:
        self.state: State = app.events.State()
        self.events: list[Event] = []
        self._listens = threading.Event()
        self._receiver = app.events.Receiver(app.connection_for_read(), handlers={"*": self._hear})
        self._receiver.wakeup_workers = lambda channel=None: self._listens.set()  # it hears from now on
        self._thread = threading.Thread(target=self._receiver.capture, daemon=True)

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        self.state.event(event)

    def __enter__(self) -> Monitor:
        self._thread.start()
        assert self._listens.wait(15.0)
        return self

    def __exit__(self, *ended: object) -> None:
        self._receiver.should_stop = True
        self._thread.join(15.0)

    def of(self, id: str) -> list[str]:
        """Return the types of a task's events, in the order of their clocks."""
        return [event["type"] for event in sorted(self.events, key=lambda event: event["clock"]) if event.get("uuid") == id]

    def wait_for(self, type: str, *, uuid: str | None = None, hostname: str | None = None) -> Event:
        """Wait for an event; return it."""

        def found() -> Sequence[Event]:
            return [
                event
                for event in tuple(self.events)
                if event["type"] == type and uuid in (None, event.get("uuid")) and hostname in (None, event["hostname"])
            ]

        return eventually(found, what=f"{type} of {uuid or hostname or 'anybody'}")[0]
