"""``app.schedules``: entries added, changed, paused, run at once and removed while beats run. No beat has to be told.

In a program's life: at any time, in any process of the app; the command ``schedule`` is this, typed. Every change is made to what
was read, so of two that happen together one is made again. Beats look at the timetable twice a second.
Does not know: how stores keep entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from celeriac.abc import Timetable
from celeriac.app.periodic.entry import POLICIES, Entry, State, entry_from, moment_of
from celeriac.app.periodic.overlap import is_busy
from celeriac.app.periodic.place import timetable_of, zones_of
from celeriac.app.periodic.planning import begun
from celeriac.app.periodic.sending import messages_of, tick_id
from celeriac.app.periodic.showing import Scheduled, shown
from celeriac.app.periodic.stored import data_of, entry_bytes, entry_of, same_times, state_bytes, state_of
from celeriac.core.errors import CeleriacError, ImproperlyConfigured, StoreRefused
from celeriac.core.schedules.timetable import Change, Record

_ATTEMPTS: Final = 20
"""A beat moves an entry for each tick: so often a change may come too late before something must be wrong."""
_PAGE: Final = 1000


class NoSuchEntry(CeleriacError, KeyError):
    """No entry of the beat has this name. Also a ``KeyError``."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"no entry of the beat is called {self.name!r}: `celeriac schedule list` shows them all"


class Schedules:
    """The entries of one app. Safe in any thread."""

    def __init__(self, app: Any, *, file: str | None = None) -> None:
        """``file``: as ``-s`` of the beat. ``None``: as the settings say."""
        self._app, self._file = app, file

    @property
    def timetable(self) -> Timetable:
        """Where they are."""
        return timetable_of(self._app, self._file)[1]

    def add(
        self,
        name: str,
        schedule: Any,
        task: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        replace: bool = False,
        **policies: Any,
    ) -> None:
        """Add an entry.

        Args:
            name: Of the entry.
            schedule: Seconds, a ``timedelta``, ``crontab``, ``schedule`` or ``solar``, or a line such as ``"30 7 * * mon-fri"``.
            task: A task, its name, or a signature.
            args: Its arguments; before those of a signature.
            kwargs: The same by name.
            options: Of ``apply_async``.
            replace: One of this name is changed, rather than an error.
            policies: ``timezone``, ``catch_up``, ``overlap``, ``jitter``, ``starts``, ``ends``, ``max_runs``, ``skipped``,
                ``doubled``: see the guide.

        Raises:
            ImproperlyConfigured: something is wrong with it, or there is one of this name.
        """
        self.add_many([self._given(name, schedule, task, args, kwargs or {}, options or {}, policies)], replace=replace)

    def add_many(self, entries: Iterable[Mapping[str, Any]], *, replace: bool = False) -> int:
        """Add entries, each described as in ``beat_schedule``, with its ``name``; a thousand in one step. Return how many.

        Raises:
            ImproperlyConfigured: as ``add``; those of earlier steps have been added.
        """
        timetable, count = self.timetable, 0
        for batch in _batches(entries, _PAGE):
            made = [self._entry(each) for each in batch]
            said = timetable.change([self._beginning(entry) for entry in made])
            for entry, added in zip(made, said, strict=True):
                if not added and not replace:
                    raise ImproperlyConfigured(f"there is an entry {entry.name!r} already: replace=True changes it")
                if not added:
                    self._put(entry)
            count += len(made)
        return count

    def change(self, name: str, **fields: Any) -> None:
        """Change what ``fields`` name of an entry, as ``add`` calls them, or as an entry of ``beat_schedule`` does.

        One of ``beat_schedule`` is from then on no longer read from there, until it is removed.

        Raises:
            NoSuchEntry: there is none.
            ImproperlyConfigured: a field is wrong.
        """

        def changed(record: Record) -> tuple[Entry | None, State, float | None]:
            said = data_of(name, record.entry)
            if "here" in said and not {"schedule", "args", "kwargs", "options"} <= fields.keys():
                entry_of(name, record.entry, app=self._app, zone_of=zones_of(self._app))  # says why not
            kept = {key: value for key, value in said.items() if key not in {"form", "settled", "here", "shown", "schedule"}}
            if "schedule" not in fields:
                kept["schedule"] = entry_of(name, record.entry, app=self._app, zone_of=zones_of(self._app)).schedule
            entry = self._entry({**kept, **fields, "name": name})
            return entry, *self._goes_on(entry, record)

        self._alter(name, changed)

    def pause(self, name: str) -> None:
        """Send nothing of this entry until it is resumed. Raises NoSuchEntry."""
        self._alter(name, lambda record: (None, replace(state_of(record.state), paused=True, tick=None), None))

    def resume(self, name: str) -> None:
        """Go on, from now: what was missed is left out. Raises NoSuchEntry."""

        def resumed(record: Record) -> tuple[Entry | None, State, float | None]:
            state = state_of(record.state)
            if not state.paused:
                return None, state, record.due
            return None, *begun(self._known(record), now=self._now(), was=replace(state, paused=False), from_now=True)

        self._alter(name, resumed)

    def run(self, name: str) -> str:
        """Send the entry's task now, once, whatever its schedule says; return the id of the task.

        Raises:
            NoSuchEntry: there is none.
            ImproperlyConfigured: what it sends is known to beats alone.
        """
        where, timetable = timetable_of(self._app, self._file)
        for _ in range(_ATTEMPTS):
            record = self._record(timetable, name)
            entry, state, now = self._known(record), state_of(record.state), self._now()
            due = moment_of(now)
            messages, id = messages_of(self._app, entry, id=tick_id(where, entry, due, state.runs), due=due)
            goes_on = entry.overlap == "skip" and is_busy(self._app, state, now)  # it is still what the next tick waits for
            state = replace(state, last=now, id=state.id if goes_on else id, runs=state.runs + 1)
            if timetable.change([_moved(record, state, record.due, messages=messages)])[0]:
                return id
        raise _restless(name)

    def remove(self, name: str) -> bool:
        """Forget an entry; say whether there was one. One of ``beat_schedule`` is there again when a beat starts."""
        return self.timetable.remove([name]) == 1

    def get(self, name: str) -> Scheduled | None:
        """Return an entry, or ``None``."""
        [record] = self.timetable.read([name])
        return None if record is None else shown(record)

    def __iter__(self) -> Iterator[Scheduled]:
        """Go through all entries by their names, a page at a time."""
        timetable, after = self.timetable, ""
        while page := timetable.page(after=after, limit=_PAGE):
            yield from map(shown, page)
            after = page[-1].name

    def __len__(self) -> int:
        return self.timetable.count()

    def __bool__(self) -> bool:
        return True  # without asking how many entries there are

    def next_runs(self, name: str, count: int = 1) -> list[datetime]:
        """Return the next ``count`` moments of an entry's schedule in its zone, whether it is paused or not. Without ``jitter``.

        Raises:
            NoSuchEntry: there is none.
            ImproperlyConfigured: its schedule has to be asked each time, so nobody knows.
        """
        record = self._record(self.timetable, name)
        entry, state = self._known(record), state_of(record.state)
        rhythm = entry.rhythm
        if rhythm is None:
            raise ImproperlyConfigured(f"the schedule of {name!r} says by itself when it is due, and does not say it in advance")
        if state.tick is None:
            state, _ = begun(entry, now=self._now(), was=replace(state, paused=False), from_now=True)
        moments: list[datetime] = []
        left = count if entry.max_runs is None else min(count, entry.max_runs - state.runs)
        moment = None if state.tick is None else moment_of(state.tick)
        while moment is not None and len(moments) < left and (entry.ends is None or moment <= entry.ends):
            moments.append(moment.astimezone(entry.zone or self._app.timezone))
            moment = rhythm.next_after(moment)
        return moments

    # ---- steps -------------------------------------------------------------------------------------------------

    def _given(
        self,
        name: str,
        schedule: Any,
        task: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: Mapping[str, Any],
        policies: Mapping[str, Any],
    ) -> dict[str, Any]:
        if unknown := sorted(policies.keys() - set(POLICIES)):
            raise TypeError(f"an entry has no {unknown[0]!r}; beside its schedule and task it has {', '.join(POLICIES)}")
        return {"name": name, "schedule": schedule, **call_of(task, args, kwargs, options), **policies}

    def _entry(self, given: Mapping[str, Any]) -> Entry:
        said = dict(given)
        return entry_from(said.pop("name", ""), said, app=self._app, zone_of=zones_of(self._app))

    def _beginning(self, entry: Entry) -> Change:
        state, due = begun(entry, now=self._now())
        return Change(name=entry.name, seen=0, entry=entry_bytes(entry), state=state_bytes(state), due=due)

    def _put(self, entry: Entry) -> None:
        def replaced(record: Record) -> tuple[Entry | None, State, float | None]:
            return entry, *self._goes_on(entry, record)

        try:
            self._alter(entry.name, replaced)
        except NoSuchEntry:  # it was removed meanwhile
            self.timetable.change([self._beginning(entry)])

    def _goes_on(self, entry: Entry, record: Record) -> tuple[State, float | None]:
        same = same_times(entry.name, record.entry, entry_bytes(entry))
        return begun(entry, now=self._now(), was=state_of(record.state), same_times=same)

    def _alter(self, name: str, change: Callable[[Record], tuple[Entry | None, State, float | None]]) -> None:
        timetable = self.timetable
        for _ in range(_ATTEMPTS):
            record = self._record(timetable, name)
            entry, state, due = change(record)
            if timetable.change([_moved(record, state, due, entry=entry)])[0]:
                return
        raise _restless(name)

    def _record(self, timetable: Timetable, name: str) -> Record:
        [record] = timetable.read([name])
        if record is None:
            raise NoSuchEntry(name)
        return record

    def _known(self, record: Record) -> Entry:
        """Return the entry of a record; one that could not be stored, from the settings of this very app."""
        return known_here(self._app, record) or entry_of(record.name, record.entry, app=self._app, zone_of=zones_of(self._app))

    def _now(self) -> float:
        return float(self._app.runtime.time())


def known_here(app: Any, record: Record) -> Entry | None:
    """Return the entry of this app's ``beat_schedule`` that a record was made from. ``None``: there is none, or another one."""
    given = app.conf.beat_schedule.get(record.name)
    if given is None:
        return None
    entry = entry_from(record.name, dict(given), app=app, zone_of=zones_of(app), settled=True)
    return entry if entry_bytes(entry) == record.entry else None


def call_of(task: Any, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry says of a task, its name or a signature."""
    if not isinstance(task, Mapping):
        return {"task": task, "args": tuple(args), "kwargs": dict(kwargs), "options": dict(options)}
    clone = getattr(task, "clone", None)
    made = dict(task) if clone is None else clone(tuple(args), dict(kwargs))
    said = {"task": made["task"], "args": tuple(made["args"]), "kwargs": dict(made["kwargs"])}
    said["options"] = {**made["options"], **options}
    return said | ({"subtask_type": made["subtask_type"]} if made.get("subtask_type") else {})


def entry_of_call(schedule: Any, sig: Mapping[str, Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of ``beat_schedule`` that sends a signature; keywords that are no policies are options."""
    policies = {key: value for key, value in keywords.items() if key in POLICIES}
    options = {key: value for key, value in keywords.items() if key not in POLICIES}
    return {"schedule": schedule, **call_of(sig, (), {}, options), **policies}


def _moved(
    record: Record, state: State, due: float | None, *, entry: Entry | None = None, messages: Sequence[Any] = ()
) -> Change:
    stored = None if entry is None else entry_bytes(entry)
    return Change(
        name=record.name, seen=record.revision, entry=stored, state=state_bytes(state), due=due, messages=tuple(messages)
    )


def _restless(name: str) -> StoreRefused:
    return StoreRefused(f"the entry {name!r} is changed by somebody else each time that it is to be changed here")


def _batches(entries: Iterable[Mapping[str, Any]], size: int) -> Iterator[list[Mapping[str, Any]]]:
    batch: list[Mapping[str, Any]] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
