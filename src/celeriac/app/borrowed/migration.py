"""Move messages by hand: what programs of Celery import from ``celery.contrib.migrate``.

In a message's life: between two places where it waits. A predicate is called with what the message asks for, and with how it
travels, and says where it goes. Names and meanings: Celery's reference of that module. What a message asks for is a dict here, as
that page has it (``body["task"]``, ``body["id"]``), whatever protocol it was sent in. Does not know: how messages are carried.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from celeriac.app import current
from celeriac.app.borrowed.connection import Connection
from celeriac.app.carrying import carry, id_of, outgoing, task_of
from celeriac.core import protocol
from celeriac.core.message import Delivery, Message, Outgoing, Rejected
from celeriac.core.topology import Queue, queue_of

MOVING_PROGRESS_FMT: Final = "Moving task {state.filtered}/{state.strtotal}: {body[task]}[{body[id]}]"


class StopFiltering(Exception):
    """Raised by a predicate or callback: look at no more messages."""


class State:
    """How far it has come."""

    count = 0
    """Messages that were looked at."""
    filtered = 0
    """Messages that were moved."""
    total_apx = 0
    """Messages that waited when it began."""

    @property
    def strtotal(self) -> str:
        """How many there are, as text."""
        return str(self.total_apx) if self.total_apx else "?"

    def __repr__(self) -> str:
        return f"^{self.filtered}" if self.filtered else f"{self.count}/{self.strtotal}"


class Carried(NamedTuple):
    """How a message travels."""

    body: bytes
    content_type: str
    content_encoding: str
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    delivery_info: Mapping[str, Any]


Predicate = Callable[[dict[str, Any], Carried], Any]


def move(
    predicate: Predicate,
    connection: Connection | None = None,
    exchange: Any = None,
    routing_key: str | None = None,
    source: Sequence[Any] | None = None,
    app: Any = None,
    callback: Callable[..., object] | None = None,
    limit: int | None = None,
    transform: Callable[[Any], Any] | None = None,
    **kwargs: Any,
) -> State:
    """Move the messages for which ``predicate(body, message)`` is true to another queue of the same broker.

    Args:
        predicate: Returns where it goes: a Queue, a pair of exchange and routing key, or anything true for those below.
        connection: To the broker; by default the app's.
        exchange: Where messages go of which the predicate says no more.
        routing_key: The same.
        source: Queues, or their names; by default the app's.
        app: By default the current one.
        callback: Called with the state, the body and the message for each that was moved.
        limit: Move so many.
        transform: Applied to what the predicate returns.
        kwargs: ``tasks``: only those of these names; ``timeout``: seconds to wait for more; ``forever``.

    Raises:
        TypeError: another keyword.
    """
    app = current.app_or_default(app)
    store = connection.store if connection is not None else app.store
    state = State()
    names = [queue_of(one).name for one in source] if source else list(app.queue_names())

    def decide(delivery: Delivery) -> str | None:
        wanted = predicate(*_shown(app, delivery))
        wanted = transform(wanted) if wanted and transform is not None else wanted
        return _queue_for(app, wanted, exchange, routing_key) if wanted else None

    _carry(app, store, store, names, decide, state, callback, limit=limit, **kwargs)
    return state


def migrate_tasks(source: Any, dest: Any, migrate: Any = None, app: Any = None, queues: Any = None, **kwargs: Any) -> State:
    """Send the messages that wait at one broker to another one.

    Args:
        source: Connection, or URL.
        dest: The same.
        migrate: Refused: how a message is sent on is not the caller's.
        app: By default the current one.
        queues: Names, or a dict, or ``"a,b:c"``: from which queue to which; by default the app's.
        kwargs: ``ack_messages``: delete them at the source; ``tasks``, ``limit``, ``timeout``, ``forever``, ``callback``.

    Raises:
        TypeError: ``migrate`` or another keyword.
    """
    if migrate is not None:
        raise TypeError("migrate_tasks() cannot be told how to send a message on: filter with tasks=, or use move()")
    app = current.app_or_default(app)
    names = prepare_queues(queues) or {name: name for name in app.queue_names()}
    here, there = (one.store if isinstance(one, Connection) else app.connection(one).store for one in (source, dest))
    state = State()
    copy = not kwargs.pop("ack_messages", False)
    callback = kwargs.pop("callback", None)
    _carry(app, here, there, list(names), lambda one: names[one.queue], state, callback, copy=copy, **kwargs)
    return state


def _carry(
    app: Any,
    here: Any,
    there: Any,
    names: Sequence[str],
    decide: Callable[[Delivery], str | None],
    state: State,
    callback: Callable[..., object] | None,
    *,
    copy: bool = False,
    limit: int | None = None,
    timeout: float = 0.0,
    forever: bool = False,
    tasks: Collection[str] | str | None = None,
) -> None:
    state.total_apx = sum(here.depth(names))
    wanted = tasks.split(",") if isinstance(tasks, str) else tasks
    stopped = False

    def going(delivery: Delivery) -> Outgoing | None:
        nonlocal stopped
        if stopped or isinstance(delivery.parcel, Rejected) or (wanted and task_of(delivery) not in wanted):
            return None
        state.count += 1
        try:
            queue = decide(delivery)
        except StopFiltering:
            stopped = True
            return None
        # One that goes where it lies would be looked at again and again.
        return None if queue is None or (here is there and queue == delivery.queue) else outgoing(delivery, queue)

    def gone(delivery: Delivery) -> None:
        nonlocal stopped
        state.filtered += 1
        if callback is not None:
            try:
                callback(state, *_shown(app, delivery))
            except StopFiltering:
                stopped = True

    carry(here, there, names, going, runtime=app.runtime, copy=copy, limit=limit, wait_s=timeout, forever=forever, tell=gone)


def move_task_by_id(task_id: str, dest: Any, **kwargs: Any) -> State:
    """Move the message of one task to the queue ``dest``."""
    return move_by_idmap({task_id: dest}, **kwargs)


def move_by_idmap(map: Mapping[str, Any], **kwargs: Any) -> State:
    """Move the messages of tasks to the queues that stand beside their ids."""
    return move(lambda body, _: map.get(body["id"]), limit=len(map), **{"transform": _as_queue, **kwargs})


def move_by_taskmap(map: Mapping[str, Any], **kwargs: Any) -> State:
    """Move messages to the queues that stand beside the names of their tasks."""
    return move(lambda body, _: map.get(body["task"]), **{"transform": _as_queue, **kwargs})


def task_id_eq(task_id: str, body: Mapping[str, Any], message: Any) -> bool:
    """Say whether a message is of this task."""
    del message
    return bool(body["id"] == task_id)


def task_id_in(ids: Collection[str], body: Mapping[str, Any], message: Any) -> bool:
    """Say whether a message is of one of these tasks."""
    del message
    return body["id"] in ids


def prepare_queues(queues: Any) -> dict[str, str]:
    """Return from which queue to which: of a dict, a list, or text such as ``"a,b:c"``."""
    if isinstance(queues, Mapping):
        return dict(queues)
    names = queues.split(",") if isinstance(queues, str) else list(queues or ())
    return {one: other or one for one, _, other in (name.partition(":") for name in names)}


def expand_dest(ret: Any, exchange: Any, routing_key: str | None) -> tuple[Any, Any]:
    """Return exchange and routing key: those of a pair, or the others."""
    if isinstance(ret, tuple | list) and len(ret) == 2:
        return ret[0], ret[1]
    return exchange, routing_key


def filter_callback(callback: Callable[..., Any], tasks: Collection[str]) -> Callable[..., Any]:
    """Return ``callback`` for messages of these tasks alone."""

    def filtered(body: Mapping[str, Any], message: Any) -> Any:
        return callback(body, message) if not tasks or body["task"] in tasks else None

    return filtered


def filter_status(state: State, body: Mapping[str, Any], message: Any, **kwargs: Any) -> None:
    """Print how far it has come: for ``callback``."""
    del message
    print(MOVING_PROGRESS_FMT.format(state=state, body=body, **kwargs))  # noqa: T201 -- that is what it is for


def _worker_direct(hostname: str | Queue) -> Queue:
    return hostname if isinstance(hostname, Queue) else Queue(f"{hostname}.dq2")


move_direct = partial(move, transform=_worker_direct)
move_direct_by_id = partial(move_task_by_id, transform=_worker_direct)
move_direct_by_idmap = partial(move_by_idmap, transform=_worker_direct)
move_direct_by_taskmap = partial(move_by_taskmap, transform=_worker_direct)


def _as_queue(value: Any) -> Any:
    return Queue(value) if isinstance(value, str) else value


def _queue_for(app: Any, wanted: Any, exchange: Any, routing_key: str | None) -> str | None:
    """Return the name of the queue that is meant; ``None``: nothing was said of one."""
    if isinstance(wanted, Queue) or hasattr(wanted, "routing_key"):
        return queue_of(wanted).name
    source, key = expand_dest(wanted, exchange, routing_key)
    source = getattr(source, "name", source)
    if not key:
        return source or None
    bound = (queue.name for queue in app.router.queues.values() if queue.source.name == source and queue.key == key)
    return next(bound, str(key))


def _shown(app: Any, delivery: Delivery) -> tuple[dict[str, Any], Carried]:
    parcel = delivery.parcel
    assert not isinstance(parcel, Rejected)  # it was looked at before
    message = protocol.decode(parcel, accept=app.accept_content)
    body: dict[str, Any] = {"task": task_of(delivery), "id": id_of(delivery), "args": [], "kwargs": {}, "retries": 0}
    if isinstance(message, Message):
        body |= {"args": list(message.args), "kwargs": dict(message.kwargs), "retries": message.retries}
        body |= {"eta": message.eta, "expires": message.expires}
    info = {"exchange": "", "routing_key": delivery.queue, "delivery_tag": delivery.tag}
    carried = Carried(parcel.body, parcel.content_type, parcel.content_encoding, parcel.headers, parcel.properties, info)
    return body, carried
