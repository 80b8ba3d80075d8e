"""Which line of the user's program an error comes from.

In a program's life: importing the modules that the settings, or ``-A``, name went wrong. Does not know: apps, commands.
"""

from __future__ import annotations

import importlib
import os
import traceback
from pathlib import Path
from typing import Final

_NOT_THEIRS: Final = (f"{Path(__file__).parents[2]}{os.sep}", f"{Path(importlib.__file__).parent}{os.sep}", "<frozen ")
"""Where our own lines are, and those that do the importing: true, and of no help."""


def place_of(error: BaseException) -> str | None:
    """Return the file and line that raised: the last ones that are not ours; ``None`` if all of them are."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = (frame for frame in reversed(frames) if not frame.filename.startswith(_NOT_THEIRS))
    last = next(theirs, None)
    return None if last is None else f"{last.filename}, line {last.lineno}"
