"""Carry out settlements: one script for a batch, and what is said of each.

In a job's life: the last step. ``settle.lua`` does the work; this file says what is to be done, and finds those that cannot even
be sent. Does not know: how a settlement was decided.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from celeriac.abc import Lessee
from celeriac.core.errors import StoreRefused
from celeriac.core.settlement import Settled, Settlement
from celeriac.drivers.redis.arguments import Arguments, is_text
from celeriac.drivers.redis.connection import Connections, Script

log = logging.getLogger("celeriac.redis")

_ANSWERS: Final = (Settled.LEASE_LOST, Settled.APPLIED, Settled.JOINED)
"""What ``settle.lua`` says, unless the server refuses a settlement: then it says why."""


class Settling:
    """The settlements of one database."""

    def __init__(self, connections: Connections, arguments: Arguments, *, database: int, results: int) -> None:
        """``database`` and ``results``: numbers of the database of the messages, and of that of the results."""
        self._connections, self._arguments = connections, arguments
        self._databases = "" if results == database else str(results), database
        self._script = Script("settle", after=("chords", "front"))

    def settle(self, settlements: Sequence[Settlement], lessee: Lessee) -> Sequence[Settled]:
        """See ``abc.Broker.settle``."""
        if not settlements:
            return []
        try:
            return self._settle(settlements, lessee)
        except StoreRefused as refusal:
            if not isinstance(refusal.__cause__, UnicodeError):
                raise
        # Nothing has been sent yet. One that cannot be must not keep the others from their end.
        fit = [is_text(self._arguments.settlement(settlement)) for settlement in settlements]
        said = iter(self._settle([one for one, good in zip(settlements, fit, strict=True) if good], lessee))
        return [next(said) if good else Settled.REFUSED for good in fit]

    def _settle(self, settlements: Sequence[Settlement], lessee: Lessee) -> list[Settled]:
        keys = self._arguments.keys
        arguments: list[Any] = [keys.own, keys.prefix, lessee.node, lessee.child, *self._databases]
        for settlement in settlements:
            arguments += self._arguments.settlement(settlement)
        return list(map(_answer, self._connections.run(self._script, arguments)))


def _answer(said: int | bytes) -> Settled:
    if isinstance(said, int):
        return _ANSWERS[said]
    log.error("Redis refuses a settlement: %s", said.decode("utf-8", "replace"), extra={"event": "settlement-refused"})
    return Settled.REFUSED
