"""How late ticks are: many entries whose moments are spread evenly, one beat.

    python benchmarks/ticks.py redis://127.0.0.1:6379/9     # empty this database first
    python benchmarks/ticks.py sqlite:////tmp/ticks.db --entries 20000 --every 20 --seconds 12

Late is a tick by the time from its moment to the end of the call that published it.
"""

from __future__ import annotations

import argparse
import resource
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from celeriac import Celery
from celeriac.app.periodic.stored import state_bytes, state_of
from celeriac.beat.service import Beat
from celeriac.core.schedules.timetable import Change


class Recording:
    """A timetable that notes how late each tick was published."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.late: list[float] = []

    def change(self, changes: Sequence[Change]) -> Sequence[bool]:
        said: Sequence[bool] = self._inner.change(changes)
        now = time.time()
        dues = [message.parcel.headers["celeriac-due"] for change in changes for message in change.messages]
        self.late += [now - datetime.fromisoformat(due).timestamp() for due in dues]
        return said

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def spread(app: Celery, every: float, begin: float) -> None:
    """Let the entries be due evenly from ``begin`` on."""
    timetable, count, after, number = app.schedules.timetable, len(app.schedules), "", 0
    while page := timetable.page(after=after, limit=1000):
        after, changes = page[-1].name, []
        for record in page:
            due = begin + every * number / count
            number += 1
            state = state_bytes(replace(state_of(record.state), tick=due))
            changes.append(Change(name=record.name, seen=record.revision, state=state, due=due))
        timetable.change(changes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--every", type=float, default=20.0, help="seconds")
    parser.add_argument("--seconds", type=float, default=12.0)
    given = parser.parse_args()
    with Celery("ticks", broker=given.url, backend=given.url) as app:
        names = (f"e{number:07}" for number in range(given.entries))
        app.schedules.add_many({"name": name, "task": "ticks.t", "schedule": given.every} for name in names)
        begin = time.time() + 5.0
        spread(app, given.every, begin)
        beat = Beat(app)
        beat.timetable = recording = Recording(beat.timetable)
        time.sleep(max(0.0, begin - time.time()))
        threading.Timer(given.seconds, beat.stop).start()
        beat.run()
    late = sorted(recording.late)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{given.entries} entries, {len(late)} ticks, {len(late) / given.seconds:.0f} a second")
    p50, p99 = (late[len(late) * part // 100] * 1000 for part in (50, 99))
    print(f"late p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {late[-1] * 1000:.0f} ms")
    print(f"memory at most {used.ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
