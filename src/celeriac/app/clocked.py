"""What a schedule asks of an app: the time, the zone, the settings.

A Protocol, so that an app can know its schedules; ``app.py`` fulfils it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Protocol, TypedDict

from celeriac.config.settings import Conf

Now = Callable[[], datetime]


class Clocked(Protocol):
    """What a schedule asks of an app."""

    def now(self) -> datetime:
        """Return the present moment."""

    @property
    def timezone(self) -> tzinfo:
        """Whose clock is meant."""

    @property
    def conf(self) -> Conf:
        """Its settings."""


class ClockKeywords(TypedDict, total=False):
    """Whose clock a schedule goes by."""

    nowfun: Now | None
    app: Clocked | None
