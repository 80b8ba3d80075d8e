"""A debugger on a port: for a task that runs where there is no terminal.

In a job's life: ``set_trace()`` inside a task, or SIGUSR2 to its process where ``CELERY_RDBSIG`` is set; the task waits until
somebody has connected, with ``telnet`` or ``nc``. Whoever can reach the port can run anything as the worker's user: it is bound
to this machine unless ``CELERY_RDB_HOST`` says otherwise. Does not know: tasks. Source: Celery's guide "Debugging".
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from pdb import Pdb
from types import FrameType
from typing import Any, Final

log = logging.getLogger("celeriac.worker")

DEFAULT_PORT: Final = 6899
CELERY_RDB_HOST: Final = os.environ.get("CELERY_RDB_HOST") or "127.0.0.1"
"""Where to listen, from the variable of that name."""
CELERY_RDB_PORT: Final = int(os.environ.get("CELERY_RDB_PORT") or DEFAULT_PORT)
"""The first port to try, from the variable of that name."""
PORTS: Final = 100
"""How many are tried: one for each process that waits."""

_current: Rdb | None = None


class Rdb(Pdb):
    """One debugging session. Making it waits for somebody to connect."""

    def __init__(self, host: str = CELERY_RDB_HOST, port: int = CELERY_RDB_PORT, port_search_limit: int = PORTS) -> None:
        self.active = True
        listener = _listener(host, port, port_search_limit)
        self.host, self.port = host, int(listener.getsockname()[1])
        log.warning("debugger of process %d waits for: telnet %s %d", os.getpid(), self.host, self.port)
        with listener:
            self._client, address = listener.accept()
        self.remote_addr = ":".join(map(str, address))
        log.warning("debugger of process %d: in session with %s", os.getpid(), self.remote_addr)
        # Two, because one that is both forgets the next line of what it has read when it writes.
        self._ear = self._client.makefile("r", encoding="utf-8", errors="replace")
        self._voice = self._client.makefile("w", encoding="utf-8", errors="replace")
        self._before = sys.stdin, sys.stdout
        # What is typed at the prompt may print, and read.
        sys.stdin, sys.stdout = self._ear, self._voice
        # Its own handler of SIGINT would replace the worker's.
        super().__init__(stdin=self._ear, stdout=self._voice, nosigint=True)

    def do_continue(self, arg: str) -> bool | None:
        """Leave the debugger; the task goes on. Break points are forgotten: nobody is there any more."""
        self._leave()
        self.clear_all_breaks()
        return super().do_continue(arg)

    do_c = do_cont = do_continue

    def do_quit(self, arg: str) -> bool | None:
        """The same: a debugger does not end a task."""
        return self.do_continue(arg)

    do_q = do_exit = do_quit

    def do_EOF(self, arg: str) -> bool | None:  # noqa: N802 -- the name that the library looks for
        """Whoever was connected is gone."""
        return self.do_continue(arg)

    def _leave(self) -> None:
        if not self.active:
            return
        self.active = False
        sys.stdin, sys.stdout = self._before
        for thing in (self._voice, self._ear, self._client):
            try:
                thing.close()
            except OSError as error:  # a farewell that did not reach them
                log.debug("the debugger's connection broke: %s", error)
        log.warning("debugger of process %d: session with %s ended", os.getpid(), self.remote_addr)


def debugger() -> Rdb:
    """Return this process's session; make one, and wait for somebody to connect, if there is none."""
    global _current
    if _current is None or not _current.active:
        _current = Rdb()
    return _current


def set_trace(frame: FrameType | None = None) -> Any:
    """Stop in the debugger: where this is called, or in ``frame``."""
    if frame is None:
        frame = sys._getframe().f_back
    return debugger().set_trace(frame)


def _listener(host: str, port: int, limit: int) -> socket.socket:
    for candidate in range(port, port + limit):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
        except OSError as error:
            listener.close()
            if error.errno in (errno.EADDRINUSE, errno.EINVAL):
                continue
            raise
        listener.listen(1)
        return listener
    raise OSError(errno.EADDRINUSE, f"no port from {port} to {port + limit - 1} is free for the debugger; see CELERY_RDB_PORT")
