"""How the runs of a task are handled: its attributes, asked once.

In a job's life: a worker looks at it several times for each run, and an attribute that the settings decide costs as much as
decoding a small message. Does not know: who looks, when it has to be made anew.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from celeriac.app.attributes import Attributes


class Conduct(Struct, frozen=True, gc=False):
    """The attributes of these names, as they are now; each is explained at ``Attributes``."""

    ignore_result: bool
    store_errors_even_if_ignored: bool
    track_started: bool
    acks_late: bool
    acks_on_failure_or_timeout: bool
    acks_on_failure: bool | None
    acks_on_timeout: bool | None
    reject_on_worker_lost: bool | None
    retry_on_worker_lost: bool | None
    time_limit: float | None
    soft_time_limit: float | None
    rate_limit: str | float | None
    own_backend: Any


NAMES: Final = Conduct.__struct_fields__


def conduct_of(task: Attributes) -> Conduct:
    """Ask the task, and through it the settings."""
    return Conduct(*(getattr(task, name) for name in NAMES))
