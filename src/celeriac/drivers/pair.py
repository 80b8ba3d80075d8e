"""Two stores as one: messages in a broker, results in a backend that knows nothing of it.

In a job's life: settle -> **here** -> results to the one, then follow-ups and fate to the other.

The order is the promise. A result is stored before its delivery is released, so a crash in between leaves a task that is
known to have ended and is delivered again: the repeat stores a result under the same id (or finds a SUCCESS, which
stays) and publishes follow-ups under the same ids. The other order would lose results.

For a delivery whose lease is lost no result may be stored. So the broker is asked first what the lessee still holds: one
more call for each batch that has results. What cannot be known: a delivery that another node adopts in the moments
between that answer and the settlement. The broker refuses it then, but its result has been stored; the heir's takes its
place, unless it was SUCCESS.

The backend knows of no leases, so it holds back a RETRY that is settled where a FAILURE is stored (a dead letter was
replayed): the FAILURE stands until the task has ended anew. Does not know: how either of the two works.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from msgspec import structs

from celeriac.abc import (
    LEASE_S,
    PUBLISH_DEADLINE_S,
    Broadcast,
    Broker,
    DeadRecord,
    Fetched,
    JoiningBackend,
    Lessee,
    NodeRecord,
    Place,
    Pulse,
    Scheduled,
    Timetable,
)
from celeriac.core.message import Delivery, Outgoing
from celeriac.core.rules import Rules
from celeriac.core.settlement import Join, Opening, Settled, Settlement, StoredResult
from celeriac.drivers.outboxed import Outboxed


class Pair:
    """A Store made of a Broker and a ResultBackend. For any thread, as they are."""

    def __init__(self, broker: Broker, results: JoiningBackend) -> None:
        self._broker = broker
        self._results = results

    # The steps that concern both.

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        """See ``Broker.settle``. Results, parts, then follow-ups and fates: the head of this file says why."""
        if not any(
            one.result is not None or one.further or one.join is not None or one.opens or one.closes for one in settlements
        ):
            return self._broker.settle(settlements, lessee=lessee)
        held, valid = self._held(lessee), []
        answers = [Settled.LEASE_LOST] * len(settlements)
        for place, one in enumerate(settlements):
            # Taken out: a second settlement of it comes too late.
            delivery = held.pop(one.tag, None)
            if delivery is not None and delivery.joined and one.join is not None:
                answers[place] = Settled.JOINED  # it was carried out before, and its answer was lost
            elif delivery is not None:
                valid.append((place, one))
        self._results.store_results([result for _, one in valid for result in one.results])
        for opening in (opening for _, one in valid for opening in one.opens):
            self._results.open_if_new(opening)
        valid = [(place, self._with_additions_sent(one)) for place, one in valid]
        joined = {one.tag for _, one in valid if one.join is not None and self._results.join(one.join, claimant=str(one.tag))}
        said = self._broker.settle([_for_broker(one, joined) for _, one in valid], lessee=lessee)
        for (place, one), answer in zip(valid, said, strict=True):
            if one.closes is not None and answer is Settled.APPLIED:
                # Whoever calls the body instead needs the parts.
                self._results.close_chord(one.closes)
            answers[place] = Settled.JOINED if answer is Settled.APPLIED and one.tag in joined else answer
        return answers

    def _with_additions_sent(self, settlement: Settlement) -> Settlement:
        """Send the members that are added to a chord before it learns of them: each says by itself that it was added, too. The
        other way round a crash in between leaves a chord that waits for what nobody has sent."""
        if settlement.join is None or not settlement.join.added or not settlement.followups:
            return settlement
        self._broker.publish(settlement.followups)
        return structs.replace(settlement, followups=())

    def close(self) -> None:
        """Close both. See ``Broker.close``."""
        self._broker.close()
        self._results.close()

    def abandon(self) -> None:
        """Abandon both. See ``Broker.abandon``."""
        self._broker.abandon()
        self._results.abandon()

    def _held(self, lessee: Lessee) -> dict[int, Delivery]:
        """Return what ``lessee`` holds at this moment, by tag."""
        # To adopt from one who holds nothing changes nothing, and tells what the heir holds.
        nobody = Lessee(lessee.node, f"nobody beside {lessee.child}")
        return {delivery.tag: delivery for delivery in self._broker.adopt(nobody, by=lessee)}

    # The broker's own.

    @property
    def broadcast(self) -> Broadcast:
        """See ``Broker.broadcast``."""
        return self._broker.broadcast

    def fetch(self, queues: Sequence[str], *, lessee: Lessee, limit: int, wait_s: float) -> Fetched:
        """See ``Broker.fetch``."""
        return self._broker.fetch(queues, lessee=lessee, limit=limit, wait_s=wait_s)

    def adopt(self, lost: Lessee, *, by: Lessee, limit: int = 1000) -> Sequence[Delivery]:
        """See ``Broker.adopt``."""
        return self._broker.adopt(lost, by=by, limit=limit)

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = PUBLISH_DEADLINE_S) -> None:
        """See ``Broker.publish``."""
        self._broker.publish(messages, deadline_s=deadline_s)

    def interrupt(self) -> None:
        """See ``Broker.interrupt``."""
        self._broker.interrupt()

    def keep(self, node: str, *, name: str, info: Mapping[str, object], queues: Sequence[str], lease_s: float = LEASE_S) -> Pulse:
        """See ``Broker.keep``."""
        return self._broker.keep(node, name=name, info=info, queues=queues, lease_s=lease_s)

    def doze(self, seconds: float) -> None:
        """See ``Broker.doze``."""
        self._broker.doze(seconds)

    def leave(self, node: str) -> None:
        """See ``Broker.leave``."""
        self._broker.leave(node)

    def nodes(self) -> Sequence[NodeRecord]:
        """See ``Broker.nodes``."""
        return self._broker.nodes()

    def depth(self, queues: Sequence[str]) -> Sequence[int]:
        """See ``Broker.depth``."""
        return self._broker.depth(queues)

    def scheduled(self) -> int:
        """See ``Broker.scheduled``."""
        return self._broker.scheduled()

    def dated(self, queues: Sequence[str], *, limit: int = 1000) -> Sequence[Scheduled]:
        """See ``Broker.dated``."""
        return self._broker.dated(queues, limit=limit)

    def hasten(self, queues: Sequence[str], *, limit: int = 1000) -> int:
        """See ``Broker.hasten``."""
        return self._broker.hasten(queues, limit=limit)

    def purge(self, queues: Sequence[str]) -> int:
        """See ``Broker.purge``."""
        return self._broker.purge(queues)

    def rules(self) -> Rules:
        """See ``Broker.rules``."""
        return self._broker.rules()

    def revoke(self, ids: Sequence[str], *, ttl_s: float | None = None) -> None:
        """See ``Broker.revoke``."""
        self._broker.revoke(ids, ttl_s=ttl_s)

    def revoke_stamps(self, stamps: Mapping[str, Sequence[str]], *, ttl_s: float | None = None) -> None:
        """See ``Broker.revoke_stamps``."""
        self._broker.revoke_stamps(stamps, ttl_s=ttl_s)

    def pause(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """See ``Broker.pause``."""
        self._broker.pause(queues=queues, tasks=tasks)

    def resume(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        """See ``Broker.resume``."""
        self._broker.resume(queues=queues, tasks=tasks)

    def release(self, task: str, *, queues: Sequence[str], limit: int) -> int:
        """See ``Broker.release``."""
        return self._broker.release(task, queues=queues, limit=limit)

    def parked(self) -> Mapping[str, int]:
        """See ``Broker.parked``."""
        return self._broker.parked()

    def whereabouts(self, id: str, *, queues: Sequence[str]) -> Sequence[Place]:
        """See ``Broker.whereabouts``."""
        return self._broker.whereabouts(id, queues=queues)

    def dead_letters(self, *, limit: int = 100, after: str | None = None) -> Sequence[DeadRecord]:
        """See ``Broker.dead_letters``."""
        return self._broker.dead_letters(limit=limit, after=after)

    def dead_letter(self, id: str) -> DeadRecord | None:
        """See ``Broker.dead_letter``."""
        return self._broker.dead_letter(id)

    def replay(self, ids: Sequence[str]) -> int:
        """See ``Broker.replay``."""
        return self._broker.replay(ids)

    def purge_dead(self, ids: Sequence[str] | None = None) -> int:
        """See ``Broker.purge_dead``."""
        return self._broker.purge_dead(ids)

    def timetable(self, name: str) -> Timetable | None:
        """See ``Timetables.timetable``: the broker's, or else the result backend's, from which messages go to the broker in a
        further step. ``None``: neither keeps any."""
        if (of_broker := _kept_by(self._broker)) is not None:
            return of_broker(name)
        of_results = _kept_by(self._results)
        found = None if of_results is None else of_results(name)
        return None if found is None else Outboxed(found, self._broker.publish)

    # The result backend's own.

    def store_results(self, results: Sequence[StoredResult]) -> None:
        """See ``ResultBackend.store_results``."""
        self._results.store_results(results)

    def load(self, ids: Sequence[str]) -> Sequence[bytes | None]:
        """See ``ResultBackend.load``."""
        return self._results.load(ids)

    def forget(self, ids: Sequence[str]) -> None:
        """See ``ResultBackend.forget``."""
        self._results.forget(ids)

    def watch(self, ids: Sequence[str], notify: Callable[[str, bytes], None]) -> None:
        """See ``ResultBackend.watch``."""
        self._results.watch(ids, notify)

    def unwatch(self, ids: Sequence[str]) -> None:
        """See ``ResultBackend.unwatch``."""
        self._results.unwatch(ids)

    # The chords, which are the result backend's as well.

    def open_chords(self, openings: Sequence[Opening]) -> None:
        """See ``Chords.open_chords``."""
        self._results.open_chords(openings)

    def open_if_new(self, opening: Opening) -> None:
        """See ``JoiningBackend.open_if_new``."""
        self._results.open_if_new(opening)

    def parts(self, chord: str) -> Sequence[bytes] | None:
        """See ``Chords.parts``."""
        return self._results.parts(chord)

    def join(self, join: Join, *, claimant: str) -> bool:
        """See ``JoiningBackend.join``."""
        return self._results.join(join, claimant=claimant)

    def close_chord(self, chord: str) -> None:
        """See ``JoiningBackend.close_chord``."""
        self._results.close_chord(chord)


def _kept_by(place: object) -> Callable[[str], Timetable | None] | None:
    """Return what gives the timetables of a store; ``None``: it has none."""
    return getattr(place, "timetable", None)


def _for_broker(settlement: Settlement, joined: Container[int]) -> Settlement:
    stays = settlement.stays or settlement.tag in joined
    return structs.replace(settlement, result=None, further=(), opens=(), join=None, closes=None, stays=stays)
