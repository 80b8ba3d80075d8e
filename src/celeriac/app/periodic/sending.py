"""From an entry to the messages of one tick, without publishing them: the timetable does, in the step that moves the entry.

In a tick's life: decision -> **here** -> ``Change``. A task is called as any program calls it, by ``apply_async``, over a
connection that keeps what it is given: so routes, options, signals, and a task's own ``apply_async`` hold for ticks, too.
Does not know: schedules, timetables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from celeriac.abc import PUBLISH_DEADLINE_S
from celeriac.app.group_result import GroupResult
from celeriac.app.periodic.entry import Entry
from celeriac.app.periodic.lazily import arguments_now
from celeriac.app.signature import Signature
from celeriac.core.message import Outgoing

BEAT_HEADER = "celery_beat_task"
"""Celery's mark of what a beat has sent."""
ENTRY_HEADER, DUE_HEADER = "celeriac-entry", "celeriac-due"
"""Name of the entry, and the moment of its schedule (ISO 8601, UTC): ``self.request.headers`` of the task has them."""


class Collector:
    """Stands where a connection stands. What is published is kept; all else is the real store's."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.messages: list[Outgoing] = []

    @property
    def store(self) -> Collector:
        """What a producer publishes to."""
        return self

    def publish(self, messages: Sequence[Outgoing], *, deadline_s: float = PUBLISH_DEADLINE_S) -> None:
        """Keep them."""
        del deadline_s
        self.messages += messages

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def tick_id(timetable: str, entry: Entry, due: datetime, runs: int) -> str:
    """Return the id of a tick's task: the same, whoever sends it."""
    return str(uuid5(NAMESPACE_OID, f"{timetable}\n{entry.name}\n{due.isoformat()}\n{runs}"))


Send = Callable[[Any, Entry, Mapping[str, Any], Collector], None]
"""Sends the task of an entry, with these options, over a collector."""


def messages_of(app: Any, entry: Entry, *, id: str, due: datetime, send: Send | None = None) -> tuple[list[Outgoing], str]:
    """Return what a tick sends, and the id of its task.

    Args:
        app: Whose task it is.
        entry: What is sent.
        id: Of the task, unless the entry says another.
        due: The moment of its schedule.
        send: Sends it in another way than by ``apply_async``.

    Raises:
        Exception: whatever ``apply_async`` raises.
    """
    collector = Collector(app.store)
    args, kwargs = arguments_now(entry.args, entry.kwargs)
    options = dict(entry.options)
    marks = {BEAT_HEADER: True, ENTRY_HEADER: entry.name, DUE_HEADER: due.isoformat()}
    options["headers"] = {**(options.get("headers") or {}), **marks}
    if entry.overlap == "skip":
        # Whether it has ended is seen from its result.
        options["ignore_result"] = False
    if entry.subtask_type is not None:
        stored = {"task": entry.task, "args": args, "kwargs": kwargs, "options": {}, "subtask_type": entry.subtask_type}
        result = Signature.from_dict({**stored, "immutable": False}, app).apply_async(producer=collector, **options)
        if entry.overlap == "skip" and isinstance(result, GroupResult):
            result.save()  # a group has no result of its own: who asks whether it has ended must know its members
        return collector.messages, str(result.id)
    options.setdefault("task_id", id)
    if send is not None:
        send(app, entry, options, collector)
        return collector.messages, str(options["task_id"])
    task = app.tasks.get(entry.task)
    call = app.send_task if task is None else task.apply_async
    named = (entry.task,) if task is None else ()
    result = call(*named, args, kwargs, producer=collector, **options)
    return collector.messages, str(getattr(result, "id", options["task_id"]))
