"""What systems differ in, under Celery's path: exit codes and the names of signals."""

from __future__ import annotations

import os
import platform
import signal
import sys
from typing import Final

EX_OK: Final = os.EX_OK
EX_FAILURE: Final = 1
EX_USAGE: Final = os.EX_USAGE
EX_UNAVAILABLE: Final = os.EX_UNAVAILABLE
EX_CANTCREAT: Final = os.EX_CANTCREAT
SYSTEM: Final = platform.system()
IS_macOS: Final = SYSTEM == "Darwin"
IS_WINDOWS: Final = SYSTEM == "Windows"
IS_PYPY: Final = sys.implementation.name == "pypy"


def signal_name(signum: int) -> str:
    """Return the name of a signal, such as ``SIGTERM``."""
    return signal.Signals(signum).name
