"""Every setting, in typed sections: type, bounds, default, unit and meaning of each, in one place.

In a program's life: ``Conf`` collects what the user set, ``Conf.settings()`` turns it into these frozen sections, and each
part of the program is handed its own section, never the whole. A setting's name is the prefix of its section and the name of the
field: ``TaskSettings.serializer`` is ``task_serializer``. Types and bounds are checked by msgspec. A setting that this version
does not honour says so in its type (``kinds.py``). The reference of settings is written from here.
Does not know: where values come from, who uses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from celeriac.config.sections.beat import BeatSettings
from celeriac.config.sections.broker import BrokerSettings
from celeriac.config.sections.general import (
    ControlSettings,
    EventSettings,
    EventsProgramSettings,
    GeneralSettings,
    SecuritySettings,
)
from celeriac.config.sections.kinds import Count, Priority, Seconds
from celeriac.config.sections.result import DatabaseSettings, RedisSettings, ResultSettings
from celeriac.config.sections.stores import StoreSettings
from celeriac.config.sections.task import PUBLISH_RETRY_POLICY, TaskSettings
from celeriac.config.sections.worker import WorkerSettings

__all__ = [
    "PUBLISH_RETRY_POLICY",
    "SECTIONS",
    "BeatSettings",
    "BrokerSettings",
    "ControlSettings",
    "Count",
    "DatabaseSettings",
    "EventSettings",
    "EventsProgramSettings",
    "GeneralSettings",
    "Priority",
    "RedisSettings",
    "ResultSettings",
    "Seconds",
    "SecuritySettings",
    "Settings",
    "StoreSettings",
    "TaskSettings",
    "WorkerSettings",
]


class Settings(Struct, frozen=True, kw_only=True):
    """All sections, checked. A part of the program is handed the one that it needs."""

    general: GeneralSettings = GeneralSettings()
    broker: BrokerSettings = BrokerSettings()
    result: ResultSettings = ResultSettings()
    redis: RedisSettings = RedisSettings()
    task: TaskSettings = TaskSettings()
    worker: WorkerSettings = WorkerSettings()
    beat: BeatSettings = BeatSettings()
    control: ControlSettings = ControlSettings()
    event: EventSettings = EventSettings()
    events: EventsProgramSettings = EventsProgramSettings()
    security: SecuritySettings = SecuritySettings()
    database: DatabaseSettings = DatabaseSettings()
    stores: StoreSettings = StoreSettings()


SECTIONS: Final[Mapping[str, tuple[str, type[Struct]]]] = {
    "general": ("", GeneralSettings),
    "broker": ("broker_", BrokerSettings),
    "result": ("result_", ResultSettings),
    "redis": ("redis_", RedisSettings),
    "task": ("task_", TaskSettings),
    "worker": ("worker_", WorkerSettings),
    "beat": ("beat_", BeatSettings),
    "control": ("control_", ControlSettings),
    "event": ("event_", EventSettings),
    "events": ("events_", EventsProgramSettings),
    "security": ("security_", SecuritySettings),
    "database": ("database_", DatabaseSettings),
    "stores": ("", StoreSettings),
}
"""Field of ``Settings`` -> prefix of its settings, its type."""
