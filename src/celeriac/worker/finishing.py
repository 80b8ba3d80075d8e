"""Finish a delivery whose part was the last of its chord: read what the members brought, and say how it is settled.

In a job's life: settle answers JOINED -> **here** -> workflow -> settle once more. A child does it for its own, a node for those
of a child that died. Does not know: what the parts say.
"""

from __future__ import annotations

from datetime import datetime

from celeriac.abc import Store
from celeriac.core import groupmeta
from celeriac.core.message import Delivery, Message
from celeriac.core.settlement import Settlement
from celeriac.worker.rests import Rests
from celeriac.worker.terms import Terms
from celeriac.worker.workflow import is_celerys, joined, reports_to


def finish(store: Store, rests: Rests, delivery: Delivery, message: Message, *, now: datetime, terms: Terms) -> Settlement:
    """Return how the delivery of ``message`` is settled, all parts of whose chord are in.

    Raises:
        OperationalError: the store does not answer.
    """
    chord, body = reports_to(message)
    assert chord is not None  # its part was recorded under it
    parts = store.parts(chord)
    whole = rests.body(body)
    header = store.load([groupmeta.place_of(chord)])[0] if is_celerys(body) else None
    return joined(delivery, message, whole, parts, header=header, now=now, terms=terms)
