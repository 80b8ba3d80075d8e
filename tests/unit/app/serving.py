"""A worker in a few lines: runs what waits in the memory store of an app, in the thread of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from celeriac import Celery
from celeriac.abc import Lessee
from celeriac.app.context import Context
from celeriac.app.execution import execute
from celeriac.core import protocol, taskmeta
from celeriac.core.message import Delivery, Message, Outgoing, Parcel
from celeriac.core.outcome import Failure, Ignored, Outcome, Retried, Success
from celeriac.core.settlement import Done, Settlement, StoredResult
from celeriac.core.taskmeta import TaskMeta

ME = Lessee("node", "child")


def waiting(app: Celery, queue: str = "celery") -> list[Message]:
    """Take what waits in ``queue``, understood."""
    return [understood(app, delivery) for delivery in fetched(app, queue)]


def fetched(app: Celery, queue: str = "celery") -> Sequence[Delivery]:
    """Lease what waits in ``queue``."""
    app.store.keep(ME.node, name="node@here", info={}, queues=[queue])
    return app.store.fetch([queue], lessee=ME, limit=100_000, wait_s=0).deliveries


def understood(app: Celery, delivery: Delivery) -> Message:
    """Decode a delivery that is known to be good."""
    assert isinstance(delivery.parcel, Parcel)
    message = protocol.decode(delivery.parcel, accept=app.accept_content)
    assert isinstance(message, Message)
    return message


def serve(app: Celery) -> list[Outcome]:
    """Run everything that waits in the default queue, and settle it; return how each ended."""
    outcomes = []
    for delivery in fetched(app):
        message = understood(app, delivery)
        context = Context(message, hostname="node@here", delivery_info={"routing_key": delivery.queue})
        outcome = execute(app.tasks[message.task], context, asyncio.run)
        app.store.settle([_settlement(app, delivery, message, context, outcome)], lessee=ME)
        outcomes.append(outcome)
    return outcomes


def _settlement(app: Celery, delivery: Delivery, message: Message, context: Context, outcome: Outcome) -> Settlement:
    followups: tuple[Outgoing, ...] = ()
    match outcome:
        case Ignored(after):
            return Settlement(tag=delivery.tag, fate=Done(), followups=after.messages, opens=after.opens)
        case Success(value):
            children = [child.as_tuple() for child in context.children or ()]
            meta = TaskMeta(task_id=message.id, status="SUCCESS", result=value, children=children, date_done=app.runtime.now())
        case Failure(exception, traceback):
            meta = TaskMeta(task_id=message.id, status="FAILURE", result=exception, traceback=traceback)
        case Retried(again, exception):
            meta = TaskMeta(task_id=message.id, status="RETRY", result=exception)
            followups = (app.producer.again(again, queue=delivery.queue),)
        case other:
            raise AssertionError(other)
    result = StoredResult(message.id, meta.status, taskmeta.encode(meta))
    return Settlement(tag=delivery.tag, fate=Done(), result=result, followups=followups)
