"""The Sender that reaches the broker: plan, route, encode, publish.

In a job's life: task -> signature -> **producer** -> plan -> routing -> protocol -> store. ``asubmit`` does what ``submit`` does
without blocking the event loop. One publish carries any number of messages.
Does not know: tasks, how results are waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from celeriac.abc import PUBLISH_DEADLINE_S, Store
from celeriac.app import signals
from celeriac.app.context import Context, current_context
from celeriac.app.names import checked_address
from celeriac.app.options import NO_OPTIONS, CallOptions
from celeriac.app.outbox import Outbox
from celeriac.app.plan import Call, Surroundings, plan_call, plan_group
from celeriac.core import protocol
from celeriac.core.errors import Retry
from celeriac.core.message import Message, Outgoing
from celeriac.core.retry import RetryPolicy, policy_of
from celeriac.core.routing import Route, Router

ONE_TRY_S: Final = 1.0
"""How long a publish may take that is not to be tried again."""
MOST_ROUTES: Final = 10_000
"""Names may be made up at run time: a bound on what is remembered of them."""
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_DELIVERY_MODES: Final[Mapping[Any, int]] = {"persistent": 2, "transient": 1, 2: 2, 1: 1}


class Producer:
    """Sends calls. Safe in any thread; made anew when the settings change."""

    def __init__(
        self,
        store: Store,
        *,
        here: Surroundings,
        router: Router,
        routes_by_name: bool,
        outbox: Outbox,
        retry: bool,
        retry_policy: Mapping[str, Any],
    ) -> None:
        self._store, self.here, self._router, self._outbox = store, here, router, outbox
        self._routes: dict[str, Route] | None = {} if routes_by_name else None
        """Routes of calls of which nothing but the name matters; ``None``: a function decides each time."""
        self._retry, self._retry_policy = retry, policy_of(retry_policy)
        self._deadline_s = deadline_s_of(retry, self._retry_policy)

    def submit(self, call: Call) -> Message:
        """Send one call and return its message.

        Raises:
            OperationalError: the broker did not take it within the deadline.
            EncodeError: an argument cannot be written.
        """
        message = plan_call(call, self.here, _caller())
        self._publish([self._prepare(message, call)], self._deadline_of(call.options))
        return message

    async def asubmit(self, call: Call) -> Message:
        """The twin of ``submit`` for event loops."""
        message = plan_call(call, self.here, _caller())
        outgoing = [self._prepare(message, call)]
        _announce_before(outgoing)
        await self._outbox.publish(outgoing, deadline_s=self._deadline_of(call.options))
        _announce_after(outgoing)
        return message

    def submit_group(self, calls: Sequence[Call], group_id: str | None = None) -> list[Message]:
        """Send the members of a group in one publish."""
        messages, outgoing = self._prepare_group(calls, group_id)
        self._publish(outgoing, self._deadline_s)
        return messages

    async def asubmit_group(self, calls: Sequence[Call], group_id: str | None = None) -> list[Message]:
        """The twin of ``submit_group`` for event loops."""
        messages, outgoing = self._prepare_group(calls, group_id)
        _announce_before(outgoing)
        await self._outbox.publish(outgoing, deadline_s=self._deadline_s)
        _announce_after(outgoing)
        return messages

    def _prepare_group(self, calls: Sequence[Call], group_id: str | None) -> tuple[list[Message], list[Outgoing]]:
        group_id = group_id or self.here.new_id()
        messages = plan_group(calls, self.here, _caller(), group_id=group_id)
        return messages, [self._prepare(message, call) for message, call in zip(messages, calls, strict=True)]

    def plan(self, call: Call, caller: Message | None) -> Outgoing:
        """Return what ``submit`` would send if ``caller``'s task made the call: for settlements."""
        return self._prepare(plan_call(call, self.here, caller), call)

    def _prepare(self, message: Message, call: Call) -> Outgoing:
        recipe, options = call.recipe, call.options
        if options is NO_OPTIONS and recipe.queue is None and recipe.exchange is None and recipe.routing_key is None:
            route = self._routes.get(message.task) if self._routes is not None else None
            if route is None:
                route = self._route_of(message)
        else:
            route = _checked(self._router.route(message.task, message.args, message.kwargs, _said(call)))
        return self._encode(message, call, route)

    def _route_of(self, message: Message) -> Route:
        route = _checked(self._router.route(message.task, message.args, message.kwargs))
        if self._routes is not None and len(self._routes) < MOST_ROUTES:
            self._routes[message.task] = route
        return route

    def _encode(self, message: Message, call: Call, route: Route) -> Outgoing:
        recipe, options = call.recipe, call.options
        priority = message.priority if options.priority is not None or route.priority is None else route.priority
        parcel = protocol.encode(
            message,
            now=self.here.now() if message.expires is not None else _EPOCH,
            serializer=options.serializer or route.options.get("serializer") or recipe.serializer,
            compression=options.compression or route.options.get("compression") or recipe.compression,
            delivery_mode=_DELIVERY_MODES.get(options.delivery_mode, recipe.delivery_mode),
        )
        return Outgoing(
            parcel=parcel,
            queue=route.queue,
            exchange=route.exchange,
            routing_key=route.routing_key,
            priority=priority,
            eta=message.eta,
        )

    def again(self, message: Message, *, queue: str, serializer: str = "json", compression: str | None = None) -> Outgoing:
        """Return a message that was planned already (a retry) as bytes, addressed to ``queue``."""
        parcel = protocol.encode(message, now=self.here.now(), serializer=serializer, compression=compression)
        return Outgoing(parcel=parcel, queue=queue, routing_key=queue, priority=message.priority, eta=message.eta)

    def submit_again(self, context: Context, retry: Retry) -> None:
        """Send a retry now, while its task goes on running."""
        assert retry.again is not None
        queue = (context.delivery_info or {}).get("routing_key") or self._router.route(retry.again.task).queue
        self._publish([self.again(retry.again, queue=queue)], self._deadline_s)

    def _publish(self, outgoing: Sequence[Outgoing], deadline_s: float) -> None:
        if signals.before_task_publish.receivers:
            _announce_before(outgoing)
        self._store.publish(outgoing, deadline_s=deadline_s)
        if signals.after_task_publish.receivers:
            _announce_after(outgoing)

    def _deadline_of(self, options: CallOptions) -> float:
        if options is NO_OPTIONS:
            return self._deadline_s
        retry = self._retry if options.retry is None else options.retry
        return deadline_s_of(retry, policy_of(options.retry_policy, default=self._retry_policy))


def deadline_s_of(retry: bool, policy: RetryPolicy) -> float:
    """Return how long a publish may take, all its tries together."""
    if not retry:
        return ONE_TRY_S
    if policy.max_retries is None:
        return PUBLISH_DEADLINE_S
    # Whoever asks for longer pauses than the deadline wants to wait for longer.
    return max(PUBLISH_DEADLINE_S, sum(policy.intervals_s()))


def _caller() -> Message | None:
    context = current_context()
    return None if context is None or context.called_directly else context.message


def _checked(route: Route) -> Route:
    """Tasks and ``task_routes`` name queues, too. A message to an exchange has none."""
    checked_address(route.queue, "queue", may_be_empty=bool(route.exchange))
    checked_address(route.routing_key, "routing_key", may_be_empty=True)
    return route


def _said(call: Call) -> dict[str, Any]:
    """Return what is said about the address: by the caller, else by the task."""
    recipe, options = call.recipe, call.options
    return {
        "queue": options.queue if options.queue is not None else recipe.queue,
        "exchange": options.exchange if options.exchange is not None else recipe.exchange,
        "routing_key": options.routing_key if options.routing_key is not None else recipe.routing_key,
        "priority": options.priority,
    }


def _facts(outgoing: Outgoing) -> dict[str, Any]:
    parcel = outgoing.parcel
    return {
        "body": parcel.body,
        "exchange": outgoing.exchange,
        "routing_key": outgoing.routing_key or outgoing.queue,
        "headers": parcel.headers,
    }


def _announce_before(messages: Iterable[Outgoing]) -> None:
    """Receivers may change headers and properties: they are handed the ones that travel."""
    if not signals.before_task_publish.receivers:
        return
    for outgoing in messages:
        signals.before_task_publish.send(
            outgoing.parcel.headers.get("task"),
            **_facts(outgoing),
            properties=outgoing.parcel.properties,
            declare=[],
            retry_policy=None,
        )


def _announce_after(messages: Iterable[Outgoing]) -> None:
    if not signals.after_task_publish.receivers:
        return
    for outgoing in messages:
        signals.after_task_publish.send(outgoing.parcel.headers.get("task"), **_facts(outgoing))
