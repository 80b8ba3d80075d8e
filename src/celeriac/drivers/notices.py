"""What drivers have in common about notices: their bytes, and how a listener is told.

In a notice's life: ``as_bytes`` -> server -> ``notice_from`` -> ``tell``. What cannot be read is told once in a while and
dropped: nobody waits for it. Does not know: what a notice means.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count

from celeriac.core import envelope
from celeriac.core.message import Outgoing, Rejected
from celeriac.core.notice import Notice

log = logging.getLogger(__name__)

_unreadable = count(1)


def as_bytes(notice: Notice, *, tag: str) -> bytes:
    """Return a notice as one piece of bytes: kombu's envelope, as of a message."""
    message = Outgoing(parcel=notice.parcel, queue="", exchange=notice.exchange, routing_key=notice.routing_key)
    return envelope.pack(message, tag=tag)


def notice_from(exchange: str, routing_key: str, raw: bytes) -> Notice | None:
    """Return the notice; ``None``: these bytes are none."""
    parcel = envelope.unpack(raw)
    if isinstance(parcel, Rejected):
        _count(exchange, parcel)
        return None
    return Notice(exchange, routing_key, parcel)


def tell(hear: Callable[[Notice], None], notice: Notice) -> None:
    """Let somebody hear; one listener's fault must not make the others, or itself, deaf."""
    try:
        hear(notice)
    except Exception:
        log.exception("a listener at %r failed", notice.exchange, extra={"event": "listener-failed"})


def _count(exchange: str, why: Rejected) -> None:
    """Tell of the first, of the tenth, of the hundredth: somebody who sends garbage must not fill the log as well."""
    number = next(_unreadable)
    if str(number).strip("0") == "1":
        text = "a notice at %r cannot be read and is dropped, the %d. so far: %s"
        log.warning(text, exchange, number, why.reason, extra={"event": "notice-unreadable"})
