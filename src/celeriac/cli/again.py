"""Begin the program again in the same process: what SIGHUP asks a worker for.

In a node's life: after its end, when everything is settled and closed. The command line, the environment and the process id
stay, so that whoever watches this process (systemd, a pid file) sees no other one; code and settings are read anew. Does not
know: nodes.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import NoReturn

from celeriac.cli.program import Program
from celeriac.worker.os_signals import AGAIN_VARIABLE

log = logging.getLogger("celeriac.worker")


def begin_again(program: Program) -> NoReturn:
    """Replace this program by the same one.

    Raises:
        OSError: the interpreter, or the folder that it was started in, is not there any more.
    """
    log.info("the program begins again: %s", " ".join(sys.orig_argv), extra={"event": "worker-restarts"})
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    logging.shutdown()
    if threading.current_thread() is threading.main_thread():  # elsewhere Python changes no handler
        # Until it hears, a second hang-up would end it.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.environ[AGAIN_VARIABLE] = str(os.getpid())
    if program.began_in is not None:
        os.chdir(program.began_in)  # where relative paths of the command line mean what they meant
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 -- it is our own
