"""One look at the timetable: lead, read what is due, decide, send. The loop of a beat is this, again and again.

In a tick's life: ``attend`` -> ``decide`` -> messages -> ``change``, all with what the store holds: nothing is remembered between
two looks, so a change is noticed at the next one, and a million entries cost no memory. Time is the store's.
Does not know: threads, signals, processes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from celeriac.abc import Timetable
from celeriac.app.periodic.entry import Entry, State, moment_of
from celeriac.app.periodic.overlap import is_busy
from celeriac.app.periodic.place import zones_of
from celeriac.app.periodic.planning import CLOCK_STEP_S
from celeriac.app.periodic.sending import messages_of, tick_id
from celeriac.app.periodic.stored import entry_of, state_bytes, state_of
from celeriac.beat.classic.watched import watched
from celeriac.beat.roster import Here
from celeriac.beat.scheduler import Decision, decide
from celeriac.core.errors import BrokerUnreachable, StoreRefused
from celeriac.core.message import Outgoing
from celeriac.core.schedules.timetable import Agenda, Change, Record

log = logging.getLogger("celeriac.beat")

LEASE_S: Final = 3.0
"""Who leads and says nothing for so long leads no more."""
LOOK_S: Final = 0.5
"""The leader looks at least so often: what people change holds after that."""
STANDBY_S: Final = 1.0
"""The others ask so often whether somebody leads."""
BATCH: Final = 500
POSTPONED_S: Final = 60.0
"""What cannot be sent now is tried again after so long."""


class Sent(Struct, frozen=True):
    """A tick of an entry that is about to be sent."""

    change: Change
    entry: Entry
    ids: Sequence[str]
    before: bytes
    """The state of the entry as it was read."""


class Ticker:
    """Sends what is due, when told to look."""

    def __init__(self, app: Any, where: str, timetable: Timetable, here: Mapping[str, Here], *, who: str) -> None:
        """``where``: name of the timetable; ``here``: entries of the settings; ``who``: unique to this scheduler."""
        self._app, self._where, self._timetable, self._who = app, where, timetable, who
        self.here = here
        self.leader = ""
        """Who led when it looked last."""
        self.clock_went_back = False
        """The clock of the store was set back between two looks."""
        self.now = 0.0
        """The clock of the store when it looked last, seconds since 1970."""
        self._offset: float | None = None

    @property
    def leads(self) -> bool:
        """Whether it is this one."""
        return self.leader == self._who

    def look(self) -> float:
        """Send what is due, if this one leads; return how many seconds later to look again.

        Raises:
            OperationalError: the store does not answer, or refuses.
        """
        agenda = self._timetable.attend(self._who, lease_s=LEASE_S, limit=BATCH)
        self._notice(agenda)
        if not self.leads:
            return STANDBY_S
        if agenda.records:
            self._send(agenda.records, agenda.now)
            return 0.0
        return LOOK_S if agenda.next_due is None else min(max(agenda.next_due - agenda.now, 0.0), LOOK_S)

    def resign(self) -> None:
        """Let another lead."""
        self._timetable.resign(self._who)

    def _notice(self, agenda: Agenda) -> None:
        if agenda.leader != self.leader:
            if agenda.leader == self._who:
                log.info("beat: %s leads", self._who)
            else:
                log.info("beat: %s leads, %s stands by", agenda.leader, self._who)
        self.leader = agenda.leader
        self.now = agenda.now
        offset = agenda.now - self._app.runtime.monotonic()
        self.clock_went_back = self._offset is not None and offset < self._offset - CLOCK_STEP_S
        self._offset = offset

    def _send(self, records: Sequence[Record], now: float) -> None:
        ticks = [self._tick(record, now) for record in records]
        for tick, moved in zip(ticks, self._carry_out(ticks), strict=True):
            if not moved:
                log.debug("entry %s: nothing is sent; another scheduler was faster, it was changed, or refused", tick.entry.name)
            for id in tick.ids if moved else ():
                fields = {"event": "beat-sent", "entry": tick.entry.name, "task_id": id}
                log.info("Scheduler: Sending due task %s (%s)", tick.entry.name, tick.entry.task, extra=fields)

    def _carry_out(self, ticks: Sequence[Sent]) -> Sequence[bool]:
        try:
            return self._timetable.change([tick.change for tick in ticks])
        except BrokerUnreachable:
            raise
        except StoreRefused as refusal:
            if len(ticks) == 1:
                [tick] = ticks
                log.error("entry %s cannot be sent: %s", tick.change.name, refusal)
                self._timetable.change([_later(tick, refusal, self.now)])
                return [False]
        # What was carried out is refused as outdated now; whose fault it was shows when each is tried for itself.
        return [self._carry_out([tick])[0] for tick in ticks]

    def _tick(self, record: Record, now: float) -> Sent:
        state: State | None = None
        entry: Entry | None = None
        try:
            state, entry = state_of(record.state), self._entry(record)
            decision = self._decide(entry, state, now)
            messages, ids = self._messages(entry, state, decision)
        except Exception as error:  # of one entry; the code of schedules and tasks may raise anything
            if entry is None:
                log.error("%s", error)
            else:
                log.exception("entry %s cannot be sent now", record.name)
            return self._postponed(record, entry, state, now, error)
        after = decision.state
        if decision.ticks:
            after = replace(after, last=now, id=ids[-1] if ids else after.id)
        change = Change(name=record.name, seen=record.revision, state=state_bytes(after), due=decision.due, messages=messages)
        return Sent(change, entry, ids, record.state)

    def _entry(self, record: Record) -> Entry:
        known = self.here.get(record.name)
        if known is not None and known.stored == record.entry:
            return known.entry
        return entry_of(record.name, record.entry, app=self._app, zone_of=zones_of(self._app))

    def _decide(self, entry: Entry, state: State, now: float) -> Decision:
        rhythm = entry.rhythm
        if rhythm is None:
            return self._ask(entry, state, now)
        deadline_s = self._app.settings.beat.cron_starting_deadline
        busy = entry.overlap == "skip" and is_busy(self._app, state, now)
        return decide(entry, rhythm, state, now=now, deadline_s=deadline_s, busy=busy)

    def _ask(self, entry: Entry, state: State, now: float) -> Decision:
        """Ask a schedule that says by itself whether it is due."""
        last = moment_of(state.since if state.last is None else state.last).astimezone(self._app.timezone)
        due, again_s = entry.schedule.is_due(last)
        pause_s = min(max(float(again_s), 0.0), POSTPONED_S) if isinstance(again_s, int | float) else POSTPONED_S
        over = entry.ends is not None and now > entry.ends.timestamp()
        if state.paused or over or (entry.max_runs is not None and state.runs >= entry.max_runs):
            return Decision((), state, None)
        if not due:
            return Decision((), state, now + max(pause_s, 0.001))
        if entry.overlap == "skip" and is_busy(self._app, state, now):
            return Decision((), replace(state, last=now), now + max(pause_s, 0.001))
        return Decision((moment_of(now),), replace(state, runs=state.runs + 1, problem=None), now + max(pause_s, 0.001))

    def _messages(self, entry: Entry, state: State, decision: Decision) -> tuple[list[Outgoing], list[str]]:
        messages, ids = list[Outgoing](), list[str]()
        for number, due in enumerate(decision.ticks):
            own = tick_id(self._where, entry, due, state.runs + number)
            made, id = messages_of(self._app, entry, id=own, due=due, send=watched())
            messages += made
            ids.append(id)
        return messages, ids

    def _postponed(self, record: Record, entry: Entry | None, state: State | None, now: float, error: Exception) -> Sent:
        """Look again later; say in the state why."""
        unknown = entry if entry is not None else Entry(name=record.name, task="?", schedule=None)
        stored, due = record.state, now + POSTPONED_S
        if state is not None:
            stored = state_bytes(replace(state, problem=f"{type(error).__name__}: {error}"[:500]))
        return Sent(Change(name=record.name, seen=record.revision, state=stored, due=due), unknown, (), record.state)


def _later(tick: Sent, refusal: StoreRefused, now: float) -> Change:
    """Leave the entry as it was, and look again later: what was not sent is no run, and nobody waits for its end."""
    state = replace(state_of(tick.before), problem=str(refusal)[:500])
    return Change(name=tick.change.name, seen=tick.change.seen, state=state_bytes(state), due=now + POSTPONED_S)
