"""Queues, exchanges, bindings: where a message may lie, as plain data.

In a job's life: settings hold them, routing chooses among them, drivers that have exchanges declare them. The attributes are
kombu's, and so are their meanings and order; what kombu's objects *do* is the drivers' work. Does not know: routing, drivers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Exchange:
    """Hands messages to the queues that are bound to it."""

    name: str = ""
    type: str = "direct"
    """``direct``: the routing key is the binding's; ``topic``: it matches the binding's pattern; ``fanout``: every queue."""
    durable: bool = True
    """It survives a restart of the broker."""
    auto_delete: bool = False
    """It goes when the last queue goes."""
    delivery_mode: int | None = None
    """2 persistent, 1 transient; ``None``: as the app says."""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Binding:
    """One more way from an exchange to a queue."""

    exchange: Exchange
    routing_key: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queue:
    """Where messages wait."""

    name: str
    exchange: Exchange | None = None
    """``None``: the direct exchange of the queue's own name."""
    routing_key: str = ""
    """Key of its binding to ``exchange``; empty: the queue's name."""
    bindings: Sequence[Binding] = ()
    """Further bindings."""
    durable: bool = True
    exclusive: bool = False
    """Only the connection that declared it may use it."""
    auto_delete: bool = False
    max_priority: int | None = None
    """RabbitMQ only: how many priorities it tells apart."""
    message_ttl: float | None = None
    """Seconds after which a waiting message is dropped; ``None``: never."""
    expires: float | None = None
    """Seconds without use after which it is deleted; ``None``: never."""
    queue_arguments: Mapping[str, Any] = field(default_factory=dict)
    """Arguments for its declaration, such as ``{"x-queue-type": "quorum"}``."""
    binding_arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The routing key of its binding."""
        return self.routing_key or self.name

    @property
    def source(self) -> Exchange:
        """The exchange that it is bound to."""
        return self.exchange if self.exchange is not None and self.exchange.name else Exchange(self.name)


def queue_of(given: object) -> Queue:
    """Return a Queue for a name, a Queue, or kombu's Queue: anything with kombu's attributes.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(given, Queue):
        return given
    if isinstance(given, str):
        return Queue(given)
    name = getattr(given, "name", None)
    if not isinstance(name, str):
        raise TypeError(f"{given!r} is no queue: give a name or a Queue")
    return Queue(
        name=name,
        exchange=_exchange_of(getattr(given, "exchange", None)),
        routing_key=getattr(given, "routing_key", None) or "",
        bindings=tuple(_binding_of(each) for each in getattr(given, "bindings", None) or ()),
        durable=bool(getattr(given, "durable", True)),
        exclusive=bool(getattr(given, "exclusive", False)),
        auto_delete=bool(getattr(given, "auto_delete", False)),
        max_priority=getattr(given, "max_priority", None),
        message_ttl=getattr(given, "message_ttl", None),
        expires=getattr(given, "expires", None),
        queue_arguments=getattr(given, "queue_arguments", None) or {},
        binding_arguments=getattr(given, "binding_arguments", None) or {},
    )


def _binding_of(given: object) -> Binding:
    return Binding(
        exchange=_exchange_of(getattr(given, "exchange", None)) or Exchange(),
        routing_key=getattr(given, "routing_key", None) or "",
        arguments=getattr(given, "arguments", None) or {},
    )


def _exchange_of(given: object) -> Exchange | None:
    if given is None or isinstance(given, Exchange):
        return given
    if isinstance(given, str):
        return Exchange(given)
    return Exchange(
        name=getattr(given, "name", None) or "",
        type=getattr(given, "type", None) or "direct",
        durable=bool(getattr(given, "durable", True)),
        auto_delete=bool(getattr(given, "auto_delete", False)),
        delivery_mode=getattr(given, "delivery_mode", None),
        arguments=getattr(given, "arguments", None) or {},
    )
