"""A program beside a node, in processes of its own, that lives as long as the node: the beat of ``worker -B``.

In a node's life: begun before it has threads or connections; ended when it ends, however that happens: a pipe that only processes
of the node hold tells. A guard in between begins the program again when it dies, so a node never has to look after it.
Does not know: nodes, beats.
"""

from __future__ import annotations

import logging
import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NoReturn

log = logging.getLogger("celeriac.worker")

PATIENCE_S: Final = 10.0
"""So long the program may take to end."""
PAUSE_S: Final = 1.0
"""Before it is begun again."""


@contextmanager
def accompanied(run: Callable[[], int] | None) -> Iterator[None]:
    """Have ``run`` run in another process while the block runs; ``None``: nothing runs beside it."""
    if run is None:
        yield
        return
    theirs, ours = os.pipe()
    guard = os.fork()
    if guard == 0:
        os.close(ours)
        _guard(run, theirs)
    os.close(theirs)
    try:
        yield
    finally:
        os.close(ours)
        with suppress(ChildProcessError):
            os.waitpid(guard, 0)


def _guard(run: Callable[[], int], node: int) -> NoReturn:
    # The terminal sends Ctrl-C to everybody: the node decides what it means.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        while True:
            pid = _begin(run, node)
            ended = _wait(pid, node)
            if ended is None:
                break
            log.error("the beat of this node ended (%s); it begins again", ended)
            if select.select([node], [], [], PAUSE_S)[0]:
                break
    finally:
        os._exit(0)


def _begin(run: Callable[[], int], node: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.close(node)
        code = run()
    except BaseException:
        log.exception("the beat of this node failed")
    finally:
        os._exit(code)


def _wait(pid: int, node: int) -> str | None:
    """Wait until the program has ended, and say how; ``None``: the node has, and the program was ended, too."""
    while not select.select([node], [], [], 0.25)[0]:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return f"exit code {os.waitstatus_to_exitcode(status)}"
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    waited_s = 0.0
    while not os.waitpid(pid, os.WNOHANG)[0]:
        if waited_s >= PATIENCE_S:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            break
        select.select([], [], [], 0.02)
        waited_s += 0.02
    return None
