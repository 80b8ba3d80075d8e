"""Messages and settlements as arguments of scripts.

In a job's life: the last step before ``publish.lua`` and ``settle.lua``. Does not know: connections, what the scripts do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import json

from celeriac.abc import Runtime
from celeriac.core import envelope
from celeriac.core.message import Outgoing
from celeriac.core.settlement import DeadLetter, Done, Park, Requeue, Settlement
from celeriac.drivers.redis.chords import join_arguments, life_ms, opening_arguments
from celeriac.drivers.redis.keys import Keys

Addressed = tuple[str, str, int, bytes]
"""Queue, suffix of the priority, due (ms, 0: now), message."""
_NO_CHORD: Final = (0, "", "", 0, 0)
_STAYS: Final = (1, "", "", 0, 0)


class Arguments:
    """Turns our words into those of the scripts."""

    def __init__(self, keys: Keys, runtime: Runtime) -> None:
        self.keys, self._runtime = keys, runtime

    def outgoing(self, message: Outgoing) -> Addressed:
        """Return a message with its address."""
        due = 0 if message.eta is None else round(message.eta.timestamp() * 1000)
        return message.queue, self.keys.suffix(message.priority), due, envelope.pack(message, tag=self._runtime.new_id())

    def settlement(self, settlement: Settlement) -> list[Any]:
        """Return what ``settle.lua`` is told of one settlement."""
        if isinstance(settlement.fate, Done) and _is_plain(settlement):
            result = settlement.result
            if result is None:
                return [settlement.tag, "E"]
            life = 0 if result.ttl_s is None else life_ms(result.ttl_s)
            return [settlement.tag, "D", self.keys.result(result.id), result.body, life]
        arguments: list[Any] = [settlement.tag]
        match settlement.fate:
            case Done():
                arguments += ("d", "", "")
            case Requeue(replacement=None):
                arguments += ("r", "", "")
            case Requeue(replacement=changed):
                assert changed is not None
                queue, suffix, _, packed = self.outgoing(changed)
                arguments += ("R", f"{queue}\n{suffix}", packed)
            case Park(task, throttled):
                arguments += ("p", task, int(throttled))
            case DeadLetter() as dead:
                arguments += ("x", json.encode(dead), "")
        results = settlement.results
        arguments.append(len(results))
        for result in results:
            arguments += (self.keys.result(result.id), result.body, 0 if result.ttl_s is None else life_ms(result.ttl_s))
        arguments.append(len(settlement.followups))
        for message in settlement.followups:
            arguments += self.outgoing(message)
        arguments.append(len(settlement.opens))
        for opening in settlement.opens:
            arguments += opening_arguments(opening, self.keys)
        arguments += self._chord(settlement)
        return arguments

    def _chord(self, settlement: Settlement) -> Sequence[Any]:
        """What concerns chords: hardly ever anything."""
        join, closes = settlement.join, settlement.closes
        if join is None and closes is None:
            return _STAYS if settlement.stays else _NO_CHORD
        ends = "" if closes is None else self.keys.group(closes)
        chord, _, *parts = ("", "", 0, 0) if join is None else join_arguments(join, self.keys, "")
        return (int(settlement.stays), ends, chord, *parts)


def is_text(arguments: Sequence[Any]) -> bool:
    """Say whether all of them can be sent: half of a surrogate pair, which JSON can hold as an escape, cannot."""
    try:
        for argument in arguments:
            if isinstance(argument, str):
                argument.encode()
    except UnicodeError:
        return False
    return True


def _is_plain(settlement: Settlement) -> bool:
    """Whether it stores a result at most."""
    return not (
        settlement.followups
        or settlement.join is not None
        or settlement.further
        or settlement.opens
        or settlement.stays
        or settlement.closes is not None
    )
