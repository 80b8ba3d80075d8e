"""A nursery that starts a fresh interpreter for each child: where processes cannot be forked, or must not be.

In a node's life: in place of the template, with ``worker_pool_start_method`` ``spawn`` and in pools whose children are patched
before anything is imported. Each child runs the program of the node once more, imports the app again, and shares nothing with
the others but the slots and the orders. Does not know: what a child does.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
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

log = logging.getLogger("celeriac.worker")

_PATIENCE_S: Final = 5.0
"""How long to wait for the ends of children whose node is over."""
_PAUSE_S: Final = 10.0
"""Before another interpreter is in reserve, if one has ended there by itself."""


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

    slow = True

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
        self._reserve: _Interpreter | None = None
        self._prepared_at = -_PAUSE_S

    def fileno(self) -> int:
        """Readable when there are reports."""
        return self._heard

    def order(self, order: Order) -> None:
        """Give a child its name: the one in reserve, or an interpreter that starts now; its Report follows."""
        child, self._reserve = self._reserve, None
        if child is not None and child.takes(order):
            self._prepared_at = -_PAUSE_S
        else:
            try:
                child = self._start()
            except OSError as error:
                log.error("child %s could not be started: %s", order.name, error, extra={"event": "child-not-started"})
                self._say(Report.stillborn(order.name))
                return
            child.takes(order)
        self._say(Report(order.name, child.pid))
        waiting = threading.Thread(target=self._wait, args=(order.name, child), name="celeriac-nursery", daemon=True)
        self._waiting = [thread for thread in self._waiting if thread.is_alive()]
        self._waiting.append(waiting)
        waiting.start()

    def prepare(self) -> None:
        """Have one interpreter in reserve, which has imported the app already."""
        if self._reserve is not None and self._reserve.lives:
            return
        now = time.monotonic()
        if now - self._prepared_at >= _PAUSE_S:  # one that ends by itself would end again
            self._prepared_at = now
            with suppress(OSError):  # too little memory, too many processes: that passes, and it is only for haste
                self._reserve = self._start()

    def renew(self) -> None:
        """Let the one in reserve go: it has imported what is not wanted any more."""
        if self._reserve is not None:
            self._reserve.end()
            self._reserve = None
        self._prepared_at = -_PAUSE_S

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
        self.renew()
        os.close(self._held)
        for waiting in self._waiting:
            waiting.join(_PATIENCE_S)

    def _start(self) -> _Interpreter:
        self._before()
        return _Interpreter(replace(self._birth, lifeline=self._lifeline), self._program, self._home)

    def _wait(self, name: str, child: _Interpreter) -> None:
        code = child.wait()
        self._say(Report(name, child.pid, -code if code < 0 else code << 8))

    def _say(self, report: Report) -> None:
        self._reports.put(report)
        os.write(self._bell, b"\0")


class _Interpreter:
    """A process that becomes a child when it is told which."""

    def __init__(self, birth: Birth, program: str, home: str | None) -> None:
        orders, self._orders = os.pipe()
        birth = replace(birth, orders=orders)
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- it is our own
                [sys.executable, *_args_from_interpreter_flags(), "-c", program],
                env={**os.environ, VARIABLE: json.encode(birth).decode()},
                pass_fds=(birth.commons, birth.lifeline, birth.stacks, orders),
                stdin=subprocess.DEVNULL,
                cwd=home,
            )
        finally:
            os.close(orders)
        self.pid = self._process.pid

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def takes(self, order: Order) -> bool:
        """Tell it which child it is; ``False``: it has ended, and nobody waits for it any more."""
        try:
            os.write(self._orders, json.encode(order) + b"\n")
        except BrokenPipeError:
            self._process.wait()
            return False
        finally:
            os.close(self._orders)
        return True

    def end(self) -> None:
        """End it; it has not become anybody."""
        os.close(self._orders)
        self._process.kill()
        self._process.wait()

    def wait(self) -> int:
        """Wait until it has ended; return its exit code, negative for a signal."""
        return self._process.wait()
