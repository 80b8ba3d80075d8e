"""Contracts: what drivers and surroundings do for every part. The docstrings are the contract."""

from celeriac.abc.lessee import HANDS, Lessee
from celeriac.abc.notices import Broadcast, Listening
from celeriac.abc.places import Held, Parked, Scheduled, Waiting
from celeriac.abc.store import (
    CALL_DEADLINE_S,
    LATE_PARTS_S,
    LEASE_S,
    PUBLISH_DEADLINE_S,
    Broker,
    Chords,
    DeadRecord,
    Fetched,
    JoiningBackend,
    NodeRecord,
    Place,
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
    "Held",
    "JoiningBackend",
    "Lessee",
    "Listening",
    "NodeRecord",
    "Parked",
    "Place",
    "Pulse",
    "ResultBackend",
    "Runtime",
    "Scheduled",
    "Store",
    "Timetable",
    "Timetables",
    "Waiting",
]
