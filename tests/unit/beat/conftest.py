"""An app whose clock stands still until a test moves it, with its store and as many schedulers as are wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest

from celeriac import Celery, uuid
from celeriac.abc import Lessee, Timetable, Timetables
from celeriac.app.periodic.entry import State
from celeriac.app.periodic.stored import state_of
from celeriac.beat.roster import enrol, entries_here, tidy
from celeriac.beat.ticking import Ticker
from celeriac.core.message import Parcel
from celeriac.core.schedules.timetable import Record
from celeriac.testing.clock import VirtualRuntime


class Office:
    """One app, its timetable, and whoever works on it."""

    def __init__(self, name: str) -> None:
        self.runtime = VirtualRuntime(seed=5)
        self.app = Celery("office", broker=f"memory://{name}", backend=f"memory://{name}", runtime=self.runtime)
        self.timetable: Timetable = cast("Timetables", self.app.store).timetable("office")
        self._beats = 0

    def beat(self, timetable: Timetable | None = None) -> Ticker:
        """Return one more scheduler, which has brought the settings in."""
        self._beats += 1
        here = entries_here(self.app)
        enrol(self.timetable, here, now=self.runtime.time())
        tidy(self.app, self.timetable, here, now=self.runtime.time())
        return Ticker(self.app, "office", timetable or self.timetable, here, who=f"beat-{self._beats}")

    def pass_time(self, seconds: float, *beats: Ticker, step_s: float = 0.25) -> None:
        """Let time pass; each scheduler looks as often as it wants to, at most every ``step_s``."""
        looks = [0.0 for _ in beats]
        end = self.runtime.monotonic() + seconds
        while self.runtime.monotonic() < end:
            for number, beat in enumerate(beats):
                if self.runtime.monotonic() >= looks[number]:
                    looks[number] = self.runtime.monotonic() + beat.look()
            self.runtime.advance(step_s)

    def take(self) -> list[Parcel]:
        """Return what was sent, and take it out of the queue."""
        store = self.app.store
        store.keep("node", name="node", info={}, queues=["celery"])
        found: list[Parcel] = []
        while fetched := store.fetch(["celery"], lessee=Lessee("node", "child"), limit=1000, wait_s=0).deliveries:
            found += [delivery.parcel for delivery in fetched if isinstance(delivery.parcel, Parcel)]
        return found

    def dues(self) -> list[tuple[str, str]]:
        """Return entry and moment of each tick that was sent, in order, and take them out of the queue."""
        return [(str(parcel.headers["celeriac-entry"]), str(parcel.headers["celeriac-due"])) for parcel in self.take()]

    def names(self) -> Counter[str]:
        """Return how often each entry was sent, and take that out of the queue."""
        return Counter(name for name, _ in self.dues())

    def record(self, name: str) -> Record:
        [record] = self.timetable.read([name])
        assert record is not None
        return record

    def state(self, name: str) -> State:
        return state_of(self.record(name).state)

    def schedule(self, **entries: Any) -> None:
        """Set ``beat_schedule``."""
        self.app.conf.beat_schedule = entries


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office(uuid())
    with office.app as app:

        @app.task(name="shop.report")
        def report(*args: Any, **kwargs: Any) -> None:
            """Report."""

        yield office
