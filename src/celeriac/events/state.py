"""State: a fleet as its events tell it: nodes, and the newest tasks.

In an event's life: receiver -> **event** -> Worker and Task. Monitors ask it, or are called with each event. Its size is bounded
whatever is heard: the oldest tasks and nodes are forgotten first, and with them the names by which they were found. Safe in any
thread; ``freeze_while`` lets nothing change meanwhile. It can be pickled. Names and meanings: Celery's reference of
``celery.events.state``. Does not know: where events come from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import RLock
from typing import Any, Generic, TypeVar
from weakref import WeakSet, ref

from celeriac.core import states
from celeriac.events.newest import Newest
from celeriac.events.tasks import Task as KnownTask
from celeriac.events.timeline import Moment, Timeline, moment_of
from celeriac.events.types import Event
from celeriac.events.workers import Worker as KnownWorker

T = TypeVar("T")
Rows = Iterator[tuple[str, KnownTask]]
Answer = tuple[Any, str]
"""What an event was about, and what comes after the dash of its type."""


class Index(defaultdict[str, "WeakSet[KnownTask]"], Generic[T]):
    """Tasks by a name: ``index[name]`` in no order, ``index(name)`` in that of their events."""

    def __init__(self, ordered: Callable[..., Rows], found: Mapping[str, Iterable[KnownTask]]) -> None:
        super().__init__(WeakSet, {name: WeakSet(tasks) for name, tasks in found.items()})
        self._ordered = ordered

    def __call__(self, name: str, limit: int | None = None, reverse: bool = True) -> Rows:
        """Yield ids and tasks."""
        return self._ordered(name, limit, reverse)

    def drop(self, name: str | None, task: KnownTask) -> None:
        """Forget a task, and the name when it was the last."""
        if name is not None and name in self:
            self[name].discard(task)
            if not self[name]:
                del self[name]


class State:
    """What is known of a fleet."""

    Worker: type[KnownWorker] = KnownWorker
    Task: type[KnownTask] = KnownTask
    heap_multiplier = 4
    """Events that are kept in order for each task."""

    def __init__(
        self,
        callback: Callable[[State, Event], object] | None = None,
        workers: Newest[KnownWorker] | None = None,
        tasks: Newest[KnownTask] | None = None,
        taskheap: Iterable[Moment] | None = None,
        max_workers_in_memory: int = 5000,
        max_tasks_in_memory: int = 10000,
        on_node_join: Callable[[KnownWorker], object] | None = None,
        on_node_leave: Callable[[KnownWorker], object] | None = None,
        tasks_by_type: Mapping[str, Iterable[str]] | None = None,
        tasks_by_worker: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """Know nothing yet.

        Args:
            callback: Called with this object and each event, before anything is made of it.
            workers: Nodes to begin with, by their names.
            tasks: Tasks to begin with, by their ids.
            taskheap: Their moments; they are made anew.
            max_workers_in_memory: Nodes that are remembered, the newest.
            max_tasks_in_memory: Tasks that are remembered, the newest.
            on_node_join: Called with a node that was not known, or has started.
            on_node_leave: Called with a node that has stopped.
            tasks_by_type: Name of a task -> ids.
            tasks_by_worker: Name of a node -> ids.
        """
        del taskheap
        self.event_callback, self.on_node_join, self.on_node_leave = callback, on_node_join, on_node_leave
        self.max_workers_in_memory, self.max_tasks_in_memory = max_workers_in_memory, max_tasks_in_memory
        self.event_count = self.task_count = 0
        """Events that were heard, and tasks that were received."""
        self.handlers: dict[str, Callable[[str, Event], Any]] = {}
        """Group -> what is called with the events of that group instead: ``shop``, of ``shop-order-paid``."""
        self._mutex = RLock()
        self.workers: Newest[KnownWorker] = Newest(max_workers_in_memory) if workers is None else workers
        self.tasks: Newest[KnownTask] = Newest(max_tasks_in_memory) if tasks is None else tasks
        self.tasks._forgotten = self._forget
        for task in self.tasks.values():
            task.cluster_state = self
        self._seen_types: Newest[None] = Newest(max_tasks_in_memory)
        self._orphans: Newest[WeakSet[KnownTask]] = Newest(max_tasks_in_memory)
        """Id of a task that was not heard of -> tasks that it has sent."""
        self.tasks_by_type: Index[Any] = Index(self._by_type, self._found(tasks_by_type))
        """Tasks by their names."""
        self.tasks_by_worker: Index[Any] = Index(self._by_worker, self._found(tasks_by_worker))
        """Tasks by the names of the nodes that have to do with them."""
        self._taskheap = Timeline(max_tasks_in_memory * self.heap_multiplier)
        self.rebuild_taskheap()

    def _found(self, ids: Mapping[str, Iterable[str]] | None) -> Mapping[str, Iterable[KnownTask]]:
        return {name: [self.tasks[id] for id in some if id in self.tasks] for name, some in (ids or {}).items()}

    # ---- what happens ------------------------------------------------------------------------------------------

    def event(self, event: Event) -> Answer | None:
        """Take note of an event; return the node or task that it is about, with whether that is new, and the rest of its type."""
        with self._mutex:
            self.event_count += 1
            if self.event_callback is not None:
                self.event_callback(self, event)
            group, _, subject = event["type"].partition("-")
            if group in self.handlers:
                return self.handlers[group](subject, event), subject
            if group == "worker" and event.get("hostname"):
                return self._worker_event(subject, event), subject
            if group == "task" and event.get("uuid") and event.get("hostname"):
                return self._task_event(subject, event), subject
            return None

    def _worker_event(self, subject: str, event: Event) -> tuple[KnownWorker, bool]:
        hostname, is_offline = event["hostname"], subject == "offline"
        worker = self.workers.get(hostname)
        created = worker is None and not is_offline
        if worker is None:
            worker = self.Worker(hostname)
            if not is_offline:
                self.workers[hostname] = worker
        worker.event(subject, event.get("timestamp"), event.get("local_received"), event)
        if self.on_node_join is not None and (created or subject == "online"):
            self.on_node_join(worker)
        if is_offline:
            if self.on_node_leave is not None:
                self.on_node_leave(worker)
            self.workers.pop(hostname, None)
        return worker, created

    def _task_event(self, subject: str, event: Event) -> tuple[KnownTask, bool]:
        uuid, hostname = event["uuid"], event["hostname"]
        task, created = self.get_or_create_task(uuid)
        before = task.worker
        if subject == "sent":
            task.client = hostname
        else:
            task.worker, _ = self.get_or_create_worker(hostname)
            task.worker.event(None, event.get("timestamp"), event.get("local_received"))
        if subject == "received":
            self.task_count += 1
        task.event(subject, event.get("timestamp"), event.get("local_received"), event)
        self._taskheap.note(self._moment(task, event))
        self._file(task, before)
        self._relate(task)
        return task, created

    def _moment(self, task: KnownTask, event: Event) -> Moment:
        return Moment(event.get("clock") or 0, event.get("timestamp") or 0.0, str(task.origin), ref(task))

    def _file(self, task: KnownTask, before: KnownWorker | None) -> None:
        """Have it found by its name and its node."""
        if task.name is not None:
            self._seen_types[task.name] = None
            self.tasks_by_type[task.name].add(task)
        if task.worker is not None and task.worker.hostname is not None:
            if before is not None and before.hostname != task.worker.hostname:
                self.tasks_by_worker.drop(before.hostname, task)
            self.tasks_by_worker[task.worker.hostname].add(task)

    def _relate(self, task: KnownTask) -> None:
        """Make it a child of the task that sent it, and those children its own that were heard of before."""
        if task.parent_id is not None:
            parent = self.tasks.get(task.parent_id)
            if parent is not None:
                parent.children.add(task)
            else:
                waiting = self._orphans.get(task.parent_id)
                if waiting is None:
                    waiting = self._orphans[task.parent_id] = WeakSet()
                waiting.add(task)
        if task.uuid is not None:
            task.children.update(self._orphans.pop(task.uuid, ()))

    def _forget(self, task: KnownTask) -> None:
        """It made room for a newer one."""
        self.tasks_by_type.drop(task.name, task)
        if task.worker is not None:
            self.tasks_by_worker.drop(task.worker.hostname, task)

    def task_event(self, type_: str, fields: Event) -> Any:
        """Take note of ``task-<type_>``; of old: ``event`` does it."""
        answer = self.event({**fields, "type": f"task-{type_}"})
        return answer and answer[0]

    def worker_event(self, type_: str, fields: Event) -> Any:
        """Take note of ``worker-<type_>``; of old: ``event`` does it."""
        answer = self.event({**fields, "type": f"worker-{type_}"})
        return answer and answer[0]

    def get_or_create_worker(self, hostname: str, **kwargs: Any) -> tuple[KnownWorker, bool]:
        """Return the node of this name, and whether it is new; ``kwargs`` are set on it."""
        worker = self.workers.get(hostname)
        if worker is not None:
            worker.update(kwargs)
            return worker, False
        worker = self.workers[hostname] = self.Worker(hostname, **kwargs)
        return worker, True

    def get_or_create_task(self, uuid: str) -> tuple[KnownTask, bool]:
        """Return the task of this id, and whether it is new."""
        task = self.tasks.get(uuid)
        if task is not None:
            return task, False
        task = self.tasks[uuid] = self.Task(uuid, cluster_state=self)
        return task, True

    # ---- what is known -----------------------------------------------------------------------------------------

    def freeze_while(self, fun: Callable[..., T], *args: Any, clear_after: bool = False, **kwargs: Any) -> T:
        """Return what ``fun`` returns; until then nothing changes. ``clear_after``: then forget what has ended."""
        with self._mutex:
            try:
                return fun(*args, **kwargs)
            finally:
                if clear_after:
                    self.clear()

    def clear_tasks(self, ready: bool = True) -> None:
        """Forget the tasks that have ended; with ``ready`` off, all of them."""
        with self._mutex:
            going = [(id, task) for id, task in self.tasks.items() if ready and task.state not in states.READY_STATES]
            self.tasks.replace(going)
            for index, name_of in ((self.tasks_by_type, _name), (self.tasks_by_worker, _host)):
                index.clear()
                for _, task in going:
                    name = name_of(task)
                    if name is not None:
                        index[name].add(task)
            self.rebuild_taskheap()

    def clear(self, ready: bool = True) -> None:
        """Forget nodes, counts, and the tasks that have ended; with ``ready`` off, all tasks."""
        with self._mutex:
            self.workers.clear()
            self.clear_tasks(ready)
            self.event_count = self.task_count = 0

    def rebuild_taskheap(self) -> None:
        """Put the tasks that are known in their order anew."""
        with self._mutex:
            self._taskheap[:] = sorted(moment_of(task) for task in self.tasks.values())

    def itertasks(self, limit: int | None = None) -> Rows:
        """Yield up to ``limit`` ids and tasks, those first that were heard of first."""
        for count, row in enumerate(self.tasks.items(), 1):
            yield row
            if limit and count >= limit:
                break

    def tasks_by_time(self, limit: int | None = None, reverse: bool = True) -> Rows:
        """Yield up to ``limit`` ids and tasks, those first whose last event is the latest; ``reverse`` off: the earliest."""
        with self._mutex:
            return self._taskheap.tasks(limit, latest_first=reverse)

    tasks_by_timestamp = tasks_by_time

    def _by_type(self, name: str, limit: int | None = None, reverse: bool = True) -> Rows:
        return _first(limit, (row for row in self.tasks_by_time(reverse=reverse) if row[1].name == name))

    def _by_worker(self, hostname: str, limit: int | None = None, reverse: bool = True) -> Rows:
        return _first(limit, (row for row in self.tasks_by_time(reverse=reverse) if _host(row[1]) == hostname))

    def task_types(self) -> list[str]:
        """Return the names of tasks that were heard of."""
        return sorted(self._seen_types)

    def alive_workers(self) -> Iterator[KnownWorker]:
        """Yield the nodes that have given a sign of life lately."""
        return (worker for worker in self.workers.values() if worker.alive)

    def __reduce__(self) -> tuple[Any, ...]:
        with self._mutex:
            return type(self), (
                self.event_callback, self.workers, self.tasks, None, self.max_workers_in_memory, self.max_tasks_in_memory,
                self.on_node_join, self.on_node_leave, _ids(self.tasks_by_type), _ids(self.tasks_by_worker),
            )  # fmt: skip

    def __repr__(self) -> str:
        return f"<State: events={self.event_count} tasks={self.task_count}>"


def _name(task: KnownTask) -> str | None:
    return task.name


def _host(task: KnownTask) -> str | None:
    return None if task.worker is None else task.worker.hostname


def _ids(index: Mapping[str, Iterable[KnownTask]]) -> dict[str, list[str | None]]:
    return {name: [task.uuid for task in tasks] for name, tasks in index.items()}


def _first(limit: int | None, rows: Rows) -> Rows:
    for count, row in enumerate(rows, 1):
        yield row
        if limit is not None and count >= limit:
            break
