"""What a node holds at this moment: the tasks that its children run, and those that they have taken and not begun.

In a command's life: behind ``inspect active``, ``reserved``, ``query_task``. The children are not asked: what runs stands in
shared memory, what they hold in the store. Does not know: commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from celeriac.abc import Lessee, Runtime, Store
from celeriac.core import envelope
from celeriac.core.message import Delivery, Message, Parcel, Rejected
from celeriac.core.representation import safe_repr
from celeriac.worker.reading import Reader
from celeriac.worker.slots import mark_of
from celeriac.worker.steered import Run, Steered

SCHEDULED_AT_MOST: Final = 1000
"""The schedule is the fleet's, and has room for millions."""


class Known(Struct, frozen=True):
    """One task that a node holds."""

    id: str
    delivery: Delivery
    message: Message | None
    """``None``: it cannot be read."""
    run: Run | None
    """``None``: it has not begun."""

    @property
    def stamps(self) -> Mapping[str, Any]:
        """Its stamps."""
        return {} if self.message is None else self.message.stamps


class Knowledge:
    """Finds out what a node holds."""

    def __init__(self, node: Steered, store: Store, reader: Reader, runtime: Runtime, hostname: str) -> None:
        self._node, self._store, self._reader, self._runtime, self._hostname = node, store, reader, runtime, hostname

    def held(self) -> list[Known]:
        """Return all that the children hold, in the order in which they took it."""
        runs = {(run.child, run.tag): run for run in self._node.running()}
        return [
            self._known(delivery, runs.get((child, delivery.tag)))
            for child in [lessee.child for lessee in self._node.lessees()]
            for delivery in self._deliveries(child)
        ]

    def active(self) -> list[Known]:
        """Return what runs. Only children that run something are looked into."""
        runs = {(run.child, run.tag): run for run in self._node.running()}
        return [
            self._known(delivery, run)
            for child in dict.fromkeys(child for child, _ in runs)
            for delivery in self._deliveries(child)
            if (run := runs.get((child, delivery.tag))) is not None
        ]

    def scheduled(self, queues: Sequence[str]) -> list[tuple[float, Known]]:
        """Return what waits for its date in the store for these queues, the earliest first, and each one's date."""
        found = self._store.dated(queues, limit=SCHEDULED_AT_MOST)
        return [(each.due, self._known(Delivery(0, each.queue, envelope.unpack(each.raw), each.raw), None)) for each in found]

    def is_running(self, id: str) -> bool:
        """Say whether one of the children runs this task."""
        mark = mark_of(id)
        return any(run.id == mark for run in self._node.running())

    def info(self, known: Known, *, safe: bool = False) -> dict[str, Any]:
        """Return what is shown of a task. ``safe``: its arguments as text."""
        message, run, headers = known.message, known.run, _headers(known.delivery)
        name = message.task if message is not None else str(headers.get("task", ""))
        args: Any = () if message is None else message.args
        kwargs: Any = {} if message is None else message.kwargs
        if safe or message is None:
            args = headers.get("argsrepr") or safe_repr(tuple(args))
            kwargs = headers.get("kwargsrepr") or safe_repr(dict(kwargs))
        return {
            "id": known.id,
            "name": name,
            "args": args,
            "kwargs": kwargs,
            "type": name,
            "hostname": self._hostname,
            "time_start": None if run is None else self._runtime.time() - (self._runtime.monotonic() - run.since),
            "acknowledged": run is not None and not self._acks_late(name),
            "delivery_info": {
                "exchange": "",
                "routing_key": known.delivery.queue,
                "priority": 0 if message is None else message.priority,
                "redelivered": message is not None and message.redelivered,
            },
            "worker_pid": None if run is None else run.pid,
        }

    def _deliveries(self, child: str) -> Iterator[Delivery]:
        # To adopt nothing from one who holds nothing tells what the heir holds.
        nobody = Lessee(self._node.id, f"nobody beside {child}")
        yield from self._store.adopt(nobody, by=Lessee(self._node.id, child), limit=0)

    def _known(self, delivery: Delivery, run: Run | None) -> Known:
        message = self._reader.message(delivery)
        if isinstance(message, Rejected):
            return Known(str(_headers(delivery).get("id", "")), delivery, None, run)
        return Known(message.id, delivery, message, run)

    def _acks_late(self, name: str) -> bool:
        task = self._reader.tasks.get(name)
        return task is not None and bool(task.acks_late)


def _headers(delivery: Delivery) -> Mapping[str, Any]:
    return delivery.parcel.headers if isinstance(delivery.parcel, Parcel) else {}
