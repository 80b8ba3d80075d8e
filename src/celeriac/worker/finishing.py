"""Finish a delivery whose part was the last of its chord: read what the members brought, and say how it is settled.

In a job's life: settle answers JOINED -> **here** -> workflow -> settle once more. A child does it for its own, a node for those
of a child that died. Whatever is wrong with the chord, its body runs or somebody is told. Does not know: what the parts say.
"""

from __future__ import annotations

import logging
from datetime import datetime

from celeriac.abc import Store
from celeriac.app.flows.stored import Stored
from celeriac.core import groupmeta, taskmeta
from celeriac.core.errors import ChordError, OperationalError
from celeriac.core.message import Delivery, Message
from celeriac.core.representation import safe_repr
from celeriac.core.settlement import DeadLetter, Done, Settlement
from celeriac.worker.rests import Rests
from celeriac.worker.terms import Terms
from celeriac.worker.workflow import broken, called, failed_of, is_celerys, reports_to, values_of

log = logging.getLogger("celeriac.worker")


def finish(store: Store, rests: Rests, delivery: Delivery, message: Message, *, now: datetime, terms: Terms) -> Settlement:
    """Return how the delivery of ``message`` is settled, all parts of whose chord are in.

    Raises:
        OperationalError: the store does not answer.
    """
    chord, body = reports_to(message)
    if chord is None or body is None:
        # No member of a chord, as far as we can read it: somebody else has recorded a part for it.
        return Settlement(tag=delivery.tag, fate=_letter("a joined delivery that tells of no chord", message))
    try:
        return _finished(store, rests, delivery, message, chord, body, now=now, terms=terms)
    except OperationalError:
        raise
    except Exception as error:
        # A mistake of ours, met by one chord: its last member is kept with the reason, and the worker goes on.
        log.exception("the body of chord %s could not be called", chord)
        why = f"{type(error).__name__}: {error}"
    try:
        return broken(delivery, message, body, ChordError(f"Callback error: {why}"), _letter(why, message), now=now, terms=terms)
    except Exception:
        log.exception("nobody can be told that the body of chord %s will not run", chord)
        return Settlement(tag=delivery.tag, fate=_letter(why, message), closes=chord)


def _finished(
    store: Store, rests: Rests, delivery: Delivery, message: Message, chord: str, body: Stored, *, now: datetime, terms: Terms
) -> Settlement:
    parts = store.parts(chord)
    if parts is None:  # it was closed, and the answer that said so was lost
        return Settlement(tag=delivery.tag, fate=Done())
    whole = rests.body(body)
    if whole.lost is not None:
        return broken(delivery, message, whole.content, ChordError(whole.lost.detail), now=now, terms=terms)
    if not parts:
        gone = ChordError("what the members returned is gone: the store has forgotten it")
        return broken(delivery, message, whole.content, gone, now=now, terms=terms)
    ended = [taskmeta.decode_part(part, terms.serializer) for part in parts]
    if (failed := failed_of(ended)) is not None:
        why = ChordError(f"Dependency {failed.task_id} raised {safe_repr(failed.result)}")
        return broken(delivery, message, whole.content, why, dependency=failed.task_id, now=now, terms=terms)
    header = store.load([groupmeta.place_of(chord)])[0] if is_celerys(whole.content) else None
    try:
        values = values_of(ended, whole.content, header, terms)
    except ChordError as error:
        return broken(delivery, message, whole.content, error, now=now, terms=terms)
    return called(delivery, message, whole.content, values, spent=whole.spent, now=now, terms=terms)


def _letter(detail: str, message: Message) -> DeadLetter:
    return DeadLetter(reason="internal", detail=detail, task=message.task, task_id=message.id)
