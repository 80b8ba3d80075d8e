"""A nursery that starts a fresh interpreter for each child: where processes cannot be forked, or must not be.

In a node's life: in place of the template, with ``worker_pool_start_method`` ``spawn`` and in pools whose children are patched
before anything is imported. Each child runs the program of the node once more, imports the app again, and shares nothing with
the others but the slots and the orders. Does not know: what a child does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.util import _args_from_interpreter_flags  # type: ignore[attr-defined]
from queue import Empty, SimpleQueue
from typing import Final

from msgspec import json
from msgspec.structs import replace

from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.birth import FIRST_WORDS, VARIABLE, Birth, Rerun
from celeriac.worker.nursery import Order, Report

_PATIENCE_S: Final = 5.0


def how_we_began(home: str | None) -> Rerun:
    """Return how this program is run once more; ``home``: the folder that it was begun in.

    Raises:
        ImproperlyConfigured: it cannot be: it came from no file.
    """
    main = sys.modules["__main__"]
    spec, path = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        return Rerun(sys.argv[1:], module=spec.name.removesuffix(".__main__"))
    if path is not None:
        return Rerun(sys.argv[1:], path=os.path.abspath(os.path.join(home or os.getcwd(), path)))
    raise ImproperlyConfigured("worker_pool_start_method 'spawn' runs this program once more for each process; it has no file")


class Spawner:
    """The supervisor's end: a Nursery."""

    def __init__(self, *, birth: Birth, first_line: str = "", home: str | None = None, before: Callable[[], object]) -> None:
        """Start nobody yet.

        Args:
            birth: What each child is told, but for its order and its lifeline.
            first_line: Python that each child runs before anything is imported.
            home: The folder in which its program begins. ``None``: this one.
            before: Called before each child is started.
        """
        self._birth, self._home, self._before = birth, home, before
        self._program = f"{first_line}\n{FIRST_WORDS}"
        self._lifeline, self._held = os.pipe()
        self._heard, self._bell = os.pipe()
        os.set_blocking(self._heard, False)
        self._reports: SimpleQueue[Report] = SimpleQueue()
        self._waiting: list[threading.Thread] = []

    def fileno(self) -> int:
        """Readable when there are reports."""
        return self._heard

    def order(self, order: Order) -> None:
        """Start an interpreter; its Report follows."""
        birth = replace(self._birth, order=order, lifeline=self._lifeline)
        self._before()
        child = subprocess.Popen(  # noqa: S603 -- it is our own
            [sys.executable, *_args_from_interpreter_flags(), "-c", self._program],
            env={**os.environ, VARIABLE: json.encode(birth).decode()},
            pass_fds=(birth.commons, birth.lifeline, birth.stacks),
            stdin=subprocess.DEVNULL,
            cwd=self._home,
        )
        self._say(Report(order.name, child.pid))
        waiting = threading.Thread(target=self._wait, args=(order.name, child), name="celeriac-nursery", daemon=True)
        self._waiting = [thread for thread in self._waiting if thread.is_alive()]
        self._waiting.append(waiting)
        waiting.start()

    def reports(self) -> list[Report]:
        """Return what happened since the last call."""
        with suppress(BlockingIOError):
            os.read(self._heard, 4096)
        reports: list[Report] = []
        while True:
            try:
                reports.append(self._reports.get_nowait())
            except Empty:
                return reports

    def close(self) -> None:
        """End whoever still lives, and wait for that."""
        os.close(self._held)
        for waiting in self._waiting:
            waiting.join(_PATIENCE_S)

    def _wait(self, name: str, child: subprocess.Popen[bytes]) -> None:
        code = child.wait()
        self._say(Report(name, child.pid, -code if code < 0 else code << 8))

    def _say(self, report: Report) -> None:
        self._reports.put(report)
        os.write(self._bell, b"\0")
