"""EventReceiver: the ``Receiver`` of an app, with Celery's parameters.

In an event's life: where a monitor begins. Queues of monitors are those of brokers that have queues for them; the stores here say
notices to whoever listens and keep none, so that there is nothing to be named, to expire or to be durable. What the settings say
about such queues is checked and shown in ``queue``. Source: Celery's reference of ``celery.events.receiver``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from celeriac.app.current import app_or_default
from celeriac.app.monitoring.whereabouts import broadcast_of
from celeriac.core import codecs
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.topology import Exchange, Queue
from celeriac.events.receiver import Handler, Receiver

CLIENT_CLOCK_SKEW: Final = -1


class EventReceiver(Receiver):
    """Hears events by way of an app's connection."""

    app: Any = None

    def __init__(
        self,
        channel: Any = None,
        handlers: Mapping[str, Handler] | None = None,
        routing_key: str = "#",
        node_id: str | None = None,
        app: Any = None,
        queue_prefix: str | None = None,
        accept: Iterable[str] | None = None,
        queue_ttl: float | None = None,
        queue_expires: float | None = None,
        queue_exclusive: bool | None = None,
        queue_durable: bool | None = None,
    ) -> None:
        """Be ready to hear.

        Args:
            channel: Connection or channel of an app; ``None``: the app's own.
            handlers: Type -> what is called with each event of it; ``"*"``: with those that have no handler of their own.
            routing_key: Pattern of what is heard.
            node_id: Name of the queue; ``None``: chance.
            app: ``None``: the current one.
            queue_prefix: How the queue's name begins; ``None``: ``event_queue_prefix``; so are those below.
            accept: Names of serializers that are read; ``None``: that of ``event_serializer``, and JSON.
            queue_ttl: Seconds.
            queue_expires: Seconds.
            queue_exclusive: Not together with durable.
            queue_durable: The same.

        Raises:
            ImproperlyConfigured: a queue that is exclusive and durable, or a serializer that is none.
        """
        self.app = app_or_default(app or self.app)
        settings, runtime = self.app.settings.event, self.app.runtime
        self.channel, self.node_id = channel, node_id or runtime.new_id()
        self.queue_prefix = queue_prefix or settings.queue_prefix
        exclusive = settings.queue_exclusive if queue_exclusive is None else queue_exclusive
        durable = settings.queue_durable if queue_durable is None else queue_durable
        if exclusive and durable:
            raise ImproperlyConfigured("event_queue_exclusive and event_queue_durable: a monitor's queue cannot be both")
        self.exchange = Exchange(settings.exchange, type="topic")
        self.queue = Queue(
            f"{self.queue_prefix}.{self.node_id}",
            exchange=self.exchange,
            routing_key=routing_key,
            durable=durable,
            exclusive=exclusive,
            auto_delete=not durable,
            message_ttl=settings.queue_ttl if queue_ttl is None else queue_ttl,
            expires=settings.queue_expires if queue_expires is None else queue_expires,
        )
        self.accept = {settings.serializer, "json"} if accept is None else set(accept)
        super().__init__(
            broadcast_of(self.app, channel),
            handlers,
            routing_key=routing_key,
            exchange=settings.exchange,
            accept=codecs.content_types(self.accept),
            clock=self.app.clock,
            runtime=runtime,
        )
        self.adjust_clock, self.forward_clock = self.clock.adjust, self.clock.forward

    @property
    def connection(self) -> Any:
        """What it was given; ``None``: it goes by the app's own."""
        return getattr(self.channel, "connection", self.channel)

    def wakeup_workers(self, channel: Any = None) -> None:
        """Ask all nodes for a sign of life: they answer by an event."""
        del channel
        self.app.control.broadcast("heartbeat")
