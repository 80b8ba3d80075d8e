"""Dispatcher: say events one by one, here and now; for nodes, and for programs that have news of their own.

In an event's life: **send** -> Broadcast.say. Tasks of a worker go by the ``Courier``, which gathers; what is sent here is out
when ``send`` returns, or was kept for ``flush`` because the broker did not answer. Names and meanings: Celery's reference of
``EventDispatcher``. Does not know: the app, who listens.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, Final, NamedTuple

from celeriac.abc import Broadcast
from celeriac.core.errors import OperationalError
from celeriac.events import wire
from celeriac.events.types import Event, Here, group_of, key_of, make_event

BUFFER_LIMIT: Final = 24
"""Events of a buffered group that are said together."""
MOST_KEPT: Final = 10_000
"""Of what could not be said: the newest."""


class _Kept(NamedTuple):
    """What could not be said."""

    events: Sequence[Event]
    routing_key: str
    many: bool


class Dispatcher:
    """Says events for one host name. Safe in any thread."""

    def __init__(
        self,
        broadcast: Callable[[], Broadcast],
        here: Here,
        *,
        exchange: str = "celeryev",
        serializer: str = "json",
        enabled: bool = True,
        buffer_while_offline: bool = True,
        groups: Iterable[str] | None = None,
        delivery_mode: int = wire.TRANSIENT,
        buffer_group: Iterable[str] | None = None,
        buffer_limit: int = BUFFER_LIMIT,
        on_send_buffered: Callable[[], object] | None = None,
    ) -> None:
        """Say events.

        Args:
            broadcast: Where.
            here: Who says them.
            exchange: ``event_exchange``.
            serializer: ``event_serializer``.
            enabled: Say anything at all.
            buffer_while_offline: Keep what the broker does not take, for ``flush``; otherwise ``send`` raises.
            groups: Say events of these groups only. ``None``: of all.
            delivery_mode: 1: events do not outlive their broker.
            buffer_group: Groups whose events are gathered until there are ``buffer_limit``, or ``flush`` is called.
            buffer_limit: See there.
            on_send_buffered: Called when an event was gathered and not said.
        """
        self._broadcast, self._here, self._exchange = broadcast, here, exchange
        self.hostname, self.pid = here.hostname, here.pid
        self.serializer, self.delivery_mode = serializer, delivery_mode
        self.buffer_while_offline, self.buffer_limit, self.on_send_buffered = buffer_while_offline, buffer_limit, on_send_buffered
        self.groups, self.buffer_group = set(groups or ()), frozenset(buffer_group or ())
        self.headers = {"hostname": self.hostname}
        self.on_enabled: set[Callable[[], object]] = set()
        """Called when it is enabled."""
        self.on_disabled: set[Callable[[], object]] = set()
        """Called when it was disabled."""
        self.mutex = Lock()
        self._kept: deque[_Kept] = deque(maxlen=MOST_KEPT)
        self._gathered: defaultdict[str, list[Event]] = defaultdict(list)
        self._closed = False
        self.enabled = False
        if enabled:
            self.enable()

    def enable(self) -> None:
        """Say events from now on."""
        self.enabled, self._closed = True, False
        for callback in tuple(self.on_enabled):
            callback()

    def disable(self) -> None:
        """Say no events any more."""
        if self.enabled:
            self.enabled = False
            self.close()
            for callback in tuple(self.on_disabled):
                callback()

    def close(self) -> None:
        """Say nothing more until ``enable``."""
        with self.mutex:
            self._closed = True

    def send(
        self,
        type: str,
        blind: bool = False,
        utcoffset: Callable[[], float] | None = None,
        retry: bool = False,
        retry_policy: Mapping[str, Any] | None = None,
        Event: Callable[..., Event] | None = None,  # noqa: N803 - Celery's name
        **fields: Any,
    ) -> None:
        """Say that something has happened.

        Args:
            type: What: a group, a dash, and the rest: ``shop-order-paid``.
            blind: Without a number of the logical clock, which does not go on either.
            utcoffset: Returns hours by which local time is behind UTC; ``None``: asked of this machine.
            retry: Accepted: a store tries again by itself until its deadline.
            retry_policy: The same.
            Event: Makes the event from ``type`` and its fields; ``None``: a dict.
            fields: What else is to be known; plain data.

        Raises:
            OperationalError: the broker did not answer, and ``buffer_while_offline`` is off.
            EncodeError: a field cannot be written.
        """
        del retry, retry_policy
        group = group_of(type)
        if not self.enabled or (self.groups and group not in self.groups):
            return
        event = self.make(type, fields, blind=blind, utcoffset=utcoffset, make=Event)
        if group not in self.buffer_group:
            with self.mutex:
                if not self._closed:
                    self._say([event], key_of(type), many=False)
            return
        gathered = self._gathered[group]
        gathered.append(event)
        if len(gathered) >= self.buffer_limit:
            self.flush()
        elif self.on_send_buffered:
            self.on_send_buffered()

    def make(
        self,
        type: str,
        fields: Mapping[str, Any],
        *,
        blind: bool = False,
        utcoffset: Callable[[], float] | None = None,
        make: Callable[..., Event] | None = None,
    ) -> Event:
        """Return the event that ``send`` would say."""
        here = self._here
        told = {
            "hostname": self.hostname,
            "utcoffset": (utcoffset or here.utcoffset)(),
            "pid": self.pid,
            "clock": None if blind else here.forward(),
            **fields,
        }
        return make_event(type, told, time=here.time) if make is None else make(type, **told)

    def flush(self, errors: bool = True, groups: bool = True) -> None:
        """Say what was kept because the broker did not answer (``errors``), and what was gathered (``groups``)."""
        with self.mutex:
            if self._closed:
                return
            for _ in range(len(self._kept) if errors else 0):
                if not self._say(*self._kept.popleft()):
                    break
            for group, events in self._gathered.items() if groups else ():
                batch = list(events)
                if batch:
                    self._say(batch, f"{group}.multi", many=True)  # said or kept, they are not gathered any more
                    del events[: len(batch)]  # other threads gather meanwhile

    def extend_buffer(self, other: Dispatcher) -> None:
        """Keep what another one has kept, too."""
        self._kept.extend(other._kept)

    def _say(self, events: Sequence[Event], routing_key: str, many: bool) -> bool:
        """Return whether they were said; otherwise they are kept."""
        notice = wire.write(
            events,
            exchange=self._exchange,
            routing_key=routing_key,
            hostname=self.hostname,
            serializer=self.serializer,
            delivery_mode=self.delivery_mode,
            many=many,
        )
        try:
            self._broadcast().say([notice])
        except OperationalError:
            if not self.buffer_while_offline:
                raise
            self._kept.append(_Kept(events, routing_key, many))
            return False
        return True

    def __enter__(self) -> Dispatcher:
        return self

    def __exit__(self, *ended: object) -> None:
        self.close()
