"""Read a worker's log: which lines are about tasks, and what became of each task.

In a job's life: long after it, when somebody asks a file. Understood are our lines, plain and JSON, and Celery's, with or without
colours. Pure. Does not know: files.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

from msgspec import Struct

Kind = Literal["received", "succeeded", "failed", "retried", "ended", "other", "trace"]
"""``ended``: neither well nor badly, such as revoked. ``other``: not about a task. ``trace``: not the beginning of an entry."""

_COLOR: Final = re.compile(r"\x1b\[[0-9;]*m")
_ENTRY: Final = re.compile(r"\[\d{4}-\d\d-\d\d [^\]]*\] (.*)", re.DOTALL)
_TASK: Final = re.compile(r"(Received task: |Discarding revoked task: (?:Task )?|Task )(\S+?)\[([^\]\s]+)\]:? ?(.*)", re.DOTALL)
_LATE: Final = re.compile(r"Hard time limit \([^)]*\) exceeded for (\S+?)\[([^\]\s]+)\]")
_ENDS: Final[tuple[tuple[str, Kind], ...]] = (
    ("received", "received"),
    ("succeeded", "succeeded"),
    ("retry", "retried"),
    ("raised", "failed"),
    ("failed", "failed"),
    ("INTERNAL ERROR", "failed"),
    ("from queue", "failed"),
    ("ignored", "ended"),
    ("rejected", "ended"),
)
"""How what is said of a task begins, and what that means."""


class Entry(Struct, frozen=True):
    """One line of a log."""

    kind: Kind
    text: str
    """As it stands there, without its end and its colours."""
    task: str = ""
    id: str = ""


def read(lines: Iterable[str]) -> Iterator[Entry]:
    """Understand each line."""
    for line in lines:
        text = _COLOR.sub("", line).rstrip("\r\n")
        message, trace = _message_of(text)
        if message is None:
            yield Entry("trace", text)
        else:
            kind, task, id = _told(message)
            yield Entry(kind, text, task, id)
        yield from (Entry("trace", one) for one in trace)


def _message_of(text: str) -> tuple[str | None, list[str]]:
    """Return what an entry says, and the lines of its traceback if it has them inside; no message: the line begins no entry."""
    if text.startswith("{"):
        try:
            said: Any = json.loads(text)
        except ValueError:
            return None, []
        if isinstance(said, dict) and isinstance(said.get("message"), str):
            return said["message"], str(said.get("exception") or "").splitlines()
        return None, []
    found = _ENTRY.match(text)
    return (found.group(1), []) if found is not None else (None, [])


def _told(message: str) -> tuple[Kind, str, str]:
    if (late := _LATE.match(message)) is not None:
        return "failed", late.group(1), late.group(2)
    found = _TASK.match(message)
    if found is None:
        return "other", "", ""
    before, task, id, rest = found.groups()
    if before.startswith("Received"):
        return "received", task, id
    if before.startswith("Discarding"):
        return "ended", task, id
    kind = next((kind for beginning, kind in _ENDS if rest.startswith(beginning)), None)
    return ("other", "", "") if kind is None else (kind, task, id)


class Tally:
    """What became of the tasks of a log."""

    def __init__(self) -> None:
        self.last: dict[str, Entry] = {}
        """Id of a task -> what was said of it last."""
        self.retries = 0
        self.traces = 0

    def add(self, entry: Entry) -> None:
        """Note one line."""
        self.traces += entry.kind == "trace"
        self.retries += entry.kind == "retried"
        # Lines of several processes come as they are written: an end may stand before its beginning.
        if entry.id and not (entry.kind == "received" and self._ended(entry.id)):
            self.last[entry.id] = entry

    def _ended(self, id: str) -> bool:
        return id in self.last and self.last[id].kind in {"succeeded", "failed", "ended"}

    def incomplete(self) -> list[Entry]:
        """Return the last line about each task whose end is not told."""
        return [entry for id, entry in self.last.items() if not self._ended(id)]

    def counts(self) -> dict[str, int]:
        """Return how many tasks there were, and how they ended."""
        kinds = Counter(entry.kind for entry in self.last.values())
        return {
            "total": len(self.last),
            "completed": len(self.last) - len(self.incomplete()),
            "succeeded": kinds["succeeded"],
            "errors": kinds["failed"],
            "retries": self.retries,
        }

    def tasks(self) -> dict[str, dict[str, int]]:
        """Return the same for each name, the most frequent first."""
        names = Counter(entry.task for entry in self.last.values())
        ends = Counter((entry.task, entry.kind) for entry in self.last.values())
        return {
            name: {"total": count, "succeeded": ends[name, "succeeded"], "errors": ends[name, "failed"]}
            for name, count in names.most_common()
        }
