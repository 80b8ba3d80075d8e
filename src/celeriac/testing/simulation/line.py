"""A process's line to the store: here the faults strike.

In a world's life: each process has one of its own, and takes it for the store. Between any two calls the process can be
killed or frozen, and what it asked or was answered can be lost. Does not know: what the calls mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from celeriac.abc import LEASE_S, PUBLISH_DEADLINE_S, Broadcast, DeadRecord, Fetched, Lessee, NodeRecord, Place, Pulse, Scheduled
from celeriac.core.errors import BrokerUnreachable
from celeriac.core.message import Delivery, Outgoing
from celeriac.core.rules import Rules
from celeriac.core.settlement import Join, Opening, Settled, Settlement, StoredResult
from celeriac.testing.simulation.processes import Process
from celeriac.testing.simulation.store import SimulatedStore
from celeriac.testing.simulation.weather import Fault

T = TypeVar("T")

Strike = Callable[[Process, str], Fault | None]
"""Says what happens to a call of this process, by its name; kills and freezes are carried out before it returns or raises."""


class Line:
    """A Store for one process. Every call goes through ``_call``."""

    def __init__(self, store: SimulatedStore, process: Process, before: Strike, after: Callable[[Process, Fault], None]) -> None:
        self._store, self._process, self._before, self._after = store, process, before, after

    def _call(self, name: str, act: Callable[[], T]) -> T:
        fault = self._before(self._process, name)
        if fault is None:
            return act()
        answer = act()
        self._after(self._process, fault)
        return answer

    @property
    def broadcast(self) -> Broadcast:
        """See ``Broker.broadcast``. Whoever says something loses nothing when it is not heard: no fault strikes here."""
        return self._store.broadcast

    # What workers and publishers use.

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = PUBLISH_DEADLINE_S) -> None:
        """See ``Broker.publish``."""
        self._call("publish", lambda: self._store.publish(messages, deadline_s=deadline_s))

    def fetch(self, queues: Sequence[str], *, lessee: Lessee, limit: int, wait_s: float) -> Fetched:
        """See ``Broker.fetch``. A driver notices that an answer was lost, and asks for it again."""
        fault = self._before(self._process, "fetch")
        if fault is Fault.REPLY_LOST:
            self._store.lose_next_answer()
            self._store.fetch(queues, lessee=lessee, limit=limit, wait_s=wait_s)
            raise BrokerUnreachable("the reply to a fetch that found nothing was lost")
        fetched = self._store.fetch(queues, lessee=lessee, limit=limit, wait_s=wait_s)
        if fault is not None:
            self._after(self._process, fault)
        return fetched

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        """See ``Broker.settle``."""
        return self._call("settle", lambda: self._store.settle(settlements, lessee=lessee))

    def keep(self, node: str, *, name: str, info: Mapping[str, object], queues: Sequence[str], lease_s: float = LEASE_S) -> Pulse:
        """See ``Broker.keep``."""
        return self._call("keep", lambda: self._store.keep(node, name=name, info=info, queues=queues, lease_s=lease_s))

    def adopt(self, lost: Lessee, *, by: Lessee, limit: int = 1000) -> Sequence[Delivery]:
        """See ``Broker.adopt``."""
        return self._call("adopt", lambda: self._store.adopt(lost, by=by, limit=limit))

    def leave(self, node: str) -> None:
        """See ``Broker.leave``."""
        self._call("leave", lambda: self._store.leave(node))

    def rules(self) -> Rules:
        """See ``Broker.rules``."""
        return self._call("rules", self._store.rules)

    def revoke(self, ids: Sequence[str], *, ttl_s: float | None = None) -> None:
        """See ``Broker.revoke``."""
        self._call("revoke", lambda: self._store.revoke(ids, ttl_s=ttl_s))

    def pause(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """See ``Broker.pause``."""
        self._call("pause", lambda: self._store.pause(queues=queues, tasks=tasks))

    def resume(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """See ``Broker.resume``."""
        self._call("resume", lambda: self._store.resume(queues=queues, tasks=tasks))

    def release(self, task: str, *, queues: Sequence[str], limit: int) -> int:
        """See ``Broker.release``."""
        return self._call("release", lambda: self._store.release(task, queues=queues, limit=limit))

    def store_results(self, results: Sequence[StoredResult]) -> None:
        """See ``ResultBackend.store_results``."""
        self._call("store_results", lambda: self._store.store_results(results))

    def open_chords(self, openings: Sequence[Opening]) -> None:
        """See ``Chords.open_chords``."""
        self._call("open_chords", lambda: self._store.open_chords(openings))

    def load(self, ids: Sequence[str]) -> Sequence[bytes | None]:
        """See ``ResultBackend.load``. Workers read parts of workflows so."""
        return self._call("load", lambda: self._store.load(ids))

    def parts(self, chord: str) -> Sequence[bytes] | None:
        """See ``Chords.parts``."""
        return self._call("parts", lambda: self._store.parts(chord))

    def join(self, join: Join, *, claimant: str) -> bool:
        """See ``JoiningBackend.join``."""
        return self._call("join", lambda: self._store.join(join, claimant=claimant))

    def open_if_new(self, opening: Opening) -> None:
        """See ``JoiningBackend.open_if_new``."""
        self._call("open_if_new", lambda: self._store.open_if_new(opening))

    def close_chord(self, chord: str) -> None:
        """See ``JoiningBackend.close_chord``."""
        self._call("close_chord", lambda: self._store.close_chord(chord))

    def interrupt(self) -> None:
        """Nobody waits in a world of one thread."""

    def doze(self, seconds: float) -> None:
        """Nobody waits in a world of one thread."""

    def close(self) -> None:
        """There is no connection."""

    def abandon(self) -> None:
        """There is no connection."""

    # What only people use: no faults.

    def nodes(self) -> Sequence[NodeRecord]:
        """See ``Broker.nodes``."""
        return self._store.nodes()

    def depth(self, queues: Sequence[str]) -> Sequence[int]:
        """See ``Broker.depth``."""
        return self._store.depth(queues)

    def scheduled(self) -> int:
        """See ``Broker.scheduled``."""
        return self._store.scheduled()

    def revoke_stamps(self, stamps: Mapping[str, Sequence[str]], *, ttl_s: float | None = None) -> None:
        """See ``Broker.revoke_stamps``."""
        self._store.revoke_stamps(stamps, ttl_s=ttl_s)

    def parked(self) -> Mapping[str, int]:
        """See ``Broker.parked``."""
        return self._store.parked()

    def dated(self, queues: Sequence[str], *, limit: int = 1000) -> Sequence[Scheduled]:
        """See ``Broker.dated``."""
        return self._store.dated(queues, limit=limit)

    def hasten(self, queues: Sequence[str], *, limit: int = 1000) -> int:
        """See ``Broker.hasten``."""
        return self._store.hasten(queues, limit=limit)

    def purge(self, queues: Sequence[str]) -> int:
        """See ``Broker.purge``."""
        return self._store.purge(queues)

    def whereabouts(self, id: str, *, queues: Sequence[str]) -> Sequence[Place]:
        """See ``Broker.whereabouts``."""
        return self._store.whereabouts(id, queues=queues)

    def dead_letters(self, *, limit: int = 100, after: str | None = None) -> Sequence[DeadRecord]:
        """See ``Broker.dead_letters``."""
        return self._store.dead_letters(limit=limit, after=after)

    def dead_letter(self, id: str) -> DeadRecord | None:
        """See ``Broker.dead_letter``."""
        return self._store.dead_letter(id)

    def replay(self, ids: Sequence[str]) -> int:
        """See ``Broker.replay``."""
        return self._store.replay(ids)

    def purge_dead(self, ids: Sequence[str] | None = None) -> int:
        """See ``Broker.purge_dead``."""
        return self._store.purge_dead(ids)

    def forget(self, ids: Sequence[str]) -> None:
        """See ``ResultBackend.forget``."""
        self._store.forget(ids)

    def watch(self, ids: Sequence[str], notify: Callable[[str, bytes], None]) -> None:
        """See ``ResultBackend.watch``."""
        self._store.watch(ids, notify)

    def unwatch(self, ids: Sequence[str]) -> None:
        """See ``ResultBackend.unwatch``."""
        self._store.unwatch(ids)
