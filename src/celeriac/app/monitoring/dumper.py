"""Dumper: print events as they happen, a line each, to read or to pipe.

In an event's life: receiver -> **on_event**. Text from events is shown without what could write lines of its own. Form of the
lines: Celery's ``celery events --dump``. Does not know: where events come from.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, TextIO

from celeriac.app.current import app_or_default
from celeriac.core.representation import safe_repr
from celeriac.events.newest import Newest
from celeriac.events.types import Event

HUMAN_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"worker-offline": "shutdown", "worker-online": "started", "worker-heartbeat": "heartbeat"}
)
TASK_NAMES: Final[Newest[str]] = Newest(0xFFF)
"""Id -> how a task was introduced: later events of it name only its id."""


def humanize_type(type: str) -> str:
    """Return a type as people read it.

    >>> humanize_type("worker-online"), humanize_type("task-failed")
    ('started', 'task failed')
    """
    return HUMAN_TYPES.get(type.lower()) or type.lower().replace("-", " ")


class Dumper:
    """Prints events."""

    def __init__(self, out: TextIO | None = None, *, as_json: bool = False) -> None:
        """Print to ``out``, standard output unless told otherwise; ``as_json``: each event as an object on a line."""
        self.out, self._as_json = out or sys.stdout, as_json

    def say(self, msg: str) -> None:
        """Print a line at once."""
        print(msg, file=self.out, flush=True)

    def on_event(self, ev: Event) -> None:
        """Print an event."""
        if self._as_json:
            return self.say(json.dumps(ev, default=safe_repr))
        event = dict(ev)
        timestamp = datetime.fromtimestamp(event.pop("timestamp", None) or 0, UTC)
        type, hostname = event.pop("type").lower(), _plain(event.pop("hostname", "?"))
        if type.startswith("task-"):
            return self.format_task_event(hostname, timestamp, type, self._task(type, event), event)
        fields = _fields(event)
        return self.say(f"{hostname} [{timestamp}] {_plain(humanize_type(type))}{':' if fields else ''} {fields}")

    def _task(self, type: str, event: Event) -> str:
        uuid = str(event.pop("uuid", "?"))
        if type not in ("task-received", "task-sent"):
            introduced: str = TASK_NAMES.get(uuid, "")
            return introduced
        parts = (_plain(event.pop(name, None)) for name in ("name", "args", "kwargs"))
        task = TASK_NAMES[uuid] = "{}({}) args={} kwargs={}".format(next(parts), _plain(uuid), *parts)
        return task

    def format_task_event(self, hostname: str, timestamp: Any, type: str, task: str, event: Mapping[str, Any]) -> None:
        """Print an event of a task, which was introduced as ``task``."""
        fields = _fields(event)
        self.say(f"{hostname} [{timestamp}] {_plain(humanize_type(type))}{':' if fields else ''} {task} {fields}")


def _fields(event: Mapping[str, Any]) -> str:
    return ", ".join(f"{_plain(key)}={_plain(event[key])}" for key in sorted(event))


def _plain(value: Any) -> str:
    """Show a value on one line, without what a terminal would obey."""
    text = value if isinstance(value, str) else safe_repr(value)
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def evdump(app: Any = None, out: TextIO | None = None) -> None:
    """Print the events of an app's fleet until interrupted. A connection that breaks is renewed.

    Raises:
        OperationalError: the broker does not answer at the beginning.
    """
    app, dumper = app_or_default(app), Dumper(out)
    dumper.say("-> evdump: starting capture...")
    try:
        app.events.Receiver(app.connection_for_read(), handlers={"*": dumper.on_event}).capture()
    except (KeyboardInterrupt, SystemExit):
        return
