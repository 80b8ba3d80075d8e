"""The ledger: what really happened, seen from beside the system, and the promises that are checked against it.

It is told the truth about each call to the store, whether or not the caller ever hears of it, and of each run that begins.
The promises are those of the design: nothing vanishes, nothing is in two places, nothing ends twice, a living node is never
overtaken. Does not know: how the store or the workers work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from math import inf

from celeriac.abc import Lessee, Pulse
from celeriac.core import envelope
from celeriac.core.message import Delivery, Message, Rejected
from celeriac.core.settlement import DeadLetter, Done, Settled, Settlement
from celeriac.core.states import SUCCESS
from celeriac.testing.simulation.report import Scale, Violation

Key = tuple[str, int]
"""One attempt of one task: its id, and how often it was retried before."""


class Ledger:
    """Everything that was observed in one world."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._keys: dict[bytes, Key] = {}
        self._steps = 0
        self.known: set[Key] = set()
        """Every attempt that the store has ever accepted."""
        self.ended: Counter[Key] = Counter()
        """Settlements that brought an attempt to its end."""
        self.over: set[Key] = set()
        """Attempts that the store has forgotten, as it should."""
        self.starts: Counter[Key] = Counter()
        self.losses: Counter[Key] = Counter()
        """How often it was taken over from somebody."""
        self.successes: dict[str, bytes] = {}
        self.revoked: dict[str, int] = {}
        self._paused_tasks: dict[str, int] = {}
        """Types, and since which step."""
        self._paused_queues: set[str] = set()
        self.needs: dict[str, tuple[str, ...]] = {}
        """Of tasks of workflows: whose success they wait for."""
        self.joined: dict[int, str] = {}
        """Chords all of whose parts are in, by the tag of the delivery that is left to call the body."""
        self._complete: set[str] = set()
        self._tags: dict[int, Key] = {}
        self._fetched: dict[tuple[Lessee, int], int] = {}
        self._kept: dict[str, float] = {}

    def key(self, raw: bytes) -> Key:
        """Return the attempt that these bytes stand for."""
        known = self._keys.get(raw)
        if known is None:
            parcel = envelope.unpack(raw)
            headers = {} if isinstance(parcel, Rejected) else parcel.headers
            known = self._keys[raw] = (str(headers.get("id", raw[:40])), headers.get("retries") or 0)
        return known

    # What the store did.

    def fetched(self, lessee: Lessee, deliveries: Sequence[Delivery], *, again: Container[int]) -> None:
        """These were leased, and the lessee was told; those ``again`` that he held already."""
        self._steps += 1
        for delivery in deliveries:
            if delivery.queue in self._paused_queues and delivery.tag not in again:
                raise Violation(f"{self.key(delivery.raw)} was fetched from {delivery.queue}, which is paused")
            self._tags[delivery.tag] = self.key(delivery.raw)
            self._fetched[lessee, delivery.tag] = self._steps

    def kept(self, node: str, pulse: Pulse, now: float) -> None:
        """A node said that it is alive, and the store heard it, and said who is dead."""
        self._kept[node] = now
        for orphan in pulse.orphans:
            silent_s = now - self._kept.get(orphan.node, now)
            if silent_s < self._scale.lease_s:
                raise Violation(f"{orphan} is called dead, and its node was heard {silent_s:.1f} s ago")

    def adopted(self, lost: Lessee, by: Lessee, raws: Mapping[int, bytes], *, lost_is_alive: bool, now: float) -> None:
        """These were taken from ``lost``: the child of another node that is dead to the store, or a dead child of one's own."""
        silent_s = now - self._kept.get(lost.node, -inf)
        for tag, raw in raws.items():
            key = self._tags[tag] = self.key(raw)
            self.losses[key] += 1
            if lost.node != by.node and silent_s < self._scale.lease_s:
                raise Violation(f"{key} was taken from {lost}, whose node was heard {silent_s:.1f} s ago")
            if lost.node == by.node and lost_is_alive:
                raise Violation(f"{key} was taken from {lost}, which is alive")

    def revoke(self, id: str) -> None:
        """The store knows that this task must not start."""
        self._steps += 1
        self.revoked.setdefault(id, self._steps)

    def pause(self, queues: Iterable[str], tasks: Iterable[str]) -> None:
        """The store knows that these are paused."""
        self._steps += 1
        self._paused_queues.update(queues)
        for task in tasks:
            self._paused_tasks.setdefault(task, self._steps)

    def resume(self, queues: Iterable[str], tasks: Iterable[str]) -> None:
        """These may go on."""
        self._paused_queues.difference_update(queues)
        for task in tasks:
            self._paused_tasks.pop(task, None)

    def published(self, keys: Iterable[Key]) -> None:
        """These were sent by a program."""
        self._sent(keys)

    def settled(self, settlements: Sequence[Settlement], answers: Sequence[Settled]) -> None:
        """These were carried out, or refused."""
        for settlement, answer in zip(settlements, answers, strict=True):
            if answer is Settled.LEASE_LOST:
                continue
            calls_body = settlement.tag in self.joined
            if calls_body and answer is Settled.JOINED:
                continue  # it was said before, and the answer was lost
            key = self._tags[settlement.tag]
            followups = [(one.id, one.parcel.headers.get("retries") or 0) for one in settlement.followups]
            moved = key in followups
            if calls_body:
                chord = self.joined.pop(settlement.tag)
                if settlement.closes != chord:
                    raise Violation(f"chord {chord} is complete, and {key} was settled without a word of its body")
            elif isinstance(settlement.fate, Done | DeadLetter) and not moved:
                self._end(key)
            if isinstance(settlement.fate, Done) and not moved and not calls_body:
                self.over.add(key)
            if isinstance(settlement.fate, DeadLetter) and settlement.fate.reason in {"internal", "unsettled"}:
                raise Violation(f"{key} became a dead letter by a mistake of ours: {settlement.fate.detail}")
            if answer is Settled.JOINED:
                self._join(settlement)
            for result in settlement.results:
                if result.state == SUCCESS:
                    self.successes.setdefault(result.id, result.body)
            self._sent(followup for followup in followups if followup != key)

    def _sent(self, keys: Iterable[Key]) -> None:
        """Each attempt enters a queue once, and only when what it waits for has succeeded."""
        for key in keys:
            if key in self.known:
                raise Violation(f"{key} was sent a second time")
            missing = [id for id in self.needs.get(key[0], ()) if id not in self.successes]
            if missing:
                raise Violation(f"{key} was sent, and {missing} have not succeeded")
            self.known.add(key)

    def _join(self, settlement: Settlement) -> None:
        """Somebody was told that his part was the last."""
        chord = "" if settlement.join is None else settlement.join.chord
        if chord in self._complete:
            raise Violation(f"chord {chord} was completed twice")
        self._complete.add(chord)
        self.joined[settlement.tag] = chord

    def _end(self, key: Key) -> None:
        self.ended[key] += 1
        if self.ended[key] > 1:
            raise Violation(f"{key} came to its end twice, and both were accepted")

    # What the workers did.

    def started(self, lessee: Lessee, tag: int, message: Message, *, early: bool, now: datetime) -> None:
        """A run begins; ``now`` by the wall clock, which the store and the workers share."""
        key = (message.id, message.retries)
        self.starts[key] += 1
        starts, losses = self.starts[key], self.losses[key]
        if early and starts > 1:
            raise Violation(f"{key} acknowledges early and was started {starts} times")
        if starts > losses + 1:
            raise Violation(f"{key} was started {starts} times, and only {losses} times was it taken from somebody")
        if starts > self._scale.max_deliveries:
            raise Violation(f"{key} was started {starts} times, more than max_deliveries")
        revoked = self.revoked.get(message.id)
        if revoked is not None and revoked < self._fetched[lessee, tag]:
            raise Violation(f"{key} was revoked before it was fetched, and was started")
        paused = self._paused_tasks.get(message.task)
        if paused is not None and paused < self._fetched[lessee, tag]:
            raise Violation(f"{key} was fetched when its type {message.task} was paused, and was started")
        if message.eta is not None and message.eta > now:
            raise Violation(f"{key} was started at {now}, before its eta {message.eta}")
        if message.expires is not None and message.expires <= now:
            raise Violation(f"{key} was started at {now}, and had expired at {message.expires}")

    # What is where.

    def compare(self, places: Mapping[Key, int], joined: Mapping[int, int]) -> None:
        """Compare with what the store holds.

        Args:
            places: How many copies there are of each attempt, wherever they are.
            joined: How many lessees hold a delivery whose run has ended and that is left to call the body of a chord, by tag.
        """
        for tag, chord in self.joined.items():
            if joined.get(tag, 0) != 1:
                raise Violation(f"chord {chord} is complete, and {joined.get(tag, 0)} are there to call its body")
        for tag in joined:
            if tag not in self.joined:
                raise Violation(f"{self._tags[tag]} is held to call the body of a chord that is not complete, or is over")
        for key in self.known:
            copies = places.get(key, 0)
            if copies + (key in self.over) != 1:
                where = "over" if key in self.over else "not over"
                raise Violation(f"{key} is {where}, and there are {copies} copies of it in the store")
        for key in places:
            if key not in self.known:
                raise Violation(f"{key} is in the store, and nobody has sent it")
