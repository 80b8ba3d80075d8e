"""``celery.platforms.signals``: handlers of signals by their names, with or without ``SIG``.

In a program's life: where a program of Celery's sets handlers of its own. What this system has not is ignored when it is set, as
in Celery. Does not know: workers.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar


class Signals:
    """The signals of this process."""

    ignored: ClassVar[Any] = signal.SIG_IGN
    default: ClassVar[Any] = signal.SIG_DFL

    def arm_alarm(self, seconds: float) -> None:
        """Have SIGALRM sent after so many seconds."""
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def reset_alarm(self) -> int:
        """Send no SIGALRM any more; return how many seconds were left."""
        return signal.alarm(0)

    def supported(self, name: str) -> bool:
        """Say whether this system has the signal."""
        return hasattr(signal, _full(name))

    def signum(self, name: str | int) -> int:
        """Return the number of a signal.

        Raises:
            AttributeError: this system has it not.
        """
        return name if isinstance(name, int) else int(getattr(signal, _full(name)))

    def reset(self, *signal_names: str) -> None:
        """Have these signals do again what the system does."""
        self.update((name, self.default) for name in signal_names)

    def ignore(self, *names: str) -> None:
        """Ignore these signals."""
        self.update((name, self.ignored) for name in names)

    def __getitem__(self, name: str) -> Any:
        return signal.getsignal(self.signum(name))

    def __setitem__(self, name: str, handler: Callable[..., object] | int) -> None:
        with suppress(AttributeError, ValueError):  # this system has it not, or this is not the main thread
            signal.signal(self.signum(name), handler)

    def update(self, _d_: Any = None, **sigmap: Any) -> None:
        """Set several handlers: a dict, pairs, keywords."""
        for name, handler in dict(_d_.items() if isinstance(_d_, Mapping) else _d_ or (), **sigmap).items():
            self[name] = handler


def _full(name: str) -> str:
    upper = name.upper()
    return upper if upper.startswith("SIG") else f"SIG{upper}"


signals = Signals()
