"""The Sender that reaches the broker: plan, route, encode, publish.

In a job's life: task -> signature -> **producer** -> plan -> routing -> protocol -> store. ``asubmit`` does what ``submit`` does
without blocking the event loop. One publish carries any number of messages.
Does not know: tasks, how results are waited for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from celeriac.abc import PUBLISH_DEADLINE_S, Runtime, Store
from celeriac.app import announcing
from celeriac.app.announcing import Announced
from celeriac.app.context import Context, current_context
from celeriac.app.monitoring.sent_events import SentEvents
from celeriac.app.names import checked_address
from celeriac.app.once import Once
from celeriac.app.options import NO_OPTIONS, CallOptions
from celeriac.app.outbox import Outbox
from celeriac.app.plan import Call, Recipe, Surroundings, plan_call, plan_group, plan_numbered
from celeriac.app.signals import after_task_publish as _after
from celeriac.app.signals import before_task_publish as _before
from celeriac.app.signals import task_sent as _sent
from celeriac.core import protocol
from celeriac.core.errors import OperationalError, Retry
from celeriac.core.masking import mask
from celeriac.core.message import NOWHERE_ELSE, Address, Message, Outgoing
from celeriac.core.retry import RetryPolicy, policy_of, said_by
from celeriac.core.routing import Route, Router

log = logging.getLogger("celeriac.app")

ONE_TRY_S: Final = 1.0
"""How long a publish may take that is not to be tried again."""
MOST_ROUTES: Final = 10_000
"""Names may be made up at run time: a bound on what is remembered of them."""
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_DELIVERY_MODES: Final[Mapping[Any, int]] = {"persistent": 2, "transient": 1, 2: 2, 1: 1}
_CONFESSIONS: Final[Mapping[str, str]] = {
    "immediate": "immediate=True has no effect: no broker refuses what no worker takes at once any more",
}

Numbered = Sequence[tuple[int, Call]]
"""Members of a group with their places."""
Chord = Mapping[str, Any] | None
"""The body that the members of a chord report to."""


class Way(Struct, frozen=True):
    """How one publish is made."""

    store: Store
    policy: RetryPolicy
    retry: bool
    """Try again when the broker does not answer."""
    limit_s: float | None = None
    """What the caller gave it, all in all; ``None``: what the policy comes to."""

    @property
    def deadline_s(self) -> float:
        """How long it may take, all its tries together."""
        return deadline_s_of(self.retry, self.policy) if self.limit_s is None else self.limit_s


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
        runtime: Runtime,
        retry: bool,
        retry_policy: Mapping[str, Any],
        sent: SentEvents | None = None,
    ) -> None:
        """``sent``: tells monitors what was sent; ``None``: nobody does."""
        self.store, self.here, self._router, self._outbox, self._runtime = store, here, router, outbox, runtime
        self._sent = sent
        self._routes: dict[str, Route] | None = {} if routes_by_name else None
        """Routes of calls of which nothing but the name matters; ``None``: a function decides each time."""
        self._once = Once()
        self._usual = Way(store, policy_of(retry_policy), retry)
        self._deadline_s = self._usual.deadline_s

    def submit(self, call: Call) -> Message:
        """Send one call and return its message.

        Raises:
            OperationalError: the broker did not take it within the deadline.
            EncodeError: an argument cannot be written.
        """
        message = plan_call(call, self.here, _caller())
        self._publish([message], [self._prepare(message, call)], call.options)
        return message

    async def asubmit(self, call: Call) -> Message:
        """The twin of ``submit`` for event loops."""
        message = plan_call(call, self.here, _caller())
        await self._apublish([message], [self._prepare(message, call)], call.options)
        return message

    def submit_all(self, calls: Sequence[Call], options: CallOptions = NO_OPTIONS) -> list[Message]:
        """Send calls that have nothing in common in one publish; ``options`` say how that is made."""
        messages, outgoing = self._prepare_all(calls)
        self._publish(messages, outgoing, options)
        return messages

    async def asubmit_all(self, calls: Sequence[Call], options: CallOptions = NO_OPTIONS) -> list[Message]:
        """The twin of ``submit_all`` for event loops."""
        messages, outgoing = self._prepare_all(calls)
        await self._apublish(messages, outgoing, options)
        return messages

    def _prepare_all(self, calls: Sequence[Call]) -> tuple[list[Message], list[Outgoing]]:
        caller = _caller()
        messages = [plan_call(call, self.here, caller) for call in calls]
        return messages, [self._prepare(message, call) for message, call in zip(messages, calls, strict=True)]

    def submit_group(
        self, calls: Sequence[Call], group_id: str | None = None, options: CallOptions = NO_OPTIONS
    ) -> list[Message]:
        """Send the members of a group in one publish; ``options`` say how that is made."""
        messages, outgoing = self._prepare_group(calls, group_id)
        self._publish(messages, outgoing, options)
        return messages

    async def asubmit_group(
        self, calls: Sequence[Call], group_id: str | None = None, options: CallOptions = NO_OPTIONS
    ) -> list[Message]:
        """The twin of ``submit_group`` for event loops."""
        messages, outgoing = self._prepare_group(calls, group_id)
        await self._apublish(messages, outgoing, options)
        return messages

    def _prepare_group(self, calls: Sequence[Call], group_id: str | None) -> tuple[list[Message], list[Outgoing]]:
        group_id = group_id or self.here.new_id()
        messages = plan_group(calls, self.here, _caller(), group_id=group_id)
        return messages, [self._prepare(message, call) for message, call in zip(messages, calls, strict=True)]

    def submit_numbered(self, calls: Numbered, group_id: str, chord: Chord, options: CallOptions = NO_OPTIONS) -> None:
        """Send some members of a group whose ids follow from their places, in one publish; see ``plan_numbered``."""
        self._publish(*self._prepare_numbered(calls, group_id, chord), options)

    async def asubmit_numbered(self, calls: Numbered, group_id: str, chord: Chord, options: CallOptions = NO_OPTIONS) -> None:
        """The twin of ``submit_numbered`` for event loops."""
        await self._apublish(*self._prepare_numbered(calls, group_id, chord), options)

    def _prepare_numbered(self, calls: Numbered, group_id: str, chord: Chord) -> tuple[list[Message], list[Outgoing]]:
        messages = plan_numbered(calls, self.here, _caller(), group_id=group_id, chord=chord)
        return messages, [self._prepare(message, call) for message, (_, call) in zip(messages, calls, strict=True)]

    def plan(self, call: Call, caller: Message | None, *, announce: bool = False) -> Outgoing:
        """Return what ``submit`` would send if ``caller``'s task made the call: for settlements.

        ``announce``: send the signals of publishing now. What follows a run travels in the step that ends the run, of which
        nobody is told; and never in a node, where no code of the user's runs.
        """
        message = plan_call(call, self.here, caller)
        outgoing = self._prepare(message, call)
        return self._announced(message, outgoing) if announce else outgoing

    def _announced(self, message: Message, outgoing: Outgoing) -> Outgoing:
        if self._sent is not None:
            self._sent.about([message])([outgoing])
        if not (_before.receivers or _after.receivers or _sent.receivers):
            return outgoing
        announced = announcing.before([message], [outgoing], said_by(self._usual.policy))
        announcing.after(announced)
        return announced[0].outgoing

    # ---- where it goes, and as which bytes ---------------------------------------------------------------------

    def _prepare(self, message: Message, call: Call) -> Outgoing:
        recipe, options = call.recipe, call.options
        if options is NO_OPTIONS and recipe.queue is None and recipe.exchange is None and recipe.routing_key is None:
            route = self._routes.get(message.task) if self._routes is not None else None
            if route is None:
                route = self._route_of(message)
        else:
            route = self._route_with(message, call)
        return self._encode(message, call, route)

    def _route_of(self, message: Message) -> Route:
        route = _checked(self._router.route(message.task, message.args, message.kwargs))
        if self._routes is not None and len(self._routes) < MOST_ROUTES:
            self._routes[message.task] = route
        return route

    def _route_with(self, message: Message, call: Call) -> Route:
        options, said = call.options, _said(call)
        name = options.route_name or message.task
        if options.router is not None:
            given = {key: value for key, value in said.items() if value is not None}
            said = {**said, **options.router.route(given, name, message.args, message.kwargs, options.task_type)}
        return _checked(self._router.route(name, message.args, message.kwargs, said, options.task_type))

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
        if options.properties:
            parcel = replace(parcel, properties={**parcel.properties, **options.properties})
        return Outgoing(
            parcel=parcel,
            queue=route.queue,
            exchange=route.exchange,
            routing_key=route.routing_key,
            priority=priority,
            eta=message.eta,
        )

    # ---- once more ---------------------------------------------------------------------------------------------

    def again(
        self,
        message: Message,
        *,
        queue: str,
        serializer: str = "json",
        compression: str | None = None,
        address: Address | None = None,
        announce: bool = False,
    ) -> Outgoing:
        """Return a message that was planned already (a retry) as bytes, addressed to ``queue`` or where ``address`` says.

        ``announce``: as for ``plan``.
        """
        address = address or NOWHERE_ELSE
        route = Route(queue, "", queue)
        if address.queue is not None or address.exchange is not None or address.routing_key is not None:
            said = {name: getattr(address, name) for name in ("queue", "exchange", "exchange_type", "routing_key")}
            route = _checked(self._router.route(message.task, message.args, message.kwargs, said))
        parcel = protocol.encode(
            message,
            now=self.here.now(),
            serializer=address.serializer or serializer,
            compression=address.compression or compression,
            delivery_mode=_DELIVERY_MODES.get(address.delivery_mode, protocol.PERSISTENT),
        )
        outgoing = Outgoing(
            parcel=parcel,
            queue=route.queue,
            exchange=route.exchange,
            routing_key=route.routing_key,
            priority=message.priority,
            eta=message.eta,
        )
        return self._announced(message, outgoing) if announce else outgoing

    def submit_again(self, context: Context, retry: Retry, recipe: Recipe | None = None) -> None:
        """Send a retry now, while its task goes on running. ``recipe``: of the task, for the form of the bytes."""
        assert retry.again is not None
        queue = (context.delivery_info or {}).get("routing_key") or self._router.route(retry.again.task).queue
        form = {} if recipe is None else {"serializer": recipe.serializer, "compression": recipe.compression}
        self._publish([retry.again], [self.again(retry.again, queue=queue, address=retry.address, **form)], NO_OPTIONS)  # type: ignore[arg-type]

    # ---- sending -----------------------------------------------------------------------------------------------

    def _publish(self, messages: Sequence[Message], outgoing: Sequence[Outgoing], options: CallOptions) -> None:
        tell = None if self._sent is None else self._sent.about(messages, options.event_dispatcher)
        if not (_before.receivers or _after.receivers or _sent.receivers):
            if options is NO_OPTIONS:
                self.store.publish(outgoing, deadline_s=self._deadline_s)
            else:
                self._send(self._way(options), outgoing)
        else:
            way, announced = self._announce(messages, outgoing, self._way(options))
            outgoing = [each.outgoing for each in announced]
            self._send(way, outgoing)
            announcing.after(announced)
        if tell is not None:
            tell(outgoing)

    async def _apublish(self, messages: Sequence[Message], outgoing: Sequence[Outgoing], options: CallOptions) -> None:
        way = self._way(options)
        tell = None if self._sent is None else self._sent.about(messages, options.event_dispatcher)
        announced: Sequence[Announced] = ()
        if _before.receivers or _after.receivers or _sent.receivers:
            way, announced = self._announce(messages, outgoing, way)
            outgoing = [each.outgoing for each in announced]
        if way.store is self.store and not way.policy.retry_errors:
            await self._outbox.publish(outgoing, deadline_s=way.deadline_s)
        else:
            from asyncio import to_thread  # late: whoever runs a coroutine has paid for asyncio

            await to_thread(self._send, way, outgoing)
        announcing.after(announced)
        if tell is not None:
            tell(outgoing)

    def _announce(self, messages: Sequence[Message], outgoing: Sequence[Outgoing], way: Way) -> tuple[Way, Sequence[Announced]]:
        wanted = said_by(way.policy)
        announced = announcing.before(messages, outgoing, wanted)
        return replace(way, policy=policy_of(wanted, default=way.policy)), announced

    def _way(self, options: CallOptions) -> Way:
        """Return how a publish with these options is made."""
        if options is NO_OPTIONS:
            return self._usual
        for name, confession in _CONFESSIONS.items():
            if getattr(options, name):
                self._once.warn(confession)
        bounds = [seconds for seconds in (options.timeout, options.confirm_timeout) if seconds is not None]
        return Way(
            store=self._store_of(options),
            policy=policy_of(options.retry_policy, default=self._usual.policy),
            retry=self._usual.retry if options.retry is None else options.retry,
            limit_s=min(bounds, default=None),
        )

    def _store_of(self, options: CallOptions) -> Store:
        given = options.producer or options.publisher or options.connection
        if given is None:
            return self.store
        if isinstance(given, str):
            raise TypeError(f"connection and producer take what app.connection_for_write() returns, not {mask(given)!r}")
        store: Store | None = getattr(given, "store", None)
        if store is None:
            self._once.warn(
                f"a {type(given).__module__}.{type(given).__qualname__} was given as connection or producer: "
                "it is not one of an app of celeriac, and the app's own connection is used"
            )
            return self.store
        return store

    def _send(self, way: Way, outgoing: Sequence[Outgoing]) -> None:
        """Publish; after one of the policy's ``retry_errors`` again, as often and as long as the policy and the deadline let."""
        deadline_s = way.deadline_s
        if not (way.retry and way.policy.retry_errors):
            way.store.publish(outgoing, deadline_s=deadline_s)
            return
        ends, done, pauses = self._runtime.monotonic() + deadline_s, 0, way.policy.intervals_s()
        while True:
            try:
                way.store.publish(outgoing[done:], deadline_s=max(0.001, ends - self._runtime.monotonic()))
                return
            except way.policy.retry_errors as error:
                accepted = getattr(error, "accepted", 0)
                done += accepted
                pause_s = next(pauses, None)
                if pause_s is None or self._runtime.monotonic() + pause_s >= ends:
                    if isinstance(error, OperationalError):
                        error.accepted = done
                    raise
            self._runtime.sleep(pause_s)


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
    if context is not None and context.called_directly:
        context = context.of_worker
    return None if context is None else context.as_message()


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
        "exchange_type": options.exchange_type,
        "priority": options.priority,
    }
