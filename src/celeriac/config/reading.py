"""When the source of settings is read: once, when something first asks for a setting, by whichever thread that is.

In a program's life: a program names a source, such as a module, while it is imported; the module may import the program, so it
cannot be read there and then. Whoever asks while another thread reads waits for it, unless that one waits for him: a thread
that is importing the very module sees what was set so far, and the module is read when it is whole.
Does not know: settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any, Final

from celeriac.config.sources import StillImported

PATIENCE_S: Final = 0.5
"""How long a thread waits for another that reads the source before it asks whether it keeps that one waiting."""
Source = Callable[[], Mapping[str, Any]]


class Reading:
    """The part of ``Conf`` that reads the source."""

    _source: Source | None = None
    _named: bool = False
    _unread: bool = True
    _reading: bool = False
    """Somebody reads, who holds ``_reading_lock``. Whoever sets something must not wait for that lock."""
    _asked_early: bool = False
    """Somebody was told of settings before they were all there, and may have computed something from them."""
    _announced: bool = False
    """``_before`` has been called for this source."""
    _before: Callable[[], object] | None = None
    _after: Callable[[Any], object] | None = None

    def __init__(self) -> None:
        self._reading_lock = RLock()
        self._promises: list[Source] = []

    def call_around_reading(self, before: Callable[[], object], after: Callable[[Any], object]) -> None:
        """Have ``before`` called when a setting is first asked for, and ``after``, with the settings, when they were read."""
        self._before, self._after = before, after

    def default_to(self, source: Source) -> None:
        """Ask ``source`` when a setting is first needed, as long as ``read_from`` has named no other."""
        self._source = source

    @property
    def is_read(self) -> bool:
        """Whether somebody has asked for a setting since the source was named."""
        return not self._unread

    @property
    def names_source(self) -> bool:
        """Whether ``read_from`` has named a source."""
        return self._named

    def read(self) -> None:
        """Ask the source now, unless it was asked.

        Raises:
            ImproperlyConfigured: it cannot be read, or holds a wrong value. The next one who asks for a setting is told again.
        """
        lock = self._wait_for_reader()
        if lock is None:
            return
        try:
            # Re-entered: the source, or a hook, asks for a setting. It sees what was set so far.
            if self._unread and not self._reading:
                self._read()
            elif self._unread:
                self._asked_early = True
        finally:
            lock.release()

    def _wait_for_reader(self) -> Any:
        """Return the lock, taken. ``None``: that would be never."""
        lock = self._reading_lock
        while not lock.acquire(timeout=PATIENCE_S):
            # Who reads may be waiting for the end of the import of a module, and this thread may be importing it.
            try:
                self._values()
            except StillImported:
                self._asked_early = True
                return None
            except Exception:  # noqa: S112 - who reads is told
                continue
        return lock

    def _read(self) -> None:
        self._reading = True
        try:
            if self._before is not None and not self._announced:
                self._before()
                self._announced = True
            source = self._source
            self._take(self._values())
            while self._promises:
                self._add(self._promises[0]())
                del self._promises[0]
            if self._after is not None:
                self._after(self)
            # Unless another one was named meanwhile.
            self._unread = source is not self._source
            if self._asked_early:
                self._asked_early = False
                self.touch()
        except StillImported:
            # The next one who asks finds the module whole.
            self._asked_early = True
        finally:
            self._reading = False

    def _values(self) -> Mapping[str, Any]:
        return self._source() if self._source is not None else {}

    def touch(self) -> None:
        """Have everybody who computed something from the settings compute it again."""
        raise NotImplementedError

    def _take(self, values: Mapping[str, Any]) -> None:
        """Keep what the source says."""
        raise NotImplementedError

    def _add(self, defaults: Mapping[str, Any]) -> None:
        """Keep what a promise of defaults says."""
        raise NotImplementedError
