"""From the name of a time zone to the zone.

In a program's life: asked by the app for naive dates. Does not know: settings.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

from celeriac.core.errors import ImproperlyConfigured


def zone_of(given: Any, *, enable_utc: bool) -> tzinfo:
    """Return the zone that ``timezone`` means. Without one: UTC, or the machine's own when ``enable_utc`` is off.

    Raises:
        ImproperlyConfigured: there is no such zone.
    """
    if isinstance(given, tzinfo):
        return given
    if given is None:
        local = datetime.now().astimezone().tzinfo if not enable_utc else None
        return local or UTC
    if str(given).upper() in {"UTC", "ETC/UTC"}:
        return UTC
    from zoneinfo import ZoneInfo  # late: few programs need it, all would wait for it

    try:
        return ZoneInfo(str(given))
    except (LookupError, ValueError, OSError) as error:
        raise ImproperlyConfigured(f"the setting timezone = {given!r} is wrong: it names no time zone ({error})") from None
