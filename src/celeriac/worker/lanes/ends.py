"""Say how a run ended that was interrupted.

In a job's life: between execution and settlement, when something was thrown into the run, or the run itself raised what only a
keyboard should. Pure. Does not know: who threw it.
"""

from __future__ import annotations

from celeriac.app.ended import RunEnded
from celeriac.app.execution import interrupted
from celeriac.core.errors import TimeLimitExceeded
from celeriac.core.outcome import Failure, Outcome, Revoked
from celeriac.worker.slots import NO_SIGNAL, Seat


def ended_by(error: BaseException, seat: Seat) -> Outcome:
    """Return the outcome of a run that let ``error`` through, as execution does with what is not the task's own."""
    if not isinstance(error, RunEnded):
        return interrupted(error)
    if seat.end_signum == NO_SIGNAL:
        return Failure(TimeLimitExceeded(round(seat.hard_at - seat.since, 6)))
    return Revoked("terminated", signum=seat.end_signum)
