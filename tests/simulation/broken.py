"""Stores with the mistakes that task queues are known for. A simulation that does not catch them is worth nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from celeriac.abc import LEASE_S, Fetched, Lessee, Pulse
from celeriac.core.errors import BrokerUnreachable
from celeriac.core.message import Delivery
from celeriac.core.settlement import Park, Settled, Settlement, StoredResult
from celeriac.testing.simulation import SimulatedStore


class PopThenNote(SimulatedStore):
    """Takes messages out of the queue in one step and notes who has them in a second, which may never come."""

    def _lease(self, queues: Sequence[str], lessee: Lessee, limit: int) -> Fetched:
        if self._losing:
            self._losing = False
            self._queues.take(queues, limit)
            raise BrokerUnreachable("popped, and not noted")
        return super()._lease(queues, lessee, limit)


class NoRenewal(SimulatedStore):
    """A lease is held by a clock: whoever has it has it for so long, and speaking does not help."""

    def keep(self, node: str, *, name: str, info: Mapping[str, object], queues: Sequence[str], lease_s: float = LEASE_S) -> Pulse:
        now = self._runtime.monotonic()
        ends = self._nodes._nodes[node].ends if self._nodes.alive(node, now) else now + lease_s
        pulse = super().keep(node, name=name, info=info, queues=queues, lease_s=lease_s)
        self._nodes._nodes[node].ends = ends
        return pulse


class NoFencing(SimulatedStore):
    """Settles whatever it is told to, for whoever tells it."""

    def carry_out(self, settlements: Sequence[Settlement], lessee: Lessee) -> Sequence[Settled]:
        holders = {tag: holder for holder in self._holdings.lessees() for tag, _ in self._holdings.of(holder)}
        answers = []
        for settlement in settlements:
            holder = holders.get(settlement.tag, lessee)
            [answer] = super().carry_out([settlement], holder)
            if answer is Settled.LEASE_LOST and settlement.result is not None:
                self.store_results([settlement.result])
                answer = Settled.APPLIED
            answers.append(answer)
        return answers


class EachTimeFromTheStart(SimulatedStore):
    """Forgets, when it hands out again what was lost on the way, that it is held: so it is held twice."""

    def _lease(self, queues: Sequence[str], lessee: Lessee, limit: int) -> Fetched:
        losing = self._losing
        try:
            return super()._lease(queues, lessee, limit)
        finally:
            if losing:
                for _, letter in self._holdings.of(lessee):
                    self._queues.add_first(letter)


class EverySuccessIsWelcome(SimulatedStore):
    """Lets a later state take the place of a SUCCESS."""

    def carry_out(self, settlements: Sequence[Settlement], lessee: Lessee) -> Sequence[Settled]:
        self.forget([one.result.id for one in settlements if one.result is not None])
        return super().carry_out(settlements, lessee)


class RobsTheLiving(SimulatedStore):
    """Lets a node be robbed that was called dead and has come back since."""

    def take_over(self, lost: Lessee, by: Lessee, limit: int) -> Sequence[Delivery]:
        self._holdings.move(lost, by, limit)
        return super().take_over(lost, by, limit)


class HearsTheLate(SimulatedStore):
    """Believes whoever says that a failed task begins, also one who has lost his lease."""

    def put_results(self, results: Sequence[StoredResult]) -> None:
        for result in results:
            self._results.store(result, self._runtime.monotonic(), fenced=True)


class CountsBlindly(SimulatedStore):
    """Counts down what a chord waits for before it looks who speaks: a member that comes again counts twice, save as the last."""

    def carry_out(self, settlements: Sequence[Settlement], lessee: Lessee) -> Sequence[Settled]:
        answers = super().carry_out(settlements, lessee)
        for settlement, answer in zip(settlements, answers, strict=True):
            if answer is Settled.LEASE_LOST and settlement.join is not None:
                chord = self._chords._chords[settlement.join.chord]
                if (size := (chord.size or 0)) + len(chord.added) - len(chord.parts) > 1:
                    chord.size = size - 1
        return answers


class SeveralAreLast(SimulatedStore):
    """Looks whether a chord is complete when all parts of a call are recorded: each of them was the last then."""

    def carry_out(self, settlements: Sequence[Settlement], lessee: Lessee) -> Sequence[Settled]:
        held = dict(self._holdings.of(lessee))
        answers = list(super().carry_out(settlements, lessee))
        joins = [None if one.join is None else one.join.chord for one in settlements]
        complete = {chord for chord, answer in zip(joins, answers, strict=True) if answer is Settled.JOINED}
        for place, settlement in enumerate(settlements):
            if joins[place] in complete and answers[place] is Settled.APPLIED:
                self._holdings.hold_under(lessee, settlement.tag, replace(held[settlement.tag], joined=True))
                answers[place] = Settled.JOINED
        return answers


class ForgetsWhoWasLast(SimulatedStore):
    """Says once that a part was the last; who asks again, because he has not heard it, is told that all is done."""

    def carry_out(self, settlements: Sequence[Settlement], lessee: Lessee) -> Sequence[Settled]:
        joined = {tag for tag, letter in self._holdings.of(lessee) if letter.joined}
        answers = list(super().carry_out(settlements, lessee))
        for place, settlement in enumerate(settlements):
            if settlement.tag in joined and answers[place] is Settled.JOINED:
                self._holdings.release(lessee, settlement.tag)
                answers[place] = Settled.APPLIED
        return answers


class AdoptsAsIfNothingHadRun(SimulatedStore):
    """Forgets, when it hands on what the dead held, that a run had ended and that only a body was left to call."""

    def take_over(self, lost: Lessee, by: Lessee, limit: int) -> Sequence[Delivery]:
        super().take_over(lost, by, limit)
        for tag, letter in self._holdings.of(by):
            self._holdings.hold_under(by, tag, replace(letter, joined=False))
        return super().take_over(lost, by, 0)


class LeavesSomeAside(SimulatedStore):
    """Brings back, when a type is resumed, what is parked for the first queue alone, and forgets the rest."""

    def bring_back(self, queues: Sequence[str], tasks: Sequence[str]) -> None:
        super().bring_back(queues, ())
        self._rules.resume((), tasks)
        for task in tasks:
            self._put_first(self._parked.take(task, queues={"default"}))
            self._parked.take(task)


class ParksTooLate(SimulatedStore):
    """Puts a message aside though its type was resumed since: nobody will bring it back, until the type is paused again."""

    def carry_out(self, settlements: Sequence[Settlement], lessee: Lessee) -> Sequence[Settled]:
        before = self._rules.paused_tasks
        for settlement in settlements:
            if isinstance(settlement.fate, Park):
                self._rules.paused_tasks |= {settlement.fate.task}
        answers = super().carry_out(settlements, lessee)
        self._rules.paused_tasks = before
        return answers

    def keep(self, node: str, *, name: str, info: Mapping[str, object], queues: Sequence[str], lease_s: float = LEASE_S) -> Pulse:
        return replace(super().keep(node, name=name, info=info, queues=queues, lease_s=lease_s), throttled=())


class PausesInWordsOnly(SimulatedStore):
    """Hands out messages of paused queues."""

    def _open(self, queues: Sequence[str]) -> Sequence[str]:
        return queues


class TellsNobody(SimulatedStore):
    """Forgets, when a type is paused, to say that something has changed."""

    def pause(self, *, queues: Sequence[str] = (), tasks: Sequence[str] = ()) -> None:
        revision = self._rules.revision
        super().pause(queues=queues, tasks=tasks)
        self._rules.revision = revision


class InOrderOfArrival(SimulatedStore):
    """Hands out the parts of a chord as they have come."""

    def parts(self, chord: str) -> Sequence[bytes]:
        return [body for _, body in self._chords._chords[chord].parts.values()]


class NeverTidiesUp(SimulatedStore):
    """Keeps the parts of chords that are over."""

    def carry_out(self, settlements: Sequence[Settlement], lessee: Lessee) -> Sequence[Settled]:
        return super().carry_out([replace(one, closes=None) for one in settlements], lessee)
