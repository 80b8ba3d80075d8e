"""What the sun does, somewhere on earth: names of events, and how an astronomer asks for them.

In a program's life: when a settings module names one. The reckoning itself is the library ``ephem``'s (``app/solar.py``). The
angles are astronomy's: the sun's centre so many degrees below the horizon, for rising and setting its upper edge, through air.
Source: Celery's guide, "Solar schedules". Does not know: places, days.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from msgspec import Struct


class Event(Struct, frozen=True):
    """One thing that the sun does about once a day."""

    horizon: str
    """Degrees over the horizon, as ephem reads them."""
    method: str
    """Of ephem's ``Observer``."""
    use_center: bool
    """Of the sun's disc; otherwise its upper edge."""


EVENTS: Final = MappingProxyType({
    "dawn_astronomical": Event("-18", "next_rising", True),
    "dawn_nautical": Event("-12", "next_rising", True),
    "dawn_civil": Event("-6", "next_rising", True),
    "sunrise": Event("-0:34", "next_rising", False),
    "solar_noon": Event("0", "next_transit", False),
    "sunset": Event("-0:34", "next_setting", False),
    "dusk_civil": Event("-6", "next_setting", True),
    "dusk_nautical": Event("-12", "next_setting", True),
    "dusk_astronomical": Event("-18", "next_setting", True),
})  # fmt: skip
"""Its name in a schedule -> the event."""
