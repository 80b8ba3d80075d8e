"""Polaroid: take pictures of a fleet every so many seconds, such as into a database.

In an event's life: receiver -> state -> **shutter**. A subclass says in ``on_shutter`` what becomes of a picture; while it does
so the state stands still. Names and meanings: Celery's guide "Monitoring", custom camera. Does not know: where events come from.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

from celeriac.abc import Runtime
from celeriac.app.current import app_or_default
from celeriac.app.dispatch import Signal
from celeriac.app.monitoring.ticking import Timer
from celeriac.config.sources import load
from celeriac.core.errors import ImproperlyConfigured
from celeriac.events.state import State

logger = logging.getLogger("celeriac.evcam")

_UNITS: Final[Mapping[str, float]] = MappingProxyType({"s": 1.0, "m": 60.0, "h": 3600.0})


class Polaroid:
    """A camera. Subclass it and say what ``on_shutter`` does with the state."""

    timer: Any = None
    """What calls it again and again; ``None``: a timer of its own."""
    shutter_signal: ClassVar[Signal] = Signal(name="shutter_signal")
    """Sent with each picture. Sender: the state."""
    cleanup_signal: ClassVar[Signal] = Signal(name="cleanup_signal")
    """Sent when it is time to throw old pictures away. Sender: the state."""
    clear_after: bool = False
    """After each picture, forget the tasks that have ended."""

    def __init__(
        self,
        state: State,
        freq: float = 1.0,
        maxrate: str | float | None = None,
        cleanup_freq: float = 3600.0,
        timer: Any = None,
        app: Any = None,
    ) -> None:
        """Take no picture yet.

        Args:
            state: What is in the pictures.
            freq: Seconds between two of them.
            maxrate: No more than so many: ``"10/m"``; a number is meant by the second.
            cleanup_freq: Seconds between two calls of ``on_cleanup``.
            timer: What calls it.
            app: ``None``: the current one.

        Raises:
            ImproperlyConfigured: ``maxrate`` is no rate.
        """
        self.app, self.state, self.freq, self.cleanup_freq = app_or_default(app), state, freq, cleanup_freq
        self.timer = timer or self.timer or Timer(self.app.runtime)
        self.logger = logger
        self.maxrate = _Bucket(maxrate, self.app.runtime) if maxrate else None
        self._shooting: Any = None
        self._cleaning: Any = None

    def install(self) -> None:
        """Take pictures from now on."""
        self._shooting = self.timer.call_repeatedly(self.freq, self.capture)
        self._cleaning = self.timer.call_repeatedly(self.cleanup_freq, self.cleanup)

    def on_shutter(self, state: State) -> None:
        """A picture is taken: for subclasses."""

    def on_cleanup(self) -> None:
        """Old pictures may be thrown away: for subclasses."""

    def cleanup(self) -> None:
        """Say that old pictures may be thrown away."""
        logger.debug("Cleanup: Running...")
        self.cleanup_signal.send(self.state)
        self.on_cleanup()

    def shutter(self) -> None:
        """Take a picture, unless there were too many."""
        if self.maxrate is None or self.maxrate.can_consume():
            logger.debug("Shutter: %s", self.state)
            self.shutter_signal.send(self.state)
            self.on_shutter(self.state)

    def capture(self) -> None:
        """Take a picture while nothing changes."""
        self.state.freeze_while(self.shutter, clear_after=self.clear_after)

    def cancel(self) -> None:
        """Take a last picture, and no more."""
        if self._shooting is not None:
            self._shooting()
            self._shooting.cancel()
        if self._cleaning is not None:
            self._cleaning.cancel()

    def __enter__(self) -> Self:
        self.install()
        return self

    def __exit__(self, *ended: object) -> None:
        self.cancel()


class _Bucket:
    """Holds one picture at most; another falls into it when its time has come."""

    def __init__(self, rate: str | float, runtime: Runtime) -> None:
        self._pause_s, self._runtime = _pause_of(rate), runtime
        self._next = runtime.monotonic()

    def can_consume(self, tokens: int = 1) -> bool:
        """Take one out, if there is one."""
        now = self._runtime.monotonic()
        if now < self._next:
            return False
        self._next = now + tokens * self._pause_s
        return True


def _pause_of(rate: str | float) -> float:
    """Return the seconds between two pictures at this rate."""
    number, _, unit = str(rate).strip().partition("/")
    try:
        return _UNITS[unit or "s"] / float(number)
    except (KeyError, ValueError, ZeroDivisionError):
        raise ImproperlyConfigured(f"maxrate {rate!r}: pictures by the second, minute or hour, such as 10/m") from None


def camera_of(named: Any) -> Any:
    """Return the class that a dotted name means; a class is returned as it is.

    Raises:
        ImproperlyConfigured: there is none, or it is no class.
    """
    found = load(named, what="the camera") if isinstance(named, str) else named
    if not isinstance(found, type):
        raise ImproperlyConfigured(f"the camera {named!r} is no class, such as a subclass of Polaroid")
    return found


def evcam(
    camera: Any,
    freq: float = 1.0,
    maxrate: str | float | None = None,
    loglevel: int | str = 0,
    logfile: str | None = None,
    pidfile: str | None = None,
    timer: Any = None,
    app: Any = None,
    **kwargs: Any,
) -> None:
    """Take pictures of an app's fleet until interrupted.

    Args:
        camera: A subclass of ``Polaroid``, or its dotted name.
        freq: Seconds between two pictures.
        maxrate: No more than so many: ``"10/m"``.
        loglevel: Level of the log; 0: WARNING.
        logfile: File for the log.
        pidfile: Refused: the command ``celeriac events --camera`` writes it.
        timer: What calls the camera.
        app: ``None``: the current one.
        kwargs: Accepted: what else Celery's command hands on.

    Raises:
        ImproperlyConfigured: there is no such camera, or ``pidfile`` was given.
    """
    del kwargs
    if pidfile is not None:
        raise ImproperlyConfigured("evcam writes no pid file: celeriac events --camera CAMERA --pidfile FILE does")
    app = app_or_default(app)
    app.log.setup_logging_subsystem(loglevel or None, logfile)
    state = app.events.State()
    made = camera_of(camera)(state, app=app, freq=freq, maxrate=maxrate, timer=timer)
    made.install()
    try:
        app.events.Receiver(app.connection_for_read(), handlers={"*": state.event}).capture()
    finally:
        made.cancel()
