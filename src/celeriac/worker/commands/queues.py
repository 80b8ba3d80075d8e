"""Commands about the queues that a node serves. They hold until the node ends."""

from __future__ import annotations

import logging
from typing import Any

from msgspec.structs import replace

from celeriac.control.panel import control_command, inspect_command, ok
from celeriac.core.topology import Exchange, Queue
from celeriac.worker.state import State

log = logging.getLogger("celeriac.control")


@control_command(
    args=[("queue", str), ("exchange", str), ("exchange_type", str), ("routing_key", str)],
    signature="<queue> [exchange [type [routing_key]]]",
)
def add_consumer(
    state: State,
    queue: str,
    exchange: str | None = None,
    exchange_type: str | None = None,
    routing_key: str | None = None,
    **options: Any,
) -> dict[str, str]:
    """Tell worker(s) to consume from task queue by name."""
    if not isinstance(queue, str) or not queue:
        raise ValueError("a queue has a name")
    ways = {"exchange": exchange, "routing_key": routing_key, **options}
    if said := sorted(name for name, value in ways.items() if value is not None and value != queue):
        log.warning("queue %r is served; this store has no exchanges, so %s changes nothing", queue, ", ".join(said))
    del exchange_type
    state.order(lambda orders: replace(orders, queues=tuple(dict.fromkeys((*orders.queues, queue)))))
    log.info("queue %r is served from now on", queue)
    return ok(f"add consumer {queue}")


@control_command(args=[("queue", str)], signature="<queue>")
def cancel_consumer(state: State, queue: str, **_: Any) -> dict[str, str]:
    """Tell worker(s) to stop consuming from task queue by name."""
    state.order(lambda orders: replace(orders, queues=tuple(name for name in orders.queues if name != queue)))
    log.info("queue %r is not served any more", queue)
    return ok(f"no longer consuming from {queue}")


@inspect_command()
def active_queues(state: State) -> list[dict[str, Any]]:
    """List the task queues a worker is currently consuming from."""
    known = state.app.amqp.queues
    return [_shown(known.get(name) or Queue(name)) for name in state.orders.queues]


def _shown(queue: Any) -> dict[str, Any]:
    """Return a queue by the names of kombu's."""
    exchange = getattr(queue, "exchange", None) or Exchange(queue.name)
    arguments = {"queue_arguments": queue.queue_arguments or None, "binding_arguments": queue.binding_arguments or None}
    unset = dict.fromkeys(("consumer_arguments", "alias", "no_declare", "max_length", "max_length_bytes"))
    return {
        "name": queue.name,
        "exchange": {
            "name": exchange.name,
            "type": exchange.type,
            "arguments": exchange.arguments or None,
            "durable": exchange.durable,
            "passive": False,
            "auto_delete": exchange.auto_delete,
            "delivery_mode": exchange.delivery_mode,
            "no_declare": False,
        },
        "routing_key": queue.routing_key or queue.name,
        "durable": queue.durable,
        "exclusive": queue.exclusive,
        "auto_delete": queue.auto_delete,
        "no_ack": False,
        "bindings": [],
        "expires": queue.expires,
        "message_ttl": queue.message_ttl,
        "max_priority": queue.max_priority,
        **arguments,
        **unset,
    }
