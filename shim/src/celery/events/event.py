"""Events as data, and the exchange where they are said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from time import time
from typing import Any, Final

from celeriac.core.topology import Exchange
from celeriac.events.types import group_of, make_event

EVENT_EXCHANGE_NAME: Final = "celeryev"
event_exchange: Final = Exchange(EVENT_EXCHANGE_NAME, type="topic")
group_from = group_of


def Event(  # noqa: N802 - Celery's name
    type: str,
    _fields: Mapping[str, Any] | None = None,
    __dict__: Callable[..., dict[str, Any]] = dict,
    __now__: Callable[[], float] = time,
    **fields: Any,
) -> dict[str, Any]:
    """Return an event: its fields, its type, and the present moment unless they have one."""
    return make_event(type, __dict__(_fields or {}, **fields), time=__now__)


def get_exchange(conn: Any, name: str = EVENT_EXCHANGE_NAME) -> Exchange:
    """Return the exchange where events are said on this connection."""
    driver = getattr(getattr(conn, "transport", None), "driver_type", "")
    return replace(event_exchange, name=name, type="fanout" if driver in {"redis", "gcpubsub"} else "topic")
