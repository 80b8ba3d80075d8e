"""What the suite needs of a driver, and the words in which its tests speak.

Stands beside the tests of this folder, which use nothing but this file and the contract. Does not know: any driver.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from celeriac.abc import Lessee, Runtime, Store
from celeriac.core.message import Delivery, Outgoing, Parcel
from celeriac.core.settlement import DeadLetter, Done, Requeue, Settlement, StoredResult

HOUR_S = 3600.0
"""Longer than any test."""
PATIENCE_S = 20.0
"""After this long, what ought to have happened has not."""
GLANCE_S = 0.05
"""How long a test looks at something that should not happen."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A driver under test. Its storage is empty at the start of each test."""

    store: Store
    runtime: Runtime
    """The clock of the store and the source of ids."""
    advance: Callable[[float], None]
    """Let seconds pass. A store that lives by a real clock really waits: ``time.sleep``."""
    another: Callable[[], Store]
    """Return a second object on the same storage, as another process has it; or the same where there can be no other."""
    inject: Callable[[str, bytes], None]
    """Put any bytes at the back of a queue, as a program would that knows nothing of us."""
    lose_next_answer: Callable[[], None] | None = None
    """Let the next fetch of ``store`` lease what it finds and raise BrokerUnreachable. ``None``: the test is skipped."""
    lease_s: float = 30.0
    """The lease of nodes that die, and the life of what expires. Where the clock is real: about 0.3."""
    processes: bool = True
    """A forked process sees the same storage."""
    one_step: bool = True
    """Broker and results are one: a settlement may also replace a FAILURE by a state that is not final. ``False``: a Pair."""

    def later(self, seconds: float) -> datetime:
        """Return the moment that is so many seconds away."""
        return self.runtime.now() + timedelta(seconds=seconds)


class Contract:
    """The root of all chapters of the suite: a driver's test class overrides ``subject``."""

    @pytest.fixture
    def subject(self) -> Subject:
        """Return the driver under test, with empty storage."""
        raise NotImplementedError("override the fixture 'subject' in your test class")

    @pytest.fixture
    def store(self, subject: Subject) -> Store:
        """Return the store under test."""
        return subject.store

    @pytest.fixture
    def me(self, store: Store) -> Lessee:
        """Return a child of a node that outlives the test."""
        return alive(store, "node-1")

    @pytest.fixture
    def heir(self, me: Lessee) -> Lessee:
        """Return one who may adopt what ``me`` holds at any time: he is of the same node."""
        return Lessee(me.node, "heir")

    @pytest.fixture
    def other(self, store: Store) -> Lessee:
        """Return a child of another node that outlives the test."""
        return alive(store, "node-2")


def alive(store: Store, node: str, *, lease_s: float = HOUR_S) -> Lessee:
    """Let ``node`` say that it is alive; return a child of it."""
    store.keep(node, name=f"celery@{node}", info={}, queues=["q"], lease_s=lease_s)
    return Lessee(node, "child-1")


def an_outgoing(
    id: str, *, queue: str = "q", priority: int = 0, eta: datetime | None = None, body: bytes = b"[[], {}, {}]"
) -> Outgoing:
    """Return a message as a producer hands it to a store."""
    headers = {"lang": "py", "task": "shop.charge", "id": id, "argsrepr": "('Zoë',)"}
    parcel = Parcel(body=body, content_type="application/json", content_encoding="utf-8", headers=headers)
    return Outgoing(parcel=parcel, queue=queue, routing_key=queue, priority=priority, eta=eta)


def a_result(id: str, *, state: str = "SUCCESS", value: int = 1, ttl_s: float | None = HOUR_S) -> StoredResult:
    """Return a state as a result backend is given it: the body is a task meta in Celery's stored form."""
    body = f'{{"status": "{state}", "result": {value}, "traceback": null, "children": [], "task_id": "{id}"}}'
    return StoredResult(id, state, body.encode(), ttl_s)


def done(delivery: Delivery, *, result: StoredResult | None = None, followups: tuple[Outgoing, ...] = ()) -> Settlement:
    """Return the settlement of a run that ended well."""
    return Settlement(tag=delivery.tag, fate=Done(), result=result, followups=followups)


def back(delivery: Delivery, replacement: Outgoing | None = None) -> Settlement:
    """Return the settlement of a delivery that goes back to its queue."""
    return Settlement(tag=delivery.tag, fate=Requeue(replacement))


def dead(delivery: Delivery, *, reason: str = "rejected") -> Settlement:
    """Return the settlement of a delivery that goes to the dead letters."""
    return Settlement(
        tag=delivery.tag, fate=DeadLetter(reason, "It was not wanted.", task="shop.charge", task_id=id_of(delivery))
    )


def id_of(delivery: Delivery) -> str:
    """Return the task id of a delivery; ``""`` when it cannot be read."""
    return str(delivery.parcel.headers["id"]) if isinstance(delivery.parcel, Parcel) else ""


def take(store: Store, lessee: Lessee, *, limit: int = 100, queues: tuple[str, ...] = ("q",)) -> list[Delivery]:
    """Fetch without waiting."""
    return list(store.fetch(queues, lessee=lessee, limit=limit, wait_s=0).deliveries)


def take_ids(store: Store, lessee: Lessee, *, limit: int = 100, queues: tuple[str, ...] = ("q",)) -> list[str]:
    """Fetch without waiting; return the ids."""
    return [id_of(delivery) for delivery in take(store, lessee, limit=limit, queues=queues)]


def ended(*futures: Future[Any]) -> bool:
    """Look for a moment whether all of them have ended."""
    return not wait(futures, timeout=GLANCE_S).not_done


def nudge_until_ended(nudge: Callable[[], object], *futures: Future[Any]) -> None:
    """Do something again and again until all futures have ended, or fail."""
    for _ in range(int(PATIENCE_S / GLANCE_S)):
        nudge()
        if ended(*futures):
            return
    pytest.fail(f"it had not ended after {PATIENCE_S} s")
