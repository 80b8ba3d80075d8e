"""Keep this node's lease alive; bury what died: its own children, and nodes that fell silent.

In a node's life: ``tick`` about once a second, in the supervisor. Makes every call to the store that the supervisor makes,
so that a store that does not answer never keeps it from enforcing limits. Does not know: processes, signals.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from celeriac.abc import HANDS, LEASE_S, Lessee, Runtime, Store
from celeriac.core.errors import OperationalError, WorkerLostError
from celeriac.core.message import Delivery, Message, Rejected
from celeriac.core.settlement import DeadLetter, Done, Requeue, Settled, Settlement
from celeriac.worker.finishing import finish
from celeriac.worker.reading import Reader
from celeriac.worker.recovery import Death, Ending, bury
from celeriac.worker.request import Request
from celeriac.worker.rests import Rests
from celeriac.worker.settlement import refuse
from celeriac.worker.terms import Terms

log = logging.getLogger("celeriac.worker")

TICK_S = 1.0
"""At most so long between two signs of life."""
_SIGNS_A_LEASE = 12
"""At least so many: a store takes a sixth of a lease without any for a silence of all nodes, of which nobody dies."""
_AT_ONCE = 1000
"""Deliveries adopted in one call."""


class DeadChild(Struct, frozen=True):
    """A child of this node that has ended."""

    lessee: Lessee
    started: int
    """Its largest tag whose run had begun."""
    running: tuple[int, ...]
    """The tags whose runs had not ended."""
    death: Death
    endings: Mapping[int, Ending] = {}
    """By their tags, the runs that we ended ourselves, and why."""


class EndedRun(Struct, frozen=True):
    """A run that we have given up, in a child that lives on for a while."""

    lessee: Lessee
    tag: int
    ending: Ending


class Leases:
    """The lease of one node, and the deliveries of the dead."""

    def __init__(
        self,
        broker: Store,
        *,
        node: str,
        name: str,
        queues: Sequence[str],
        reader: Reader,
        terms: Terms,
        runtime: Runtime,
        max_deliveries: int = 5,
        lease_s: float = LEASE_S,
        info: Callable[[], Mapping[str, object]] = dict,
        on_lost: Callable[[Request, Exception], None] | None = None,
        on_terminated: Callable[[Request, int], None] | None = None,
        on_back: Callable[[Request, bool], None] | None = None,
        release: Callable[[Sequence[str]], float] | None = None,
    ) -> None:
        self._broker, self._node, self._name = broker, node, name
        self.queues = list(queues)
        """What this node serves. Replace it when that changes."""
        self._reader, self._terms, self._runtime = reader, terms, runtime
        self._rests = Rests(broker, accept=reader.accept, ttl_s=terms.ttl_s)
        self._max_deliveries, self._lease_s, self._info = max_deliveries, lease_s, info
        self._on_lost = on_lost
        """Told of each task that has failed because its process died. ``None``: nobody wants to know."""
        self._on_back = on_back
        """Told of each task that ran and goes back to its queue; ``True``: its node stops at once, otherwise its process died."""
        self._on_terminated = on_terminated
        """Told of each task that an operator has had ended, with the number of the signal."""
        self._given_up: deque[EndedRun] = deque()
        self._release = release
        """Brings back what rate limits have put aside, of the types it is told; returns when to do so again, seconds from now."""
        self._dead: deque[DeadChild] = deque()
        self._unburied: set[Lessee] = set()
        """Lessees of other nodes whose burial was begun: an answer may have been lost, and what they held may be ours by now."""

    def child_died(self, child: DeadChild) -> None:
        """Take note; the next tick buries it. Any thread may call."""
        self._dead.append(child)

    def run_ended(self, run: EndedRun) -> None:
        """Take note; the next tick settles it for its child, which may never do so. Any thread may call."""
        self._given_up.append(run)

    @property
    def has_dead(self) -> bool:
        """Whether a child of ours waits for its burial, or a run that was given up for its settlement."""
        return bool(self._dead or self._given_up)

    def tick(self) -> float:
        """Say that we are alive, bury the dead, and return how many seconds to doze at most.

        Raises:
            OperationalError: the store did not answer; call again soon.
        """
        pulse = self._broker.keep(self._node, name=self._name, info=self._info(), queues=self.queues, lease_s=self._lease_s)
        self.bury_children()
        for lost in pulse.orphans:
            self._bury_orphan(lost, limit=_AT_ONCE)
        doze_s = min(TICK_S, self._lease_s / _SIGNS_A_LEASE)
        if pulse.throttled and self._release is not None:
            doze_s = min(doze_s, self._release(pulse.throttled))
        return doze_s if pulse.next_due is None else min(doze_s, max(pulse.next_due, 0.001))

    def bury_children(self) -> None:
        """Bury the children that died since the last time, and bring burials to their end that were broken off."""
        for run in tuple(self._given_up):
            self._give_up(run)
            with suppress(ValueError):
                self._given_up.remove(run)
        for child in tuple(self._dead):
            self._bury(child, limit=_AT_ONCE)
            # A node that stops does not wait for ever for a keeper whom the store keeps waiting: both may be here.
            with suppress(ValueError):
                self._dead.remove(child)
        # A node that was buried by half may have come back and keeps what it holds now: settle only what is ours already.
        for lost in sorted(self._unburied, key=_order):
            self._bury_orphan(lost, limit=0)

    def _bury_orphan(self, lost: Lessee, *, limit: int) -> None:
        self._unburied.add(lost)
        death = Death(f"its node {lost.node} was silent for {self._lease_s:.0f} s")
        started = 0 if lost.child.startswith(HANDS) else 2**62
        self._bury(DeadChild(lost, started=started, running=(), death=death), limit=limit)
        self._unburied.discard(lost)

    def part(self) -> None:
        """Bury our own and say goodbye; a store that does not answer must not keep a node from ending."""
        try:
            self.bury_children()
            self._broker.leave(self._node)
        except OperationalError as error:
            log.warning("%s; others will find what this node held when its lease has ended", error)
        self._broker.close()

    def _bury(self, child: DeadChild, *, limit: int) -> None:
        # An heir of its own for each of the dead: after a lost answer the same question brings the same deliveries.
        # The children of all nodes bear the same few names, so the heir's tells the node, too.
        heir = Lessee(self._node, f"heir-of-{child.lessee.node}/{child.lessee.child}")
        while deliveries := self._broker.adopt(child.lessee, by=heir, limit=limit):
            settlements = [self._settle(delivery, child) for delivery in deliveries]
            fields = {"event": "lessee-died", "deliveries": len(deliveries)}
            who = f"{child.lessee.node}/{child.lessee.child}"
            log.warning("%s ended (%s) and left %d deliveries", who, child.death.detail, len(deliveries), extra=fields)
            answers = self._broker.settle(settlements, lessee=heir)
            for delivery, settlement, answer in zip(deliveries, settlements, answers, strict=True):
                self._heard(delivery, settlement, answer, child, heir)

    def _give_up(self, run: EndedRun) -> None:
        """Settle one run in the name of its child. If that one settles it as well, the first of the two counts."""
        child = DeadChild(run.lessee, run.tag, (run.tag,), Death("it was given up"), {run.tag: run.ending})
        while True:
            held = self._broker.adopt(run.lessee, by=run.lessee, limit=0)  # moves nothing
            delivery = next((delivery for delivery in held if delivery.tag == run.tag), None)
            if delivery is None:
                return
            settlement = self._settle(delivery, child)
            [answer] = self._broker.settle([settlement], lessee=run.lessee)
            self._heard(delivery, settlement, answer, child, run.lessee)

    def _heard(self, delivery: Delivery, settlement: Settlement, answer: Settled, child: DeadChild, holder: Lessee) -> None:
        if answer is Settled.REFUSED:
            self._refuse(delivery, holder)
        elif answer is Settled.APPLIED:
            try:
                match settlement.fate:
                    case Done() | DeadLetter() as fate:
                        self._tell(delivery, fate, child)
                    case Requeue() if self._on_back is not None and delivery.tag in child.running:
                        request = self._reader.understand(delivery)
                        if isinstance(request, Request):
                            self._on_back(request, child.death.handed_back)
            except Exception:  # such as a message that our own code cannot read: the others are to be buried
                log.exception("the end of a task whose process died could not be told")

    def _refuse(self, delivery: Delivery, heir: Lessee) -> None:
        """Keep a delivery whose settlement the store cannot carry out; whoever waits hears of a failure."""
        why = Rejected("unsettled", "the store cannot carry out the end of a task whose process died")
        message = self._reader.message(delivery)
        known = message if isinstance(message, Message) else None
        settlement = refuse(delivery, why, known, now=self._runtime.now(), terms=self._terms)
        if Settled.REFUSED in self._broker.settle([settlement], lessee=heir):
            bare = Settlement(tag=delivery.tag, fate=DeadLetter(reason=why.reason, detail=why.detail))
            self._broker.settle([bare], lessee=heir)

    def _tell(self, delivery: Delivery, fate: Done | DeadLetter, child: DeadChild) -> None:
        """Say that a task has failed, or was terminated: in the log, and to whoever wants to know."""
        ending = child.endings.get(delivery.tag)
        if isinstance(fate, DeadLetter):
            fields = {"event": "task-lost", "task_id": fate.task_id, "task_name": fate.task}
            log.error("Task %s[%s] goes to the dead letters: %s", fate.task, fate.task_id, fate.detail, extra=fields)
        request = self._reader.understand(delivery)
        if not isinstance(request, Request):
            return
        if ending is not None and ending.signum is not None:
            self._tell_terminated(request, ending.signum)
            return
        if isinstance(fate, Done):
            fields = {"event": "task-failed", "task_id": request.message.id, "task_name": request.message.task}
            why = child.death.detail if ending is None else f"hard time limit ({ending.hard_s:g} s) exceeded"
            log.error("%s failed: %s", request, why, extra=fields)
        if self._on_lost is not None:
            lost = WorkerLostError(fate.detail if isinstance(fate, DeadLetter) else child.death.detail)
            self._on_lost(request, lost if ending is None else ending.error)

    def _tell_terminated(self, request: Request, signum: int) -> None:
        fields = {"event": "task-revoked", "task_id": request.message.id, "task_name": request.message.task}
        log.info("%s was terminated", request, extra=fields)
        if self._on_terminated is not None:
            self._on_terminated(request, signum)

    def _settle(self, delivery: Delivery, child: DeadChild) -> Settlement:
        try:
            if delivery.joined:
                return self._call_body(delivery)
            return bury(
                delivery,
                started=delivery.tag <= child.started,
                death=child.death,
                ending=child.endings.get(delivery.tag),
                reader=self._reader,
                max_deliveries=self._max_deliveries,
                now=self._runtime.now(),
                terms=self._terms,
            )
        except OperationalError:
            raise
        except Exception as error:
            # A mistake of ours must not keep the node from burying the others.
            log.exception("a delivery of a dead process could not be judged")
            if delivery.tag > child.started:
                return Settlement(tag=delivery.tag, fate=Requeue())
            return Settlement(tag=delivery.tag, fate=DeadLetter(reason="internal", detail=f"{type(error).__name__}: {error}"))

    def _call_body(self, delivery: Delivery) -> Settlement:
        """Finish a chord whose last member's process died after it had settled that. Nothing of the user's runs for it."""
        message = self._reader.message(delivery)
        if isinstance(message, Rejected):
            return Settlement(
                tag=delivery.tag, fate=DeadLetter(reason="internal", detail="a joined delivery that cannot be read")
            )
        message = self._rests.of(message).message  # which chord it reported to may stand in what was kept
        return finish(self._broker, self._rests, delivery, message, now=self._runtime.now(), terms=self._terms)


def _order(lessee: Lessee) -> tuple[str, str]:
    """Sets have no order, and a simulation must not depend on one."""
    return lessee.node, lessee.child
