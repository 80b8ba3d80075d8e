"""EventDispatcher: the ``Dispatcher`` of an app, with Celery's parameters.

In an event's life: where a program tells something of its own. Source: Celery's reference of ``celery.events.dispatcher``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from celeriac.app.current import app_or_default
from celeriac.app.monitoring.whereabouts import broadcast_of, here
from celeriac.core.topology import Exchange
from celeriac.events import wire
from celeriac.events.dispatcher import BUFFER_LIMIT, Dispatcher
from celeriac.events.types import Event, key_of


class EventDispatcher(Dispatcher):
    """Says events by way of an app's connection. ``with`` it, or close it."""

    DISABLED_TRANSPORTS: ClassVar[frozenset[str]] = frozenset()
    """Every store here carries events."""
    app: Any = None

    def __init__(
        self,
        connection: Any = None,
        hostname: str | None = None,
        enabled: bool = True,
        channel: Any = None,
        buffer_while_offline: bool = True,
        app: Any = None,
        serializer: str | None = None,
        groups: Iterable[str] | None = None,
        delivery_mode: int = wire.TRANSIENT,
        buffer_group: Iterable[str] | None = None,
        buffer_limit: int = BUFFER_LIMIT,
        on_send_buffered: Callable[[], object] | None = None,
    ) -> None:
        """As ``Dispatcher``.

        Args:
            connection: Of an app; ``None``: the app's own.
            hostname: Who says it; ``None``: this process, which is no node.
            enabled: See there; so are those that are not named here.
            channel: Instead of a connection.
            buffer_while_offline: See there.
            app: ``None``: the current one.
            serializer: ``None``: ``event_serializer``.
            groups: See there.
            delivery_mode: See there.
            buffer_group: See there.
            buffer_limit: See there.
            on_send_buffered: See there.
        """
        self.app = app_or_default(app or self.app)
        settings = self.app.settings.event
        self.connection, self.channel = connection or getattr(channel, "connection", None), channel
        self.clock = self.app.clock
        self.exchange = Exchange(settings.exchange, type="topic")
        super().__init__(
            broadcast_of(self.app, channel or connection),
            here(self.app, hostname),
            exchange=settings.exchange,
            serializer=serializer or settings.serializer,
            enabled=enabled,
            buffer_while_offline=buffer_while_offline,
            groups=groups,
            delivery_mode=delivery_mode,
            buffer_group=buffer_group,
            buffer_limit=buffer_limit,
            on_send_buffered=on_send_buffered,
        )

    def publish(
        self,
        type: str,
        fields: Mapping[str, Any],
        producer: Any,
        blind: bool = False,
        Event: Callable[..., Event] | None = None,  # noqa: N803 - Celery's name
        **kwargs: Any,
    ) -> None:
        """Say an event by way of a producer of an app, whether this object is enabled or not; see ``send``.

        Args:
            type: What has happened.
            fields: What else is to be known.
            producer: What ``app.producer_pool.acquire()`` lends.
            blind: See ``send``.
            Event: See ``send``.
            kwargs: ``retry``, ``retry_policy``: accepted, as there.
        """
        del kwargs
        event = self.make(type, fields, blind=blind, make=Event)
        notice = wire.write(
            [event],
            exchange=self._exchange,
            routing_key=key_of(type),
            hostname=self.hostname,
            serializer=self.serializer,
            delivery_mode=self.delivery_mode,
            many=False,
        )
        broadcast_of(self.app, producer)().say([notice])
