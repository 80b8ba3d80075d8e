"""What systems differ in, under Celery's path: exit codes, users and groups, signals."""

from __future__ import annotations

import os
import platform
import signal
import sys
from typing import Final

from celeriac.app.borrowed.os_signals import Signals, signals
from celeriac.cli.identity import become, group_of, user_of

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


def maybe_drop_privileges(uid: str | int | None = None, gid: str | int | None = None) -> None:
    """Become another user, or a member of another group. Only root can."""
    become(uid=uid, gid=gid, umask=None)


def parse_uid(uid: str | int) -> int:
    """Return the number of a user."""
    return user_of(uid).pw_uid


def parse_gid(gid: str | int) -> int:
    """Return the number of a group."""
    return group_of(gid)
