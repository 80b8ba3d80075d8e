"""Notice: what is said to whoever listens just now, as opposed to a message, which waits for somebody.

Commands to running workers, their answers, and events travel as notices. Frozen data; does not know: what they mean.
"""

from __future__ import annotations

from msgspec import Struct

from celeriac.core.message import Parcel


class Notice(Struct, frozen=True, gc=False):
    """A Parcel, and where it is said. Names are Celery's: wire documents of pidbox and of events."""

    exchange: str
    """Such as ``celery.pidbox``, ``celeryev``, ``reply.celery.pidbox``."""
    routing_key: str
    """``""`` where everybody hears everything; ``task.succeeded`` of an event; the key of a mailbox."""
    parcel: Parcel
