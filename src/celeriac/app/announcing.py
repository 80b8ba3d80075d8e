"""``before_task_publish`` and ``after_task_publish``: what users hear of what is sent, and may change of it.

In a job's life: around the publish; entered only when somebody listens. What is handed out is what travels: receivers may change
``headers``, ``properties``, the arguments inside ``body``, and ``retry_policy``. ``declare`` is an empty list that they may fill;
the stores of this version have nothing to declare. Source: Celery's page on signals. Does not know: how a message is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from celeriac.app import signals
from celeriac.core import protocol
from celeriac.core.message import Message, Outgoing

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
Body = tuple[Any, dict[str, Any], dict[str, Any]]
"""Arguments, keyword arguments, and what travels beside them."""


class Announced(Struct, frozen=True):
    """One message while it is announced."""

    message: Message
    outgoing: Outgoing
    body: Body

    @property
    def facts(self) -> dict[str, Any]:
        """What both signals tell."""
        outgoing = self.outgoing
        return {
            "body": self.body,
            "exchange": outgoing.exchange,
            "routing_key": outgoing.routing_key or outgoing.queue,
            "headers": outgoing.parcel.headers,
        }


def before(messages: Iterable[Message], outgoing: Iterable[Outgoing], policy: dict[str, Any]) -> list[Announced]:
    """Tell that these are about to be sent; return them as the receivers have left them, who may change ``policy``, too."""
    return [_tell_before(message, each, policy) for message, each in zip(messages, outgoing, strict=True)]


def _tell_before(message: Message, outgoing: Outgoing, policy: dict[str, Any]) -> Announced:
    sealed = outgoing.parcel
    headers, properties = dict(sealed.headers), dict(sealed.properties)
    embed = {
        "callbacks": message.callbacks,
        "errbacks": message.errbacks,
        "chain": message.chain,
        "chord": message.chord,
    }
    body = (message.args, dict(message.kwargs), embed)
    each = Announced(message, replace(outgoing, parcel=replace(sealed, headers=headers, properties=properties)), body)
    if not signals.before_task_publish.receivers:
        return each
    signals.before_task_publish.send(message.task, **each.facts, properties=properties, declare=[], retry_policy=policy)
    # Arguments that were changed in their place show it nowhere: they become bytes once more, in the form chosen before.
    now = protocol.encode(
        replace(message, args=body[0], kwargs=body[1], **embed),
        now=_EPOCH,
        serializer=sealed.content_type,
        compression=sealed.headers.get("compression"),
    )
    parcel = replace(now, headers=headers, properties=properties)
    return replace(each, outgoing=replace(each.outgoing, parcel=parcel))


def after(sent: Sequence[Announced]) -> None:
    """Tell that these messages are in."""
    for each in sent:
        message = each.message
        if signals.after_task_publish.receivers:
            signals.after_task_publish.send(message.task, **each.facts)
        if signals.task_sent.receivers:
            signals.task_sent.send(
                message.task,
                task_id=message.id,
                task=message.task,
                args=message.args,
                kwargs=message.kwargs,
                eta=message.eta,
                taskset=message.group,
            )
