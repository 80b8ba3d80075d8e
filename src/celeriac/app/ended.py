"""What is thrown into a run that somebody wants over: neither a result of the task nor a failure of it.

In a job's life: a lane throws it, execution lets it pass, and the lane that catches it again says what it means. No handler
of the task hears of it: as far as the user's code is concerned its process has been killed. Does not know: who wanted it.
"""

from __future__ import annotations

from typing import Final


class RunEnded(BaseException):
    """Thrown into a run that is to end at once. Not an ``Exception``: a task that tries again after any error is not meant."""


PASSING: Final = (KeyboardInterrupt, RunEnded)
"""What is no end of the task's own making."""
