"""``Scheduler``: decides what is due by asking its entries, one after the other, and sends it.

In a tick's life: ``tick`` -> the first entry of the heap -> ``is_due`` -> ``reserve`` -> ``apply_entry`` -> ``apply_async``. Each
is a method that a subclass, or a tool that watches periodic tasks, may replace. Beats run one while it leads (``leading.py``).
Source: Celery's reference of ``celery.beat``. Does not know: timetables, who leads.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from datetime import UTC
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Any, ClassVar, Final

from celeriac.app.periodic.lazily import arguments_now
from celeriac.app.periodic.sending import BEAT_HEADER
from celeriac.app.schedules import crontab
from celeriac.beat.classic.entry import ScheduleEntry, SchedulingError, event_t

log = logging.getLogger("celeriac.beat")

DEFAULT_MAX_INTERVAL: Final = 300
"""Seconds."""
_PRIORITY: Final = 5


class Scheduler:
    """Keeps entries in a mapping. A subclass keeps them elsewhere.

    Args:
        app: Whose tasks are sent.
        schedule: Entries by their names, or a function that returns them.
        max_interval: Longest pause between two ticks, seconds. ``None``: as the settings say, else that of the class.
        Producer: Class of ``producer``.
        lazy: Nobody wants to send anything: do not set the schedule up.
        sync_every_tasks: Write after so many tasks. ``None``: as the settings say.
        kwargs: For subclasses.
    """

    Entry: ClassVar[Any] = ScheduleEntry
    max_interval: float = DEFAULT_MAX_INTERVAL
    sync_every: float = 3 * 60
    """Seconds between two writings."""
    sync_every_tasks: int | None = None
    logger = log
    _last_sync: float | None = None
    _tasks_since_sync: int = 0

    def __init__(
        self,
        app: Any,
        schedule: Any = None,
        max_interval: float | None = None,
        Producer: Any = None,  # noqa: N803 - Celery's name
        lazy: bool = False,
        sync_every_tasks: int | None = None,
        **kwargs: Any,
    ) -> None:
        del kwargs
        self.app = app
        self.data: Any = schedule() if callable(schedule) else {} if schedule is None else schedule
        self.max_interval = max_interval or app.conf.beat_max_loop_interval or self.max_interval
        self.Producer = Producer or app.amqp.Producer
        self._heap: list[Any] | None = None
        self.old_schedulers: Any = None
        self.sync_every_tasks = app.conf.beat_sync_every if sync_every_tasks is None else sync_every_tasks
        if not lazy:
            self.setup_schedule()

    # ---- the entries -------------------------------------------------------------------------------------------

    def get_schedule(self) -> Any:
        """Return the entries by their names."""
        return self.data

    def set_schedule(self, schedule: Any) -> None:
        """Have other entries."""
        self.data = schedule

    schedule = property(lambda self: self.get_schedule(), lambda self, entries: self.set_schedule(entries))
    """The entries by their names."""

    def setup_schedule(self) -> None:
        """Get the entries; called once, unless the scheduler is lazy."""
        self.install_default_entries(self.data)
        self.merge_inplace(self.app.conf.beat_schedule)

    def install_default_entries(self, data: Mapping[str, Any]) -> None:
        """Add the entry that tidies up a result backend which does not do so by itself."""
        name = "celery.backend_cleanup"
        if name in data or not self.app.conf.result_expires or not self.app.keeps_results:
            return
        if not self.app.backend.supports_autoexpire:
            options = {"expires": 12 * 3600}
            self.update_from_dict({name: {"task": name, "schedule": crontab("0", "4", "*"), "options": options}})

    def add(self, **kwargs: Any) -> Any:
        """Add an entry, and return it."""
        entry = self.Entry(app=self.app, **kwargs)
        self.schedule[entry.name] = entry
        return entry

    def update_from_dict(self, dict_: Mapping[str, Any]) -> None:
        """Add entries that are described as in ``beat_schedule``."""
        self.schedule.update({name: self._maybe_entry(name, entry) for name, entry in dict_.items()})

    def merge_inplace(self, b: Mapping[str, Any]) -> None:
        """Have the entries of ``b``, described as in ``beat_schedule``, and no others. What has become of an entry is kept."""
        entries = self.schedule
        for name in set(entries) - set(b):
            del entries[name]
        for name, given in b.items():
            entry = self.Entry(**{**dict(given), "name": name, "app": self.app})
            if entries.get(name):
                entries[name].update(entry)
            else:
                entries[name] = entry

    def _maybe_entry(self, name: str, entry: Any) -> Any:
        if isinstance(entry, self.Entry):
            entry.app = self.app
            return entry
        return self.Entry(**{**dict(entry), "name": name, "app": self.app})

    def schedules_equal(self, old_schedules: Any, new_schedules: Any) -> bool:
        """Say whether these are the same entries, in all that people change of them."""
        if old_schedules is None or new_schedules is None:
            return old_schedules is new_schedules
        if old_schedules.keys() != new_schedules.keys():
            return False
        return all(new_schedules.get(name) == entry for name, entry in old_schedules.items())

    # ---- ticking -----------------------------------------------------------------------------------------------

    def tick(
        self,
        event_t: Any = event_t,
        min: Callable[..., float] = min,
        heappop: Callable[[list[Any]], Any] = heappop,
        heappush: Callable[[list[Any], Any], None] = heappush,
    ) -> float:
        """Send the first entry, if it is due; return how many seconds later to call again."""
        if self._heap is None or not self.schedules_equal(self.old_schedulers, self.schedule):
            self.old_schedulers = copy.copy(self.schedule)
            self.populate_heap()
        heap = self._heap
        if not heap:
            return self.max_interval
        entry = heap[0][2]
        early_s = heap[0][0] - self._when(entry, 0)
        if early_s > 0:
            return min(early_s, self.max_interval)
        due, again_s = self._asked(entry)
        heappop(heap)
        if due:
            following = self.reserve(entry)
            self.apply_entry(entry, producer=self.producer)
            heappush(heap, event_t(self._when(following, again_s), _PRIORITY, following))
            return 0
        # It changed its mind: those behind it must not wait for it.
        heappush(heap, event_t(self._when(entry, again_s), _PRIORITY, entry))
        return 0 if heap[0][2] is not entry else min(self.adjust(again_s), self.max_interval)

    def populate_heap(self, event_t: Any = event_t, heapify: Callable[[list[Any]], None] = heapify) -> None:
        """Ask every entry when it is due."""
        heap = []
        for entry in self.schedule.values():
            due, again_s = self._asked(entry, of_itself=True)
            heap.append(event_t(self._when(entry, 0 if due else again_s), _PRIORITY, entry))
        heapify(heap)
        self._heap = heap

    def is_due(self, entry: Any) -> Any:
        """Return whether it is time for an entry, and after how many seconds to ask again."""
        return entry.is_due()

    def _asked(self, entry: Any, *, of_itself: bool = False) -> tuple[bool, float]:
        """Ask; one entry that cannot reckon must not stop the others."""
        try:
            due, again_s = entry.is_due() if of_itself else self.is_due(entry)
        except Exception:
            log.exception("beat: the next run of %r cannot be reckoned; asking again in %g s", entry.name, self.max_interval)
            return False, self.max_interval
        return bool(due), again_s if isinstance(again_s, int | float) else self.max_interval

    def adjust(self, n: float, drift: float = -0.010) -> float:
        """Return a pause that is a little shorter, for what the loop itself takes."""
        return n + drift if n and n > 0 else n

    def _when(self, entry: Any, next_time_to_run: float, mktime: Any = None) -> float:
        """Return the moment so many seconds from now, as seconds since 1970."""
        del mktime
        now = entry.default_now()
        aware = now if now.tzinfo is not None else now.replace(tzinfo=UTC)
        return float(aware.timestamp() + (self.adjust(next_time_to_run) or 0))

    def reserve(self, entry: Any) -> Any:
        """Note that an entry is being sent, before it is: should sending fail, it is not tried for ever."""
        following = self.schedule[entry.name] = next(entry)
        return following

    # ---- sending -----------------------------------------------------------------------------------------------

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send the task of an entry; an error is logged."""
        log.info("Scheduler: Sending due task %s (%s)", entry.name, entry.task)
        try:
            result = self.apply_async(entry, producer=producer, advance=False)
        except Exception as error:
            log.exception("beat: %s", error)
        else:
            log.debug("%s sent. id->%s", entry.task, getattr(result, "id", None))

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:
        """Send the task of an entry.

        Args:
            entry: The entry.
            producer: Over which connection.
            advance: Note that it is being sent, first.
            kwargs: For subclasses.

        Raises:
            SchedulingError: it could not be sent.
        """
        del kwargs
        producer = producer or self.__dict__.get("producer")
        if advance:
            entry = self.reserve(entry)
        options = dict(entry.options)
        options["headers"] = {**(options.get("headers") or {}), BEAT_HEADER: True}
        task = self.app.tasks.get(entry.task)
        try:
            args, called = arguments_now(entry.args, entry.kwargs)
            if task is not None:
                return task.apply_async(args, called, producer=producer, **options)
            return self.send_task(entry.task, args, called, producer=producer, **options)
        except Exception as error:
            raise SchedulingError(f"the task of the entry {entry.name} could not be sent: {error}") from error
        finally:
            self._tasks_since_sync += 1
            if self.should_sync():
                self._do_sync()

    def send_task(self, *args: Any, **kwargs: Any) -> Any:
        """Send a task that the app does not know."""
        return self.app.send_task(*args, **kwargs)

    @cached_property
    def connection(self) -> Any:
        """What tasks are sent over."""
        return self.app.connection_for_write()

    @cached_property
    def producer(self) -> Any:
        """The same, as ``apply_async`` takes it."""
        return self.Producer(self._ensure_connected())

    def _ensure_connected(self) -> Any:
        return self.connection

    # ---- remembering -------------------------------------------------------------------------------------------

    def should_sync(self) -> bool:
        """Say whether it is time to write."""
        late = self._last_sync is None or self.app.runtime.monotonic() - self._last_sync > self.sync_every
        return bool(late or (self.sync_every_tasks and self._tasks_since_sync >= self.sync_every_tasks))

    def _do_sync(self) -> None:
        try:
            log.debug("beat: Synchronizing schedule...")
            self.sync()
        finally:
            self._last_sync = self.app.runtime.monotonic()
            self._tasks_since_sync = 0

    def sync(self) -> None:
        """Write what has become of the entries: for subclasses."""

    def close(self) -> None:
        """Write, and let go of the connection."""
        try:
            self.sync()
        finally:
            self.__dict__.pop("producer", None)
            connection = self.__dict__.pop("connection", None)
            if connection is not None:
                connection.release()

    @property
    def info(self) -> str:
        """What ``beat`` shows of it at its start."""
        return ""
