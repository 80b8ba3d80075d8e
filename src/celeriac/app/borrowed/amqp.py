"""``app.amqp``: queues, routes and messages of an app under the names that Celery gives them.

In a program's life: where code looks up a queue, asks where a task would go, or wants a call as the message that it would be.
Sending itself does not come by here. Names and meanings: Celery's guide, "Routing Tasks", and its reference of ``AMQP``. Does
not know: stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any, Final, NamedTuple

from msgspec import json

from celeriac.app.borrowed.connection import ByHand, Connection
from celeriac.app.options import options_from
from celeriac.app.plan import Call, plan_call
from celeriac.core import protocol
from celeriac.core.routing import Router
from celeriac.core.topology import Exchange, Queue, queue_of


class TaskMessage(NamedTuple):
    """A call as a message, before it is bytes."""

    headers: dict[str, Any]
    properties: dict[str, Any]
    body: Any
    """Arguments, keyword arguments, and what follows the call."""
    sent_event: Any
    """Always ``None``: the producer tells of what it sends, when it does."""


class Queues(dict[str, Queue]):
    """Name -> queue. Those of an app are ``task_queues`` and the default one; what is added to them is added to the setting."""

    def __init__(
        self,
        queues: Mapping[str, Any] | Iterable[Any] | None = None,
        default_exchange: Any = None,
        create_missing: bool = True,
        create_missing_queue_type: str | None = None,
        create_missing_queue_exchange_type: str | None = None,
        autoexchange: Callable[[str], Any] | None = None,
        max_priority: int | None = None,
        default_routing_key: str | None = None,
        *,
        app: Any = None,
    ) -> None:
        """Hold these queues.

        Args:
            queues: Queues by name, or in a list.
            default_exchange: Exchange of queues that are added and name none.
            create_missing: Make up a queue for a name that is not here.
            create_missing_queue_type: ``"quorum"``: queues that are made up say so to RabbitMQ.
            create_missing_queue_exchange_type: Type of the exchange of queues that are made up.
            autoexchange: Returns the exchange of a queue that is made up, from its name.
            max_priority: Of queues that are added or made up and say none.
            default_routing_key: Of queues that are added and name no exchange; ``None``: their name.
            app: Whose queues these are; ``None``: nobody's, a mapping of its own.
        """
        super().__init__({queue.name: queue for queue in map(queue_of, _listed(queues))})
        self.default_exchange, self.default_routing_key = default_exchange, default_routing_key
        self.create_missing, self.max_priority, self.autoexchange = create_missing, max_priority, autoexchange
        self.create_missing_queue_type = create_missing_queue_type
        self.create_missing_queue_exchange_type = create_missing_queue_exchange_type
        self.aliases: dict[str, Queue] = {}
        """Always empty: a queue has one name."""
        self.app = app
        self._selected: tuple[str, ...] | None = None

    def __missing__(self, name: str) -> Queue:
        if not self.create_missing:
            raise KeyError(name)
        return self.new_missing(name)

    def new_missing(self, name: str) -> Queue:
        """Return the queue that is made up for a name: by default on an exchange of that name."""
        exchange = self.autoexchange(name) if self.autoexchange else None
        if not isinstance(exchange, Exchange):
            exchange = Exchange(getattr(exchange, "name", exchange) or name, self.create_missing_queue_exchange_type or "direct")
        kind = self.create_missing_queue_type
        arguments = {} if kind in {None, "classic"} else {"x-queue-type": kind}
        return Queue(name, exchange, name, max_priority=self.max_priority, queue_arguments=arguments)

    def add(self, queue: Any, **kwargs: Any) -> Queue:
        """Add a queue: to ``task_queues``, if these are an app's, so that routes know it and workers serve it.

        Args:
            queue: A Queue, or a name.
            kwargs: Fields of ``Queue``, if ``queue`` is a name.
        """
        added = Queue(queue, **kwargs) if isinstance(queue, str) else queue_of(queue)
        if added.exchange is None and self.default_exchange:
            named = self.default_exchange
            exchange = named if isinstance(named, Exchange) else Exchange(getattr(named, "name", named))
            added = replace(added, exchange=exchange, routing_key=added.routing_key or self.default_routing_key or "")
        if added.max_priority is None and self.max_priority is not None:
            added = replace(added, max_priority=self.max_priority)
        self[added.name] = added
        if self.app is not None:
            self.app.conf.task_queues = list(self.values())
        return added

    def add_compat(self, name: str, **options: Any) -> Queue:
        """Add a queue by the keys of old settings: ``exchange``, ``exchange_type``, ``binding_key`` or ``routing_key``."""
        exchange = Exchange(options.pop("exchange", None) or name, options.pop("exchange_type", "direct"))
        key = options.pop("binding_key", None) or options.pop("routing_key", None) or name
        return self.add(Queue(name, exchange, key, **options))

    @property
    def selected(self) -> tuple[str, ...] | None:
        """Names that were selected; ``None``: all."""
        return self._selected if self.app is None else self.app.selected_queues

    @selected.setter
    def selected(self, names: Iterable[str] | None) -> None:
        chosen = tuple(names) if names is not None else None
        if self.app is None:
            self._selected = chosen
        else:
            self.app.selected_queues = chosen

    def select(self, include: Iterable[str] | str | None) -> None:
        """Have a worker that is told no queues serve these, as ``-Q`` does; nothing: all of them."""
        names = [include] if isinstance(include, str) else include
        self.selected = tuple(names) if names else None

    def select_add(self, queue: Any, **kwargs: Any) -> Queue:
        """Add a queue, and serve it beside those that were selected."""
        added = self.add(queue, **kwargs)
        if self.selected is not None:
            self.selected = (*self.selected, added.name)
        return added

    def deselect(self, exclude: Iterable[str] | str) -> None:
        """Have a worker that is told no queues not serve these, as ``-X`` does."""
        names = {exclude} if isinstance(exclude, str) else set(exclude)
        self.selected = tuple(name for name in self.consume_from if name not in names)

    @property
    def consume_from(self) -> dict[str, Queue]:
        """The queues that a worker serves unless it is told others."""
        return {name: self[name] for name in (self if self.selected is None else self.selected)}

    def format(self, indent: int = 0, indent_first: bool = True) -> str:
        """Return a line about each queue that is served, for people."""
        queues = sorted(self.consume_from.items())
        lines = [f".> {name:<16} exchange={queue.source.name}({queue.source.type}) key={queue.key}" for name, queue in queues]
        first = " " * indent if indent_first else ""
        return first + f"\n{' ' * indent}".join(lines)


class AMQP:
    """Queues, routes and messages of an app."""

    argsrepr_maxsize: Final = 1024
    kwargsrepr_maxsize: Final = 1024
    autoexchange: Callable[[str], Any] | None = None
    """Returns the exchange of a queue that is made up, from its name: for subclasses."""
    queues_cls: Final = Queues
    Connection: Final = Connection
    BrokerConnection: Final = Connection
    Producer: Final = ByHand

    def __init__(self, app: Any) -> None:
        self.app = app

    @property
    def queues(self) -> Queues:
        """Name -> queue."""
        return self.Queues(self.app.router.queues)

    def Queues(  # noqa: N802 - Celery's name
        self,
        queues: Any,
        create_missing: bool | None = None,
        create_missing_queue_type: str | None = None,
        create_missing_queue_exchange_type: str | None = None,
        autoexchange: Callable[[str], Any] | None = None,
        max_priority: int | None = None,
    ) -> Queues:
        """Return these queues as the app's; what is not said is as its settings have it."""
        task = self.app.settings.task
        create = task.create_missing_queues if create_missing is None else create_missing
        most = task.queue_max_priority if max_priority is None else max_priority
        kind, exchange = create_missing_queue_type, create_missing_queue_exchange_type
        auto = autoexchange or self.autoexchange
        return Queues(queues, task.default_exchange, create, kind, exchange, auto, most, app=self.app)

    @property
    def router(self) -> Router:
        """Answers ``route(name, args, kwargs)`` with the Route that such a call takes."""
        router: Router = self.app.router
        return router

    def Router(self, queues: Any = None, create_missing: bool | None = None) -> Router:  # noqa: N802 - Celery's name
        """Return a router of the app's routes over other queues."""
        task = self.app.settings.task
        create = task.create_missing_queues if create_missing is None else create_missing
        return Router(task.routes, queues=_listed(queues), default_queue=task.default_queue, create_missing=create)

    @property
    def routes(self) -> Any:
        """``task_routes``."""
        return self.app.settings.task.routes

    def flush_routes(self) -> None:
        """Have the routes read anew from the settings: for who changed ``task_routes`` in place."""
        self.app.conf.touch()

    @property
    def default_queue(self) -> Queue:
        """The queue of ``task_default_queue``."""
        return self.queues[self.app.settings.task.default_queue]

    @property
    def default_exchange(self) -> Exchange:
        """Its exchange."""
        return self.default_queue.source

    @property
    def producer_pool(self) -> Any:
        """``app.producer_pool``."""
        return self.app.producer_pool

    publisher_pool = producer_pool

    @property
    def utc(self) -> bool:
        """Whether dates travel as UTC: always, whatever ``enable_utc`` says about the app's own zone."""
        return True

    def as_task_v2(
        self,
        task_id: str,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        countdown: float | None = None,
        eta: Any = None,
        group_id: str | None = None,
        group_index: int | None = None,
        expires: Any = None,
        retries: int = 0,
        chord: Any = None,
        callbacks: Any = None,
        errbacks: Any = None,
        reply_to: str | None = None,
        time_limit: float | None = None,
        soft_time_limit: float | None = None,
        create_sent_event: bool = False,
        root_id: str | None = None,
        parent_id: str | None = None,
        shadow: str | None = None,
        chain: Any = None,
        now: Any = None,
        timezone: Any = None,
        origin: str | None = None,
        ignore_result: bool = False,
        argsrepr: str | None = None,
        kwargsrepr: str | None = None,
        stamped_headers: Sequence[str] | None = None,
        replaced_task_nesting: int = 0,
        **options: Any,
    ) -> TaskMessage:
        """Return the message of a call: protocol version 2. Nothing is sent.

        Every argument is the option of ``apply_async`` of its name, but for these: ``callbacks`` is ``link``, ``errbacks`` is
        ``link_error``; ``create_sent_event`` has no effect, as the producer makes that event; ``now`` and ``timezone`` have none,
        as the app's clock and zone are asked.
        """
        del create_sent_event, now, timezone
        given = {"countdown": countdown, "eta": eta, "group_id": group_id, "group_index": group_index, "expires": expires}
        given |= {"retries": retries, "chord": chord, "link": callbacks, "link_error": errbacks, "reply_to": reply_to}
        given |= {"time_limit": time_limit, "soft_time_limit": soft_time_limit, "root_id": root_id, "parent_id": parent_id}
        given |= {"shadow": shadow, "chain": chain, "origin": origin, "ignore_result": ignore_result or None}
        given |= {"argsrepr": argsrepr, "kwargsrepr": kwargsrepr, "stamped_headers": stamped_headers, "task_id": task_id}
        given["replaced_task_nesting"] = replaced_task_nesting
        call = Call(self.app.recipe_of(name), args or (), kwargs or {}, options_from({**given, **options}))
        here = self.app.here
        parcel = protocol.encode(plan_call(call, here, None), now=here.now().astimezone(UTC), serializer="json")
        return TaskMessage(dict(parcel.headers), dict(parcel.properties), tuple(json.decode(parcel.body)), None)

    create_task_message = as_task_v2

    def as_task_v1(
        self,
        task_id: str,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        countdown: float | None = None,
        eta: Any = None,
        group_id: str | None = None,
        group_index: int | None = None,
        expires: Any = None,
        retries: int = 0,
        chord: Any = None,
        callbacks: Any = None,
        errbacks: Any = None,
        reply_to: str | None = None,
        time_limit: float | None = None,
        soft_time_limit: float | None = None,
        create_sent_event: bool = False,
        root_id: str | None = None,
        parent_id: str | None = None,
        shadow: str | None = None,
        now: Any = None,
        timezone: Any = None,
        **options: Any,
    ) -> TaskMessage:
        """Return the message of a call in protocol version 1, for workers of old: all of it is in the body. Nothing is sent.

        Arguments are those of ``as_task_v2``. ``root_id``, ``parent_id`` and ``shadow`` have no place in it.
        """
        del create_sent_event, root_id, parent_id, shadow, now, timezone
        given = {"countdown": countdown, "eta": eta, "group_id": group_id, "group_index": group_index, "expires": expires}
        given |= {"retries": retries, "chord": chord, "callbacks": callbacks, "errbacks": errbacks, "reply_to": reply_to}
        given |= {"time_limit": time_limit, "soft_time_limit": soft_time_limit, **options}
        message = self.as_task_v2(task_id, name, args, kwargs, **given)
        headers, (written_args, written_kwargs, embed) = message.headers, message.body
        body = {key: headers[key] for key in ("task", "id", "group", "group_index", "retries", "eta", "expires", "timelimit")}
        body |= {"args": written_args, "kwargs": written_kwargs, "utc": True, "taskset": headers["group"]}
        body |= {key: embed[key] for key in ("callbacks", "errbacks", "chord")}
        return TaskMessage({}, {key: message.properties[key] for key in ("correlation_id", "reply_to")}, body, None)

    def send_task_message(self, producer: Any, name: str, message: TaskMessage, **options: Any) -> None:
        """Send what ``as_task_v2`` returned.

        Args:
            producer: What ``producer_or_acquire`` lends.
            name: Of the task.
            message: What to send.
            options: ``queue``, ``exchange``, ``routing_key``, ``serializer``, ``priority``; without an address the routes decide.
        """
        address = {key: options[key] for key in ("queue", "exchange", "routing_key") if options.get(key) is not None}
        route = self.app.router.route(name, options=address)
        producer.publish(
            message.body,
            queue=route.queue,
            routing_key=route.routing_key,
            exchange=route.exchange,
            serializer=options.get("serializer"),
            priority=options.get("priority", message.properties.get("priority")),
            headers=message.headers,
            **{key: value for key, value in message.properties.items() if key != "priority"},
        )

    @property
    def task_protocols(self) -> dict[int, Any]:
        """Number of a protocol -> function that makes its messages."""
        return {1: self.as_task_v1, 2: self.as_task_v2}

    def __repr__(self) -> str:
        return f"<AMQP of {self.app!r}>"


def _listed(queues: Mapping[str, Any] | Iterable[Any] | None) -> list[Any]:
    return list(queues.values() if isinstance(queues, Mapping) else queues or ())
