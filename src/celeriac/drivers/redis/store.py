"""The Redis store: what ``celeriac.abc.Store`` asks, each call one script or one pipeline.

In a job's life: publish puts its message into a list, fetch leases it into a hash of the child, settle ends it.
What must happen in one step is a Lua script in this folder; this file turns our words into the scripts' arguments and
back. Dead letters and the like, which nobody waits for, are in ``records.py``; results in ``results.py``.
Does not know: what a message means.

Times are the server's own clock; only dates of the schedule come from the callers' clocks.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import redis
from msgspec import json

from celeriac.abc import LEASE_S, PUBLISH_DEADLINE_S, DeadRecord, Fetched, Lessee, NodeRecord, Place, Pulse, Runtime, Scheduled
from celeriac.core import envelope
from celeriac.core.errors import OperationalError
from celeriac.core.message import Delivery, Outgoing
from celeriac.core.rules import Remembered, Rules
from celeriac.core.settlement import Settled, Settlement
from celeriac.drivers.redis.arguments import Addressed, Arguments
from celeriac.drivers.redis.backend import RedisBackend
from celeriac.drivers.redis.broadcast import RedisBroadcast
from celeriac.drivers.redis.channels import channels_from
from celeriac.drivers.redis.connection import Connections, Script, bound, forget, read_script
from celeriac.drivers.redis.endpoints import database, openers, server
from celeriac.drivers.redis.keys import keys_from
from celeriac.drivers.redis.records import Records
from celeriac.drivers.redis.rules import RuleBook
from celeriac.drivers.redis.settling import Settling
from celeriac.drivers.redis.timetable import RedisTimetable
from celeriac.drivers.redis.waiting import Waits
from celeriac.drivers.redis.whereabouts import Whereabouts

BATCH_MESSAGES = 500
BATCH_BYTES = 1 << 20
"""A command stops the server for everybody else: neither more messages nor more bytes in one."""
STRANGERS_S = 0.05
"""How often to look for messages of clients that wake nobody, as long as there are any."""
READ_GRACE_S = 5.0
"""How much later than the end of its wait a blocking command may answer before the connection counts as dead."""


class RedisStore(RedisBackend):
    """Broker and result backend on one Redis server, or on one of several (``;`` in the URL, sentinels)."""

    def __init__(
        self,
        url: str,
        *,
        runtime: Runtime,
        options: Mapping[str, Any] | None = None,
        result_url: str | None = None,
        result_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Nothing is connected yet.

        Args:
            url: ``redis://:password@host:port/db`` and the other forms of Celery's page on Redis.
            runtime: Clock and ids.
            options: ``broker_transport_options``.
            result_url: The same server; may name another database. ``None``: the same database.
            result_options: ``result_backend_transport_options``.
        """
        options = options or {}
        self._runtime = runtime
        self._keys = keys_from(options, result_options or {})
        self._here, self._results_db = database(url), database(result_url or url)
        self._connections = Connections(openers(url, options), name=server_name(url), runtime=runtime)
        result_connections = self._connections
        if self._results_db != self._here:
            name = server_name(result_url or url)
            result_connections = Connections(openers(result_url or url, result_options or {}), name=name, runtime=runtime)
        super().__init__(result_connections, keys=self._keys, runtime=runtime)
        self._arguments = Arguments(self._keys, runtime)
        self._settling = Settling(self._connections, self._arguments, database=self._here, results=self._results_db)
        self._records = Records(self._connections, keys=self._keys, runtime=runtime)
        self.broadcast = RedisBroadcast(self._connections, channels_from(options, self._here), runtime=runtime)
        self._rules = RuleBook(self._connections, keys=self._keys, runtime=runtime)
        self._waits = Waits()
        self._blocking: dict[Lessee | None, redis.Connection] = {}
        """Connections on which a lessee waits; they live as long as their lessee fetches."""
        self._known: dict[Lessee, int] = {}
        """The last tag that a lessee was handed; present after an answer was lost."""
        self._last: dict[Lessee, int] = {}
        self._publish, self._fetch = Script("publish"), Script("fetch")
        self._keep, self._adopt = Script("keep", after=("front",)), Script("adopt")
        me = weakref.WeakMethod(self.abandon)
        os.register_at_fork(after_in_child=lambda: (abandon := me()) and abandon())

    # Broker: the life of a message.

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = PUBLISH_DEADLINE_S) -> None:
        """See ``abc.Broker.publish``."""
        deadline = self._runtime.monotonic() + deadline_s
        accepted = 0
        try:
            for batch in _batches(map(self._arguments.outgoing, messages)):
                # The first batch may have it all; read the clock again only when there is a second one.
                left = deadline - self._runtime.monotonic() if accepted else deadline_s
                self._publish_batch(batch, left)
                accepted += len(batch)
        except OperationalError as error:
            error.accepted = accepted
            raise

    def _publish_batch(self, batch: Sequence[Addressed], deadline_s: float) -> None:
        if any(due for _, _, due, _ in batch):
            arguments: list[Any] = [self._keys.own, self._keys.prefix]
            for addressed in batch:
                arguments += addressed
            self._connections.run(self._publish, arguments, deadline_s=deadline_s)
            return
        if len(batch) == 1:
            [(queue, suffix, _, packed_one)] = batch
            put = ("LPUSH", f"{self._keys.prefix}{queue}{suffix}", packed_one)
            self._connections.pipeline((put, self._ring(queue)), deadline_s=deadline_s)
            return
        lists: dict[tuple[str, str], list[bytes]] = {}
        for queue, suffix, _, packed in batch:
            lists.setdefault((queue, suffix), []).append(packed)
        commands: list[Sequence[Any]] = [
            ("LPUSH", f"{self._keys.prefix}{queue}{suffix}", *packed) for (queue, suffix), packed in lists.items()
        ]
        if len(commands) > 1:
            commands = [("MULTI",), *commands, ("EXEC",)]
        commands += [self._ring(queue) for queue in {queue for queue, _ in lists}]
        self._connections.pipeline(commands, deadline_s=deadline_s)

    def _ring(self, queue: str) -> Sequence[Any]:
        """A token for whoever waits. Should it get lost, the next sign of life of any node makes up for it."""
        return "ZADD", f"{self._keys.own}wake:{queue}", 0, 1

    def fetch(self, queues: Sequence[str], *, lessee: Lessee, limit: int, wait_s: float) -> Fetched:
        """See ``abc.Broker.fetch``."""
        arguments = self._fetch_arguments(queues, lessee, limit)
        answer = self._asking(lessee, lambda: self._connections.run(self._fetch, arguments, again=False))
        fetched = self._read_fetch(lessee, answer)
        if fetched.deliveries or wait_s <= 0:
            return fetched
        deadline = self._runtime.monotonic() + wait_s
        while (left := deadline - self._runtime.monotonic()) > 0:
            bells = self._bells(queues, answer[2])
            answer = self._asking(lessee, partial(self._block, lessee, bells, left, arguments))
            if answer is None:
                # Interrupted: before the server sees the end of that connection it may still lease something on it.
                self._known[lessee] = self._last.get(lessee, 0)
                break
            fetched = self._read_fetch(lessee, answer)
            if fetched.deliveries:
                break
        return fetched

    def interrupt(self) -> None:
        """See ``abc.Broker.interrupt``."""
        self._waits.interrupt()

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        """See ``abc.Broker.settle``."""
        return self._settling.settle(settlements, lessee)

    def adopt(self, lost: Lessee, *, by: Lessee, limit: int = 1000) -> Sequence[Delivery]:
        """See ``abc.Broker.adopt``."""
        flat = self._connections.run(self._adopt, [self._keys.own, lost.node, lost.child, by.node, by.child, limit])
        return _deliveries(flat)

    # Broker: who is alive.

    def keep(self, node: str, *, name: str, info: Mapping[str, object], queues: Sequence[str], lease_s: float = LEASE_S) -> Pulse:
        """See ``abc.Broker.keep``."""
        record = json.encode({"name": name, "info": info})
        suffixes = self._keys.suffixes
        arguments = [self._keys.own, self._keys.prefix, node, record, round(lease_s * 1000), len(suffixes), *suffixes, *queues]
        due, strangers, revision, throttled, *orphans = self._connections.run(self._keep, arguments)
        next_due = None if due < 0 else due / 1000
        if strangers:
            next_due = min(next_due or STRANGERS_S, STRANGERS_S)
        return Pulse(
            next_due=next_due,
            orphans=[Lessee(n.decode(), c.decode()) for n, c in zip(orphans[::2], orphans[1::2], strict=True)],
            revision=revision,
            throttled=[task.decode("utf-8", "surrogateescape") for task in throttled],
        )

    def doze(self, seconds: float) -> None:
        """See ``abc.Broker.doze``."""
        if seconds > 0:
            self._block(None, [f"{self._keys.own}alarm"], seconds, None)

    def leave(self, node: str) -> None:
        """See ``abc.Broker.leave``."""
        self._records.leave(node)

    def nodes(self) -> Sequence[NodeRecord]:
        """See ``abc.Broker.nodes``."""
        return self._records.nodes()

    # Broker: queues and dead letters, for people and programs that look after them.

    def depth(self, queues: Sequence[str]) -> Sequence[int]:
        """See ``abc.Broker.depth``."""
        return self._records.depth(queues)

    def scheduled(self) -> int:
        """See ``abc.Broker.scheduled``."""
        return self._records.scheduled()

    def dated(self, queues: Sequence[str], *, limit: int = 1000) -> Sequence[Scheduled]:
        """See ``abc.Broker.dated``."""
        return self._records.dated(queues, limit)

    def hasten(self, queues: Sequence[str], *, limit: int = 1000) -> int:
        """See ``abc.Broker.hasten``."""
        return self._records.hasten(queues, limit)

    def purge(self, queues: Sequence[str]) -> int:
        """See ``abc.Broker.purge``."""
        return self._records.purge(queues)

    def whereabouts(self, id: str, *, queues: Sequence[str]) -> Sequence[Place]:
        """See ``abc.Broker.whereabouts``."""
        return Whereabouts(self._connections, self._records, keys=self._keys).find(id, queues)

    def dead_letters(self, *, limit: int = 100, after: str | None = None) -> Sequence[DeadRecord]:
        """See ``abc.Broker.dead_letters``."""
        return self._records.dead_letters(limit, after)

    def dead_letter(self, id: str) -> DeadRecord | None:
        """See ``abc.Broker.dead_letter``."""
        return self._records.dead_letter(id)

    def replay(self, ids: Sequence[str]) -> int:
        """See ``abc.Broker.replay``."""
        return self._records.replay(ids)

    def purge_dead(self, ids: Sequence[str] | None = None) -> int:
        """See ``abc.Broker.purge_dead``."""
        return self._records.purge_dead(ids)

    # Broker: what operators say.

    @property
    def remembered(self) -> Remembered:
        """How much of what was revoked."""
        return self._rules.remembered

    @remembered.setter
    def remembered(self, much: Remembered) -> None:
        self._rules.remembered = much

    def rules(self) -> Rules:
        """See ``abc.Broker.rules``."""
        return self._rules.current()

    def revoke(self, ids: Sequence[str], *, ttl_s: float | None = None) -> None:
        """See ``abc.Broker.revoke``."""
        self._rules.revoke(ids, ttl_s)

    def revoke_stamps(self, stamps: Mapping[str, Sequence[str]], *, ttl_s: float | None = None) -> None:
        """See ``abc.Broker.revoke_stamps``."""
        self._rules.revoke_stamps(stamps, ttl_s)

    def pause(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """See ``abc.Broker.pause``."""
        self._rules.pause(queues, tasks)

    def resume(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """See ``abc.Broker.resume``."""
        self._rules.resume(queues, tasks)

    def release(self, task: str, *, queues: Sequence[str], limit: int) -> int:
        """See ``abc.Broker.release``."""
        return self._rules.release(task, queues, limit)

    def parked(self) -> Mapping[str, int]:
        """See ``abc.Broker.parked``."""
        return self._rules.parked()

    # Periodic tasks.

    def timetable(self, name: str) -> RedisTimetable:
        """See ``abc.Timetables.timetable``."""
        return RedisTimetable(name, self._connections, keys=self._keys, arguments=self._arguments)

    # The process.

    def close(self) -> None:
        """See ``abc.Store.close``."""
        self._results.close()
        self.broadcast.close()
        self._connections.close()
        while self._blocking:
            self._blocking.popitem()[1].disconnect()

    def abandon(self) -> None:
        """See ``abc.Store.abandon``."""
        self._results.abandon()
        self.broadcast.abandon()
        self._connections.abandon()
        while self._blocking:
            forget(self._blocking.popitem()[1])
        self._waits = Waits()

    # Our words as arguments of scripts, and back.

    def _fetch_arguments(self, queues: Sequence[str], lessee: Lessee, limit: int) -> list[Any]:
        keys = self._keys
        known = self._known.get(lessee, -1)
        return [keys.own, keys.prefix, lessee.node, lessee.child, limit, known, len(keys.suffixes), *keys.suffixes, *queues]

    def _read_fetch(self, lessee: Lessee, answer: Sequence[Any]) -> Fetched:
        self._known.pop(lessee, None)
        deliveries = _deliveries(answer[3:])
        if deliveries:
            self._last[lessee] = deliveries[-1].tag
        return Fetched(deliveries=deliveries, revision=answer[0], more=bool(answer[1]))

    def _bells(self, queues: Sequence[str], paused: Sequence[bytes]) -> list[str]:
        """Return the keys whose tokens wake who waits for these queues; of a paused one its resumption alone."""
        own, shut = self._keys.own, {queue.decode("utf-8", "surrogateescape") for queue in paused}
        bells = [f"{own}resumed:{queue}" if queue in shut else f"{own}wake:{queue}" for queue in queues]
        return bells or [f"{own}wake:"]  # who serves no queue waits, too

    def _asking(self, lessee: Lessee, ask: Callable[[], Any]) -> Any:
        """Ask; when no answer came, remember that the server may have leased what we do not know."""
        try:
            return ask()
        except BaseException:
            self._known[lessee] = self._last.get(lessee, 0)
            raise

    def _block(self, who: Lessee | None, bells: Sequence[str], seconds: float, fetch: Sequence[Any] | None) -> Any:
        """Wait for a token on one of ``bells``, on a connection of the waiter's own; then fetch, if arguments are given.

        Both go out in one write: the server takes up the second command when the first has ended.
        Returns ``None`` when interrupted: then the connection, on which answers may still arrive, is given up.
        """
        connection = self._blocking.pop(who, None)
        try:
            connection = connection or self._connections.open(READ_GRACE_S)
            bound(connection, READ_GRACE_S)
            # A time-out of 0 would mean for ever.
            commands: list[Any] = [("BZPOPMIN", *bells, f"{max(seconds, 0.001):.3f}")]
            if fetch is not None:
                commands.append(("EVALSHA", self._fetch.digest, 0, *fetch))
            connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            if not self._waits.wait(connection, seconds + READ_GRACE_S):
                connection.disconnect()
                return None
            answer = connection.read_response()
            if fetch is not None:
                answer = read_script(connection, self._fetch, fetch)
        except (redis.RedisError, OSError) as error:
            if connection is not None:
                connection.disconnect()
            raise self._connections.translate(error) from error
        self._blocking[who] = connection
        return answer or True


def _batches(messages: Iterable[Addressed]) -> Iterator[list[Addressed]]:
    """Cut into batches that keep the server for a moment only."""
    batch: list[Addressed] = []
    size = 0
    for message in messages:
        batch.append(message)
        size += len(message[3])
        if size >= BATCH_BYTES or len(batch) >= BATCH_MESSAGES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def server_name(url: str) -> str:
    """Return the servers of a URL without their secrets, for messages."""
    return ";".join(part.rpartition("@")[2] if "@" in part else server(part) for part in url.split(";"))


def _deliveries(flat: Sequence[Any]) -> list[Delivery]:
    """Read triples: tag, ``"queue\\nsuffix"`` (and ``"\\nJ"`` if it is joined), bytes."""
    return [
        Delivery(
            tag,
            address.split(b"\n", 1)[0].decode("utf-8", "surrogateescape"),
            envelope.unpack(raw),
            raw,
            address.endswith(b"\nJ"),
        )
        for tag, address, raw in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    ]
