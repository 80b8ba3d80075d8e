"""What the signals of the operating system mean to the processes of a node.

In a node's life: ``hear`` in the supervisor, ``hear_as_child`` in each child, both before their loops begin. A handler notes what
was asked and returns: what follows is done by the loops, so that no handler ever interrupts half of something.

Signals that a terminal sends to everybody at once (Ctrl-C, Ctrl-\\, a hang-up) are the supervisor's to judge: its children hear
them and do nothing. They do not *ignore* them, because what is ignored stays so in every program that a task starts.
Does not know: what stopping means.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from threading import main_thread
from types import FrameType
from typing import Final

from celeriac.worker.stopping import Ask, Stopping

LOOK: Final = signal.SIGURG
"""To a child: look at what the supervisor wrote for you. A process without a handler for it survives it."""
SOFT_LIMIT: Final = signal.SIGUSR1
"""Terminate a task with this one, and it hears that its soft limit is over. Source: Celery's workers did, by their handler."""
STACKS: Final = signal.SIGUSR1
"""To a node: print what every thread of every process is doing."""
DEBUG: Final = signal.SIGUSR2
"""To one process: wait in a debugger."""
REMAP_VARIABLE: Final = "REMAP_SIGTERM"
"""Environment: ``SIGQUIT`` makes SIGTERM a cold stop. Source: Celery's guide "Workers", shutting down."""
DEBUG_VARIABLE: Final = "CELERY_RDBSIG"
"""Environment: set, ``DEBUG`` opens the debugger. Source: Celery's guide "Debugging"."""
AGAIN_VARIABLE: Final = "CELERIAC_BEGAN_AGAIN"
"""Environment: the id of a process whose program began again, and which ignores SIGHUP for that reason until it hears."""
FOR_THE_SUPERVISOR: Final = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR2)


def hear(stopping: Stopping, *, when_heard: Callable[[], object], show_stacks: Callable[[], object]) -> None:
    """Have the signals of an operator noted. Call in the main thread of the node.

    Args:
        stopping: Told what was asked for.
        when_heard: Called after that, in the handler: whatever makes a loop look at ``stopping``.
        show_stacks: Called in the handler; must not wait for anything.
    """

    def ask(what: Ask) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, _frame: FrameType | None) -> None:
            stopping.ask(what, signal.Signals(number).name)
            when_heard()

        return handle

    signal.signal(signal.SIGTERM, ask(Ask.QUIT if os.environ.get(REMAP_VARIABLE) == "SIGQUIT" else Ask.FINISH))
    signal.signal(signal.SIGINT, ask(Ask.FINISH))
    signal.signal(signal.SIGQUIT, ask(Ask.QUIT))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN or os.environ.get(AGAIN_VARIABLE) == str(os.getpid()):  # else: nohup
        # On a terminal it says that the terminal is gone, and whoever sat there would not see the new program.
        signal.signal(signal.SIGHUP, ask(Ask.FINISH if _on_a_terminal() else Ask.RESTART))
    signal.signal(STACKS, lambda *_: show_stacks())
    _hear_debugger()


def hear_as_child(*, stop: Callable[[], object], look: Callable[[], object]) -> None:
    """Have a child hear its supervisor, and nobody else. Call in its main thread."""
    leave_to_supervisor()
    signal.signal(signal.SIGTERM, lambda *_: stop())
    signal.signal(LOOK, lambda *_: look())
    _hear_debugger()


def hear_look(look: Callable[[], object]) -> None:
    """Have a node that runs its tasks itself hear what a thread of its own asks. Call in the main thread."""
    signal.signal(LOOK, lambda *_: look())


def have_look() -> None:
    """Have the main thread of this process look at what it is asked."""
    signal.pthread_kill(main_thread().ident or 0, LOOK)


def leave_to_supervisor() -> None:
    """Survive what a terminal sends to every process of a program."""
    for number in FOR_THE_SUPERVISOR:
        signal.signal(number, _nothing)


def _hear_debugger() -> None:
    if os.environ.get(DEBUG_VARIABLE):
        signal.signal(DEBUG, _debug)
    else:
        signal.signal(DEBUG, _nothing)


def _debug(_number: int, frame: FrameType | None) -> None:
    from celeriac.worker.rdb import set_trace  # late: nobody debugs a worker that is well

    set_trace(frame)


def _on_a_terminal() -> bool:
    try:
        return sys.stdin.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def _nothing(*_: object) -> None:
    """It is for the supervisor."""
