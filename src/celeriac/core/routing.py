"""From the name of a task to a queue, an exchange and a routing key.

In a job's life: the producer asks ``Router.route`` for each message. What the caller says wins over ``task_routes``,
and that over the default queue. Functions in ``task_routes`` are called with what the caller hands in.
Source: Celery's guide "Routing Tasks". Does not know: messages, stores.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from fnmatch import translate
from typing import Any, Final

from msgspec import Struct

from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.topology import Exchange, Queue, queue_of

RouteFunction = Callable[..., Any]
"""``route(name, args, kwargs, options, task=None)``: a queue's name, a dict of options, or ``None`` for "not mine"."""

_ADDRESS: Final = frozenset({"queue", "exchange", "exchange_type", "routing_key", "priority"})
_CACHED_NAMES: Final = 10_000


class Route(Struct, frozen=True):
    """Where a message goes, and what else the route says about it."""

    queue: str
    """On stores without exchanges it lies here. With exchanges: what to declare; ``""``: nothing, an exchange was named."""
    exchange: str = ""
    """``""``: the default exchange, which hands it to the queue that the routing key names."""
    routing_key: str = ""
    priority: int | None = None
    """``None``: nobody said."""
    options: Mapping[str, Any] = {}
    """Further options of the route, such as ``serializer``; weaker than the caller's."""


class Router:
    """All routes of an app. Make a new one when the settings change."""

    def __init__(
        self,
        routes: object = None,
        *,
        queues: Iterable[object] | Mapping[str, Any] = (),
        default_queue: str = "celery",
        default_exchange: str | None = None,
        default_exchange_type: str = "direct",
        default_routing_key: str | None = None,
        create_missing: bool = True,
    ) -> None:
        """Read the settings.

        Args:
            routes: ``task_routes``: a dict, a function, or a list of these and of pairs.
            queues: ``task_queues``: queues (ours or kombu's), names, or a dict of name -> declaration.
            default_queue: ``task_default_queue``.
            default_exchange: ``task_default_exchange``; ``None``: the queue's name.
            default_exchange_type: ``task_default_exchange_type``.
            default_routing_key: ``task_default_routing_key``; ``None``: the queue's name.
            create_missing: ``task_create_missing_queues``: a name that is not among ``queues`` is a queue, too.

        Raises:
            ImproperlyConfigured: something in them is no route or no queue.
        """
        self._routes = _prepare(routes)
        self._create_missing = create_missing
        self._default_exchange_type = default_exchange_type
        self.queues: dict[str, Queue] = _queues(queues)
        """Name -> queue; those of ``task_queues`` and the default one."""
        if default_queue not in self.queues and (create_missing or not self.queues):
            exchange = Exchange(default_exchange or default_queue, default_exchange_type)
            self.queues[default_queue] = Queue(default_queue, exchange, default_routing_key or default_queue)
        self._default = self._queue(default_queue)
        # What depends on nothing but the name is found out once. A function may answer otherwise each time.
        self._may_cache = all(isinstance(route, _Table) for route in self._routes)
        self._cache: dict[str, Route] = {}

    def route(
        self,
        name: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        task: object = None,
    ) -> Route:
        """Return where a call of the task ``name`` goes.

        Args:
            name: Of the task; that of a task which is not known here, too.
            args: Its arguments; for functions in ``task_routes``.
            kwargs: The same.
            options: What the caller said: ``queue``, ``exchange``, ``routing_key``, ``priority``, and anything for functions.
            task: The task itself, for functions.

        Raises:
            ImproperlyConfigured: the queue is not among ``task_queues`` and must not be made up.
        """
        if not options and self._may_cache:
            found = self._cache.get(name)
            if found is None:
                found = self._resolve(self._look_up(name, (), {}, {}, None), {})
                if len(self._cache) < _CACHED_NAMES:
                    self._cache[name] = found
            return found
        options = options or {}
        return self._resolve(self._look_up(name, args, kwargs or {}, options, task), options)

    def targets(self) -> list[str]:
        """Return the queues that the tables of ``task_routes`` name. What functions answer is not known before they are asked."""
        found = []
        for table in self._routes:
            for target in table.targets() if isinstance(table, _Table) else ():
                said = dict(target) if isinstance(target, Mapping) else {"queue": target}
                with suppress(ImproperlyConfigured):  # whoever sends there is told
                    found.append(self._resolve(said, {}).queue)
        return [queue for queue in dict.fromkeys(found) if queue]

    def _look_up(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any], task: object
    ) -> dict[str, Any]:
        for route in self._routes:
            answer = route(name, args, kwargs, options, task=task)
            if answer is not None:
                return dict(answer) if isinstance(answer, Mapping) else {"queue": answer}
        return {}

    def _resolve(self, found: dict[str, Any], options: Mapping[str, Any]) -> Route:
        said = found | {key: options[key] for key in _ADDRESS & options.keys() if options[key] is not None}
        exchange, routing_key = said.get("exchange"), said.get("routing_key")
        exchange = getattr(exchange, "name", exchange)  # a name or an Exchange
        further = {key: value for key, value in found.items() if key not in _ADDRESS}
        priority = said.get("priority")
        if exchange and routing_key and said.get("queue") is None:
            return Route("", str(exchange), str(routing_key), priority, further)
        queue = self._default if said.get("queue") is None else self._queue(said["queue"])
        kind = said.get("exchange_type") or queue.source.type
        if kind == "direct" and not (exchange and routing_key):
            return Route(queue.name, "", queue.name, priority, further)
        return Route(queue.name, str(exchange or queue.source.name), str(routing_key or queue.key), priority, further)

    def _queue(self, given: object) -> Queue:
        if not isinstance(given, str):
            return queue_of(given)
        known = self.queues.get(given)
        if known is not None:
            return known
        if self._create_missing:
            return Queue(given, Exchange(given, self._default_exchange_type), given)
        near = get_close_matches(given, self.queues, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(self.queues))}"
        raise ImproperlyConfigured(f"queue {given!r} is not in task_queues: {hint}")


class _Table:
    """One dict of ``task_routes``: exact names first, then globs and regular expressions in their order."""

    def __init__(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        self._exact: dict[str, Any] = {}
        self._patterns: list[tuple[re.Pattern[str], Any]] = []
        for key, target in pairs:
            if isinstance(key, re.Pattern):
                self._patterns.append((key, target))
            elif "*" in key:
                self._patterns.append((re.compile(translate(key)), target))
            else:
                self._exact[key] = target

    def targets(self) -> list[Any]:
        """Return all that it leads to."""
        return [*self._exact.values(), *(target for _, target in self._patterns)]

    def __call__(self, name: str, *_args: object, **_task: object) -> Any:
        if name in self._exact:
            return self._exact[name]
        return next((target for pattern, target in self._patterns if pattern.match(name)), None)


def _prepare(routes: object) -> list[RouteFunction]:
    if routes is None:
        return []
    if _is_pairs(routes):
        return [_Table(routes)]  # type: ignore[arg-type]  # looked at just now
    return [_function_of(route) for route in (routes if isinstance(routes, list | tuple) else (routes,))]


def _function_of(route: object) -> RouteFunction:
    if isinstance(route, Mapping):
        return _Table(route.items())
    if _is_pairs(route):
        return _Table(route)  # type: ignore[arg-type]  # looked at just now
    older = getattr(route, "route_for_task", None)
    if older is not None:
        return lambda name, args, kwargs, *_options, **_task: older(name, args, kwargs)
    if callable(route):
        return route
    raise ImproperlyConfigured(f"task_routes: {route!r} is no dict, no list of pairs and no function")


def _is_pairs(routes: object) -> bool:
    return (
        isinstance(routes, list | tuple)
        and bool(routes)
        and all(isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str | re.Pattern) for pair in routes)
    )


def _queues(given: Iterable[object] | Mapping[str, Any]) -> dict[str, Queue]:
    try:
        if isinstance(given, Mapping):
            named: Any = given
            return {name: _declared(name, declaration) for name, declaration in named.items()}
        return {queue.name: queue for queue in map(queue_of, given)}
    except TypeError as problem:
        raise ImproperlyConfigured(f"task_queues: {problem}") from problem


def _declared(name: str, declaration: Any) -> Queue:
    """Return the queue that one entry of a dict means: Celery's keys of ``task_queues``."""
    if not isinstance(declaration, Mapping):
        return queue_of(declaration or name)
    said = dict(declaration)
    kind = said.pop("exchange_type", "direct")
    exchange = said.pop("exchange", None) or name
    key = said.pop("binding_key", None) or said.pop("routing_key", None) or name
    return Queue(name, Exchange(exchange, kind) if isinstance(exchange, str) else exchange, key, **said)
