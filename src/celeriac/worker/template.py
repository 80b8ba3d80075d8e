"""The template: a process that does nothing but fork children, and say when one has ended.

In a node's life: forked from the ``worker`` command after the app was imported and before there is any thread or
connection; so its forks share the imported code with everybody and inherit no lock that some thread held. The supervisor
talks to it over a pair of sockets. It ends when the supervisor does. Does not know: what a child does.
"""

from __future__ import annotations

import gc
import logging
import os
import select
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from msgspec import msgpack

from celeriac.worker.lanes.real import start_thread
from celeriac.worker.nursery import Order, Report
from celeriac.worker.os_signals import leave_to_supervisor

log = logging.getLogger("celeriac.worker")

ChildMain = Callable[[Order], int]
"""What a child runs: who it is -> exit code."""


def _nothing() -> None:
    """Nobody wants to know."""


class Template:
    """The supervisor's end: a Nursery."""

    slow = False

    def __init__(self, child_main: ChildMain, before_fork: Callable[[], object] = _nothing) -> None:
        """Fork; the caller has no threads and no connections. ``before_fork`` is called before each fork of a child, there."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Only we hold the writing end: when we are gone, whoever reads the other hears it.
        lifeline, self._lifeline = os.pipe()
        # A collection writes to every object that it looks at, and so would copy every page that we share with our forks.
        gc.collect()
        gc.freeze()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            os.close(self._lifeline)
            _serve(theirs, lifeline, child_main, before_fork)
        theirs.close()
        os.close(lifeline)
        ours.setblocking(False)
        self._socket = ours
        self._unsent: deque[bytes] = deque()
        """Orders for which the socket has no room yet. Each order is answered, and then they are tried again."""

    def fileno(self) -> int:
        """Readable when there are reports."""
        return self._socket.fileno()

    def prepare(self) -> None:
        """A child is forked in a few milliseconds."""

    def renew(self) -> None:
        """Children have what the template has imported."""

    def order(self, order: Order) -> None:
        """Have a child forked; its Report follows."""
        self._unsent.append(msgpack.encode(order))
        self._send()

    def reports(self) -> list[Report]:
        """Return what happened since the last call.

        Raises:
            EOFError: the template itself has died.
        """
        reports: list[Report] = []
        while True:
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                self._send()
                return reports
            except OSError:
                data = b""
            if not data:
                raise EOFError("the template process has died")
            reports.append(msgpack.decode(data, type=Report))

    def close(self) -> None:
        """Let it end, and wait for that."""
        self._socket.close()
        os.close(self._lifeline)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _send(self) -> None:
        with suppress(OSError):  # it is full, or the template has died, which ``reports`` will say
            while self._unsent:
                self._socket.send(self._unsent[0])
                self._unsent.popleft()


def _serve(orders: socket.socket, lifeline: int, child_main: ChildMain, before_fork: Callable[[], object]) -> NoReturn:
    """The template's whole life. Never returns: a fork must not run its parent's code to the end."""
    code = 1
    try:
        leave_to_supervisor()  # Ctrl-C reaches the whole group
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        heard, bell = os.pipe()
        os.set_blocking(bell, False)
        os.set_blocking(heard, False)
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        children: dict[int, Order] = {}
        while True:
            ready, _, _ = select.select([orders.fileno(), heard], [], [])
            if heard in ready:
                with suppress(BlockingIOError):
                    os.read(heard, 4096)
                _reap(children, orders)
            if orders.fileno() in ready:
                data = orders.recv(65536)
                if not data:
                    code = 0
                    break
                order = msgpack.decode(data, type=Order)
                before_fork()
                try:
                    pid = os.fork()
                except OSError as error:
                    # Too little memory, too many processes: that passes, and the template is not to pass before it.
                    log.error("child %s could not be forked: %s", order.name, error, extra={"event": "child-not-forked"})
                    orders.send(msgpack.encode(Report.stillborn(order.name)))
                    continue
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for descriptor in (heard, bell):
                        os.close(descriptor)
                    orders.close()
                    _live(order, lifeline, child_main)
                children[pid] = order
                orders.send(msgpack.encode(Report(order.name, pid)))
    except (BrokenPipeError, ConnectionResetError):
        code = 0  # the supervisor is gone
    finally:
        os._exit(code)


def _live(order: Order, lifeline: int, child_main: ChildMain) -> NoReturn:
    code = 1
    try:
        watch_lifeline(lifeline)
        code = child_main(order)
    except BaseException:
        import traceback  # late: a child that ends well does not need it

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(code)


def watch_lifeline(lifeline: int) -> None:
    """Have this process end when its supervisor is gone: nobody keeps its lease any more."""

    def wait() -> None:
        os.read(lifeline, 1)
        os._exit(1)

    # Of the system's also where the app has made threads greenlets: this one must hear while the others are held up.
    start_thread(wait, name="celeriac-lifeline")


def _reap(children: dict[int, Order], orders: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        order = children.pop(pid, None)
        if order is not None:
            orders.send(msgpack.encode(Report(order.name, pid, status)))
