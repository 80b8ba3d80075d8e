"""Tracebacks as text, of bounded length, of whatever a task may raise.

In a job's life: execution -> **here** -> settlement, which stores the text, and the log, which shows it. An exception is code of
the user's, too: one that fails when it is asked for its text must not take the worker with it.
Does not know: tasks, how an exception is stored.
"""

from __future__ import annotations

import traceback
from types import TracebackType
from typing import Final

from celeriac.core.exceptions import name_of, shortened

LONGEST: Final = 100_000
"""Characters of one traceback: a message may quote a whole document, and ten thousand causes have ten thousand lines."""


def text_of(error: BaseException, frames: TracebackType | None) -> str:
    """Return the traceback that begins with ``frames``, its middle left out if it is long. Never raises."""
    try:
        return shortened("".join(traceback.format_exception(type(error), error, frames)), LONGEST)
    except Exception as broken:  # an exception whose own str or repr raises
        return f"{name_of(type(error))} (its text cannot be shown: {type(broken).__name__})"
