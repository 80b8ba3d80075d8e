"""Connection: an app's way to its broker, as programs of Celery borrow it.

In a program's life: where code asks whether the broker answers, how much waits in a queue, or sends something by hand. The app
has one store for everybody, which has connections of its own and comes back by itself: what is borrowed here is a view of it,
and giving it back costs nothing. Names and meanings: the part of kombu's ``Connection`` that Celery's guide uses. Does not
know: tasks, sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar
from urllib.parse import quote

from celeriac.abc import PUBLISH_DEADLINE_S, Runtime, Store
from celeriac.core import codecs
from celeriac.core.errors import OperationalError
from celeriac.core.masking import mask as masked
from celeriac.core.message import Outgoing, Parcel
from celeriac.core.topology import queue_of
from celeriac.drivers.registry import REDIS_SCHEMES
from celeriac.drivers.url import parse, scheme_of

T = TypeVar("T")
_PROPERTIES: Final = frozenset({"correlation_id", "reply_to", "delivery_mode", "expiration", "message_id", "timestamp", "type"})


class Declared(NamedTuple):
    """The answer of ``queue_declare``."""

    queue: str
    message_count: int
    """Messages that wait."""
    consumer_count: int
    """Nodes that are alive: any of them may serve the queue."""


class Lists:
    """The one question that programs ask a Redis client about queues. On any store."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def llen(self, name: str) -> int:
        """Return how many messages wait in the queue of this name."""
        return self._connection.store.depth([name])[0]


class Channel:
    """What programs do by hand on a connection: look how much waits in a queue, and empty it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def queue_declare(self, queue: str = "", passive: bool = False, **options: Any) -> Declared:
        """Say how many messages wait in ``queue``, and how many nodes are alive.

        Args:
            queue: Its name.
            passive: Accepted: nothing is made in any case, a queue is there when it is sent to.
            options: The same.
        """
        del passive, options
        store = self.connection.store
        return Declared(queue, store.depth([queue])[0], len(store.nodes()))

    def queue_purge(self, queue: str, **options: Any) -> int:
        """Drop the messages that wait in ``queue``, and those in the schedule for it; return how many."""
        del options
        return self.connection.store.purge([queue])

    @property
    def client(self) -> Lists:
        """What programs that know Redis behind a connection ask its client."""
        return Lists(self.connection)

    def close(self) -> None:
        """Give it back: nothing is to be done."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended: object) -> None:
        self.close()


class Transport(NamedTuple):
    """What kind of broker a connection leads to: tools that trace programs put it beside what they saw."""

    driver_type: str
    """``redis``, ``sqlite``, ``memory``."""
    driver_name: str
    """The scheme of the URL."""


class Connection:
    """One way to a broker. Nothing is asked of it before something is asked of this object."""

    supports_heartbeats: Final = False
    """A store watches its own connections."""

    def __init__(self, url: str, store: Callable[[], Store], runtime: Runtime, *, shared: bool) -> None:
        """Look at the store at ``url``. ``shared``: it is the app's own, which others use, too."""
        self._url, self._open, self._runtime, self._shared = url, store, runtime, shared
        self._store: Store | None = None
        self.connected = False
        """It has answered since this object was made or released."""

    @property
    def transport(self) -> Transport:
        """What kind of broker it leads to."""
        scheme = scheme_of(self._url)
        return Transport("redis" if scheme in REDIS_SCHEMES else scheme, scheme)

    @property
    def store(self) -> Store:
        """Where it leads: what is sent with ``connection=`` goes here."""
        if self._store is None:
            self._store = self._open()
        return self._store

    def connect(self) -> Self:
        """Ask the broker whether it is there: ``ensure_connection`` without another try.

        Raises:
            OperationalError: it does not answer.
        """
        self.store.depth(["celery"])
        self.connected = True
        return self

    def ensure_connection(
        self,
        errback: Callable[[Exception, float], object] | None = None,
        max_retries: int | None = None,
        interval_start: float = 2,
        interval_step: float = 2,
        interval_max: float = 30,
        callback: Callable[[], object] | None = None,
        reraise_as_library_errors: bool = True,
        timeout: timedelta | float | None = None,
    ) -> Self:
        """Ask the broker whether it is there, and again when it does not answer.

        A question alone may take five seconds, in which the store tries again by itself.

        Args:
            errback: Called with the error and the seconds until the next try.
            max_retries: Tries after the first. ``None``: as many as fit into ``timeout``.
            interval_start: Seconds before the second try.
            interval_step: Seconds more before each further one.
            interval_max: Seconds at most.
            callback: Called before each further try.
            reraise_as_library_errors: Accepted: errors are of one tree in any case.
            timeout: Seconds after which no further try is begun. ``None``: 5, unless ``max_retries`` is given; Celery's would
                try for ever.

        Raises:
            OperationalError: it does not answer.
        """
        del reraise_as_library_errors
        limit_s = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        if limit_s is None and max_retries is None:
            limit_s = PUBLISH_DEADLINE_S
        began, tries, pause_s = self._runtime.monotonic(), 0, interval_start
        while True:
            try:
                return self.connect()
            except OperationalError as error:
                late = limit_s is not None and self._runtime.monotonic() + pause_s - began >= limit_s
                if late or (max_retries is not None and tries >= max_retries):
                    raise
                if errback is not None:
                    errback(error, pause_s)
            self._runtime.sleep(pause_s)
            tries, pause_s = tries + 1, min(interval_max, pause_s + interval_step)
            if callback is not None:
                callback()

    def as_uri(self, include_password: bool = False, mask: str = "**") -> str:  # noqa: ARG002 - kombu's name
        """Return the URL; without its password unless ``include_password``."""
        return self._url if include_password else masked(self._url)

    def info(self) -> dict[str, Any]:
        """Return the parts of the URL, without its password."""
        found = parse(self._url)
        return {"transport": scheme_of(self._url), "hostname": found.host, "port": found.port, "virtual_host": found.path}

    @property
    def hostname(self) -> str | None:
        """Host of the broker; ``None`` where it is a file or in memory."""
        return parse(self._url).host

    @property
    def transport_name(self) -> str:
        """Scheme of the URL."""
        return scheme_of(self._url)

    @property
    def default_channel(self) -> Channel:
        """What programs do by hand."""
        return Channel(self)

    def channel(self) -> Channel:
        """The same."""
        return Channel(self)

    def release(self) -> None:
        """Give it back. What belongs to this object alone is closed; it may be used again."""
        store, self._store, self.connected = self._store, None, False
        if store is not None and not self._shared:
            store.close()

    close = release

    def clone(self) -> Connection:
        """Return another one of the same broker."""
        return Connection(self._url, self._open, self._runtime, shared=self._shared)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<Connection: {masked(self._url)}>"


class ByHand:
    """What ``producer_or_acquire`` lends: sends what is no task, and is accepted as ``producer=`` where tasks are sent."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def store(self) -> Store:
        """Where it sends to."""
        return self.connection.store

    def publish(
        self,
        body: Any,
        routing_key: str | None = None,
        serializer: str | None = None,
        exchange: Any = None,
        priority: int | None = None,
        headers: Mapping[str, Any] | None = None,
        **properties: Any,
    ) -> None:
        """Put a message that is no task into a queue.

        Args:
            body: What it says; text and bytes go as they are.
            routing_key: Where it goes: on a store without exchanges, the name of the queue.
            serializer: How ``body`` is written; ``None``: JSON.
            exchange: Name of the exchange, or the object.
            priority: As the broker counts.
            headers: Travel beside it.
            properties: The same; ``queue`` is one more way to say where it goes.

        Raises:
            EncodeError: ``body`` cannot be written.
            OperationalError: the broker did not take it within its deadline.
        """
        queue = queue_of(properties.pop("queue", None) or routing_key or "").name
        if not queue:
            raise ValueError("publish needs a routing_key, which names the queue")
        encoded = _encoded(body, serializer or "json")
        parcel = Parcel(
            body=encoded.data,
            content_type=properties.pop("content_type", None) or encoded.content_type,
            content_encoding=properties.pop("content_encoding", None) or encoded.content_encoding,
            headers=dict(headers or {}),
            properties={name: properties[name] for name in _PROPERTIES & properties.keys()},
        )
        name, key = str(getattr(exchange, "name", exchange) or ""), routing_key or queue
        self.store.publish([Outgoing(parcel=parcel, queue=queue, exchange=name, routing_key=key, priority=priority or 0)])

    def release(self) -> None:
        """Give it back."""
        self.connection.release()

    close = release

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended: object) -> None:
        self.release()


def _encoded(body: Any, serializer: str) -> codecs.Encoded:
    if isinstance(body, bytes):
        return codecs.Encoded(body, "application/data", "binary")
    if isinstance(body, str):
        return codecs.Encoded(body.encode(), "text/plain", "utf-8")
    return codecs.encode(body, serializer, place="body")


class Pool(Generic[T]):
    """Lends connections or producers. There is no bound and nobody waits: what is lent is a view of the app's one store."""

    limit: int | None = None

    def __init__(self, make: Callable[[], T]) -> None:
        """``make`` returns what is lent."""
        self._make = make

    def acquire(self, block: bool = False, timeout: float | None = None) -> T:
        """Lend one, at once. Give it back with ``release()`` or by ``with``.

        Args:
            block: Accepted: there is nothing to wait for.
            timeout: The same.
        """
        del block, timeout
        return self._make()

    def release(self, lent: Any) -> None:
        """Take one back."""
        lent.release()

    def force_close_all(self) -> None:
        """Close what is not in use: nothing is, the app's store closes with the app."""

    close_after_fork = force_close_all


class Borrowed(Generic[T]):
    """``with`` this, and have what was given, or something of the pool, which goes back at the end."""

    def __init__(self, given: T | None, lend: Callable[[], T]) -> None:
        self._given, self._lend = given, lend
        self._lent: Any = None

    def __enter__(self) -> T:
        if self._given is not None:
            return self._given
        lent = self._lent = self._lend()
        return lent

    def __exit__(self, *ended: object) -> None:
        lent, self._lent = self._lent, None
        if lent is not None:
            lent.release()


def url_of(
    host: str | None, own: str, userid: str | None, password: str | None, path: str | None, port: int | None, scheme: str | None
) -> str:
    """Return ``host`` if it is a URL; else the URL that these parts make, in which ``own`` says what they do not."""
    if host is not None and "://" in host:
        return host
    mine = parse(own)
    userid, password = userid or mine.user, password or mine.password
    secret = f":{quote(password, safe='')}" if password else ""
    user = f"{quote(userid or '', safe='')}{secret}@" if userid or secret else ""
    at_port = port or (None if host else mine.port)
    return f"{scheme or mine.scheme}://{user}{host or mine.host or ''}{f':{at_port}' if at_port else ''}/{path or mine.path}"
