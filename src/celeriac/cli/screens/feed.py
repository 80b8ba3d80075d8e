"""What a screen knows of events: a State that a thread keeps up to date.

In an event's life: receiver -> State, beside the screen, which looks when it draws. A broker that does not answer is told on the
screen, and asked again. Does not know: how anything looks.
"""

from __future__ import annotations

import threading
from typing import Final

from celeriac.app.app import Celery
from celeriac.core.errors import OperationalError
from celeriac.events.state import State

_AGAIN_S: Final = 2.0


class Feed:
    """Hears the events of an app's fleet."""

    def __init__(self, app: Celery) -> None:
        self.state: State = app.events.State()
        """What was heard."""
        self.trouble: str | None = None
        """Why nothing is heard; ``None``: all is well."""
        self._app = app
        self._stopped = threading.Event()
        self._receiver = app.events.Receiver(app.connection_for_read(), handlers={"*": self.state.event})
        self._thread = threading.Thread(target=self._hear, name="celeriac-feed", daemon=True)

    def start(self) -> None:
        """Hear from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Hear nothing more. The thread ends soon, and is not waited for: a screen is left at once."""
        self._stopped.set()
        self._receiver.should_stop = True

    def _hear(self) -> None:
        while not self._stopped.is_set():
            try:
                self.trouble = None
                self._receiver.capture()
            except OperationalError as error:
                self.trouble = str(error)
                self._stopped.wait(_AGAIN_S)
