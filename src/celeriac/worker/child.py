"""Child: the loop of one process: fetch, admit, run, settle.

In a job's life: everything between the store's fetch and its settle happens here, top to bottom. ``step`` is one turn,
a plain call without hidden waits, so that a simulation can stop a child between any two calls to the store;
``work`` repeats it until told to stop.

A batch of known-short work is run and settled as one; a run that takes longer than a batch finds its finished neighbours
settled and its unstarted ones given back by the ``Tender``. Does not know: other children, who started it, limits.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from celeriac.abc import Lessee, Runtime, Store
from celeriac.core.errors import LeaseExpired, OperationalError
from celeriac.core.message import Delivery, Message, Rejected
from celeriac.core.outcome import Outcome, Revoked, Success
from celeriac.core.rules import NO_RULES
from celeriac.core.settlement import Done, Park, Requeue, Settlement, StoredResult
from celeriac.worker import announce, report
from celeriac.worker.admission import Aside, Drop, Hold, admit
from celeriac.worker.appetite import BATCH_LIMIT, BATCH_S, Appetite
from celeriac.worker.emitting import Emission
from celeriac.worker.finishing import finish
from celeriac.worker.lanes import Lane
from celeriac.worker.limiting import Limits, limit_of
from celeriac.worker.orders import OrderBook, Orders
from celeriac.worker.pace import Pace
from celeriac.worker.reading import Reader
from celeriac.worker.repeats import Repeats
from celeriac.worker.request import Request
from celeriac.worker.rests import Rests
from celeriac.worker.settlement import hold, refuse, settle_or_fail, started
from celeriac.worker.settler import Settler
from celeriac.worker.terms import Terms

log = logging.getLogger("celeriac.worker")

IDLE_WAIT_S = 10.0
"""How long one fetch waits; only a bound: messages wake it."""
_ROOM_WAIT_S = 0.5
_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""After the store did not answer for the first, second, … time."""


class Child:
    """One worker process, or its model in a simulation."""

    def __init__(
        self,
        *,
        store: Store,
        lessee: Lessee,
        book: OrderBook,
        lane: Lane,
        reader: Reader,
        appetite: Appetite,
        terms: Terms,
        runtime: Runtime,
        max_deliveries: int = 5,
        max_tasks: int | None = None,
        worn: Callable[[], bool] | None = None,
        limits: Limits | None = None,
        repeats: Repeats | None = None,
        sender: object = None,
        emission: Emission | None = None,
        tally: Callable[[Mapping[str, int]], None] | None = None,
    ) -> None:
        self._store, self._me, self._book, self._lane = store, lessee, book, lane
        self.orders: Orders
        """What it is to do, since it has looked last: before each fetch."""
        self._emission = emission
        """Tells monitors; ``None``: nobody does."""
        self._reader, self._appetite, self._terms, self._runtime = reader, appetite, terms, runtime
        self._obey(*book.read())
        self._rests = Rests(store, accept=reader.accept, ttl_s=terms.ttl_s)
        self._max_deliveries, self._tasks_left = max_deliveries, max_tasks
        self._settler = Settler(store, lessee, when_joined=self._call_body, when_refused=self._refusal)
        self._limits, self._repeats, self._put_aside = limits, repeats, 0
        self._sender = sender
        """Who says that messages have arrived, to hooks of users."""
        self._worn = worn
        """Asked between two batches: whether another process should take over. ``None``: never."""
        self._backlog: deque[Delivery] = deque()
        """Leased and not begun, in the order of their tags. The tender takes from its front, too: popping is atomic."""
        self._spent: dict[int, StoredResult] = {}
        """By tag of what runs: a part of its workflow that was read, and is not needed for long when it has ended."""
        self._survived: set[str] = set()
        """Names of tasks that have come to an end here: most likely they do not kill their process."""
        self._counts: dict[str, int] = {}
        """How often a task of each name has ended here since that was told."""
        self._tally = tally
        self._rules = NO_RULES
        self._stopping = False
        self._pace, self._more = Pace(), False
        self._batch_began = 0.0
        self.begun_at: float | None = None
        """When the run of this thread began; ``None``: nothing runs here. For the tender."""
        self.on_arrival: Callable[[], None] = _nothing
        """Called when work has arrived: wakes the tender."""
        self.on_winding_up: Callable[[], None] = _nothing
        """Called when it fetches nothing more."""

    # One job, from top to bottom.

    def step(self, wait_s: float = 0.0) -> int:
        """Fetch once, run what came, settle it; return how many deliveries came.

        Raises:
            OperationalError: the store did not answer. Nothing is lost; call again.
        """
        self._settler.flush()
        if self._counts:
            self._tell_counts()
        limit = self._appetite.now(self._lane.free())
        if limit == 0:
            self._lane.wait_for_room(_ROOM_WAIT_S if wait_s else 0.0)
            return 0
        if self._put_aside and not self._lane.concurrent:
            limit = BATCH_LIMIT  # all that came was put aside: more of it takes no time either
        if self._tasks_left is not None:
            limit = min(limit, self._tasks_left)
        if wait_s and not self._more and (pause_s := self._pace.pause_s(self._runtime.monotonic())):
            self._runtime.sleep(pause_s)
        if self._book.revision != self._orders_revision:
            self._obey(*self._book.read())
        fetched = self._store.fetch(self.orders.queues, lessee=self._me, limit=limit, wait_s=wait_s)
        self._more = fetched.more
        self._backlog.extend(fetched.deliveries)
        try:
            if fetched.revision != self._rules.revision:
                self._rules = self._store.rules()
            if fetched.deliveries:
                self._put_aside = 0
                self._run_backlog()
                self._put_aside //= len(fetched.deliveries)
        except OperationalError:
            # Until the store answers others may do it, or somebody revoke it: what has not begun is not kept.
            self.give_back()
            raise
        return len(fetched.deliveries)

    def _obey(self, revision: int, orders: Orders) -> None:
        self._orders_revision, self.orders = revision, orders
        self._reader.time_limits = orders.time_limits
        self._telling = self._emission if orders.task_events else None

    def _run_backlog(self) -> None:
        self.on_arrival()
        self._batch_began = self._runtime.monotonic()
        self._pace.saw(len(self._backlog), self._batch_began)
        while not self._stopping:
            try:
                delivery = self._backlog.popleft()
            except IndexError:  # done, or given back
                break
            self._handle_whatever_happens(delivery)
        if not self._lane.concurrent:
            self._settler.flush()

    def _handle_whatever_happens(self, delivery: Delivery) -> None:
        message: Message | Rejected | None = None
        try:
            message = self._reader.message(delivery)
            self._handle(delivery, message)
        except OperationalError:
            self._backlog.appendleft(delivery)  # it has not begun: STARTED could not be stored
            raise
        except Exception as error:
            # A mistake of ours, met by one message. Neither the worker nor the message is to be lost for it.
            log.exception("a delivery from %s could not be handled", delivery.queue)
            known = message if isinstance(message, Message) else None
            self._refuse(delivery, Rejected("internal", f"{type(error).__name__}: {error}"), known)

    def _handle(self, delivery: Delivery, message: Message | Rejected) -> None:
        if isinstance(message, Rejected):
            return self._refuse(delivery, message, None)
        if delivery.joined:
            # The answer that said so was lost, and came with the next fetch.
            joined = self._rests.of(message).message  # which chord it reported to may stand in what was kept
            return self._settler.add(self._call_body(delivery, joined), delivery, joined)
        now = self._runtime.now()
        verdict = admit(message, now=now, rules=self._rules, tasks=self._reader.tasks, max_deliveries=self._max_deliveries)
        match verdict:
            case Rejected():
                self._refuse(delivery, verdict, message)
            case Hold():
                self._settler.add(hold(message, delivery, terms=self._terms), delivery, message)
            case Aside():
                self._park(delivery, message, throttled=False)
            case Drop(why):
                task = self._reader.tasks.get(message.task)
                if task is None:
                    return self._refuse(delivery, Rejected("unknown-task", message.task), message)
                self._finish(self._reader.request(delivery, message, task), Revoked(why), 0.0)
            case _:
                whole = self._rests.of(message)
                if whole.lost is not None:
                    return self._refuse(delivery, whole.lost, whole.message)
                self._run(self._reader.request(delivery, whole.message, verdict.task), whole.spent)
        return None

    def _park(self, delivery: Delivery, message: Message, *, throttled: bool) -> None:
        self._put_aside += 1
        self._settler.add(Settlement(tag=delivery.tag, fate=Park(message.task, throttled)), delivery, message)

    def _run(self, request: Request, spent: StoredResult | None) -> None:
        if self._repeats is not None and (success := self._repeats.success_of(request)) is not None:
            report.repeated(request)
            done = Settlement(tag=request.delivery.tag, fate=Done())
            again = done if self._repeats.one_step else self._settled(request, success)[0]
            return self._add(again, request.delivery, request.message)
        if request.how.rate_limit is not None or self.orders.rate_limits:
            name = request.message.task
            if self._limits and not self._limits.lets_begin(name, limit_of(name, self.orders, self._reader.tasks)):
                return self._park(request.delivery, request.message, throttled=True)
        if request.message.task not in self._survived or request.message.redelivered:
            # It may be the one that kills this process, and would take what has ended well with it.
            if len(self._settler):
                self._flush_patiently()
            if (telling := self._telling) is not None:
                telling.flush()
        report.received(request)
        announce.received(self._sender, request)
        how = request.how
        if how.track_started and not how.ignore_result and (self._terms.stores_results or how.own_backend is not None):
            state = started(request, pid=os.getpid(), terms=self._terms, now=self._runtime.now())
            self._store.store_results([state])
        # From here on nothing gives the delivery back.
        if spent is not None:
            self._spent[request.delivery.tag] = spent
        if self._tasks_left is not None:
            self._tasks_left -= 1
        if (telling := self._telling) is not None:
            telling.begins(request)
        self.begun_at = self._runtime.monotonic()
        self._lane.run(request, self._finish)
        self.begun_at = None
        return None

    def _finish(self, request: Request, outcome: Outcome, runtime_s: float) -> None:
        """Called by the lane, in whatever thread the run ended."""
        # First, so that a value that cannot be written is told as the failure that it is.
        settlement, outcome = self._settled(request, outcome)
        if type(outcome) is not Success:
            announce.ended(request, outcome)
        name, counts = request.message.task, self._counts
        if name in counts:
            counts[name] += 1
        else:
            counts[name] = 1
            self._survived.add(name)
        if not isinstance(outcome, Revoked):
            self._appetite.saw(runtime_s)
        report.ended(request, outcome, runtime_s)
        if (telling := self._telling) is not None:
            telling.ended(request, outcome, runtime_s)
        self._add(settlement, request.delivery, request.message)
        if self._lane.concurrent:
            self._tell_counts()
            self.on_arrival()
        elif self._runtime.monotonic() - self._batch_began > BATCH_S and self._backlog:
            # The batch takes longer than was thought: nobody waits for its end to see a result.
            self._flush_patiently()
            self._batch_began = self._runtime.monotonic()

    def _tell_counts(self) -> None:
        counts, self._counts = self._counts, {}
        if self._tally is not None:
            self._tally(counts)

    def _settled(self, request: Request, outcome: Outcome) -> tuple[Settlement, Outcome]:
        now = self._runtime.now()
        try:
            return settle_or_fail(request, outcome, now=now, terms=self._terms)
        except Exception as error:
            # Such as a callback that cannot be planned. In a lane of threads nobody else would hear of it.
            log.exception("the end of %s could not be settled", request)
            why = Rejected("internal", f"{type(error).__name__}: {error}")
            return self._refusal(request.delivery, why, request.message), outcome

    def _refuse(self, delivery: Delivery, why: Rejected, message: Message | None) -> None:
        report.refused(delivery, why, message)
        announce.refused(self._sender, delivery, why, message, self._reader.tasks.get(message.task) if message else None)
        if (telling := self._telling) is not None:
            telling.refused(why, message)
        self._add(self._refusal(delivery, why, message), delivery, message)

    def _refusal(self, delivery: Delivery, why: Rejected, message: Message | None) -> Settlement:
        now = self._runtime.now()
        try:
            return refuse(delivery, why, message, now=now, terms=self._terms)
        except Exception:
            log.exception("nobody in the workflow of a delivery from %s can be told that it was refused", delivery.queue)
            return refuse(delivery, why, None, now=now, terms=self._terms)

    def _add(self, settlement: Settlement, delivery: Delivery, message: Message | None) -> None:
        if (spent := self._spent.pop(delivery.tag, None)) is not None:
            # First: a task that was replaced may keep the same part again.
            settlement = replace(settlement, further=(spent, *settlement.further))
        self._settler.add(settlement, delivery, message)

    def _call_body(self, delivery: Delivery, message: Message) -> Settlement:
        """Say how a delivery ends that brought the last part of its chord."""
        return finish(self._store, self._rests, delivery, message, now=self._runtime.now(), terms=self._terms)

    # Until told to stop.

    def work(self) -> None:
        """Work until ``stop``, or until ``max_tasks`` have run, or ``worn``; then give back what has not begun."""
        failures = 0
        while not self._stopping and self._tasks_left != 0:
            try:
                self.step(IDLE_WAIT_S)
                if failures:
                    log.info("the store answers again", extra={"event": "store-back"})
                failures = 0
                if self._worn is not None and self._worn():
                    break
            except LeaseExpired:
                self._runtime.sleep(0.2)  # the supervisor says that we are alive, as soon as it can
            except OperationalError as error:
                pause = _PAUSES_S[min(failures, len(_PAUSES_S) - 1)]
                if failures == 0:
                    log.warning("%s; trying again until it does", error, extra={"event": "store-lost"})
                failures += 1
                self._runtime.sleep(pause)
        self._wind_up()

    def look(self) -> None:
        """The supervisor has something to say: new orders end a fetch that waits. Safe in a signal handler."""
        if self._book.revision != self._orders_revision:
            self._store.interrupt()

    def stop(self) -> None:
        """Take no new work; the running task goes on. Safe in a signal handler."""
        self._stopping = True
        self._store.interrupt()
        self._lane.wake()

    def _wind_up(self) -> None:
        self.on_winding_up()
        self.give_back()
        self._flush_patiently()
        while not self._lane.idle():
            self._lane.wait_for_room(_ROOM_WAIT_S)
            self._runtime.sleep(0.01)
            self._flush_patiently()
        self._flush_patiently()
        if self._emission is not None:
            self._emission.close()
        self._lane.close()
        self._store.close()

    # For the tender, from its own thread.

    def give_back(self) -> None:
        """Return what has not begun to the front of its queue."""
        while True:
            try:
                delivery = self._backlog.popleft()
            except IndexError:
                return
            self._settler.add(Settlement(tag=delivery.tag, fate=Requeue()))

    def flush(self) -> None:
        """Settle what has ended."""
        self._settler.flush()

    @property
    def has_loose_ends(self) -> bool:
        """Whether something is finished and not settled, or leased and not begun."""
        return bool(self._backlog) or len(self._settler) > 0

    def _flush_patiently(self) -> None:
        """Flush; when the store does not answer, leave it to the next flush."""
        try:
            self._settler.flush()
        except OperationalError as error:
            log.warning("%s; results are kept until it does", error, extra={"event": "store-lost"})


def _nothing() -> None:
    """Nobody wants to know."""
