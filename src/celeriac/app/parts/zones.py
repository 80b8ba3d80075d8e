"""From the name of a time zone to the zone.

In a program's life: asked by the app for naive dates. Does not know: settings.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

from celeriac.core.errors import ImproperlyConfigured


def zone_of(given: Any, *, enable_utc: bool, now: datetime) -> tzinfo:
    """Return the zone that ``timezone`` means. Without one: UTC, or the machine's own when ``enable_utc`` is off.

    Args:
        given: Name, zone, or ``None``.
        enable_utc: The setting.
        now: The present moment: tells the machine's offset.

    Raises:
        ImproperlyConfigured: there is no such zone.
    """
    if isinstance(given, tzinfo):
        return given
    if given is None:
        return UTC if enable_utc else now.astimezone().tzinfo or UTC
    if str(given).upper() in {"UTC", "ETC/UTC"}:
        return UTC
    from zoneinfo import ZoneInfo  # late: few programs need it, all would wait for it

    try:
        return ZoneInfo(str(given))
    except (LookupError, ValueError, OSError) as error:
        raise ImproperlyConfigured(f"the setting timezone = {given!r} is wrong: it names no time zone ({error})") from None
