"""Contracts: what drivers and surroundings do for every part. The docstrings are the contract."""

from celeriac.abc.notices import Broadcast, Listening
from celeriac.abc.store import (
    CALL_DEADLINE_S,
    HANDS,
    LATE_PARTS_S,
    LEASE_S,
    PUBLISH_DEADLINE_S,
    Broker,
    Chords,
    DeadRecord,
    Fetched,
    JoiningBackend,
    Lessee,
    NodeRecord,
    Pulse,
    ResultBackend,
    Runtime,
    Store,
)
from celeriac.abc.timetables import Timetable, Timetables

__all__ = [
    "CALL_DEADLINE_S",
    "HANDS",
    "LATE_PARTS_S",
    "LEASE_S",
    "PUBLISH_DEADLINE_S",
    "Broadcast",
    "Broker",
    "Chords",
    "DeadRecord",
    "Fetched",
    "JoiningBackend",
    "Lessee",
    "Listening",
    "NodeRecord",
    "Pulse",
    "ResultBackend",
    "Runtime",
    "Store",
    "Timetable",
    "Timetables",
]
