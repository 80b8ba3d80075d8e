"""The health endpoint of a node: a small answer to whoever asks how it is, over HTTP.

In a node's life: from before it is ready until after its last child. A thread of its own answers from what is in memory:
neither a store that is away nor a busy child delays it. Clients are strangers: what they send is bounded in size and time, and
when there are too many the oldest goes. A second thread counts what waits. Does not know: what is healthy (``vitals``).
"""

from __future__ import annotations

import json
import logging
import selectors
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct, to_builtins

from celeriac.abc import Broker, Runtime
from celeriac.core.endpoint import Address
from celeriac.core.errors import OperationalError
from celeriac.worker.listening import open_listener, remove_listener
from celeriac.worker.stopping import Stage, Stopping
from celeriac.worker.vitals import Finding, Signs, live, progressing, ready

log = logging.getLogger("celeriac.worker")

COUNT_S: Final = 5.0
"""Between two looks at the queues."""
PATIENCE_S: Final = 2.0
"""How long one client may take, from its first byte to our last."""
CLIENTS: Final = 64
"""At a time."""
LONGEST: Final = 8192
"""Bytes of a request."""
_ENDS: Final = (b"\r\n\r\n", b"\n\n")
_REASONS: Final = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


class Patient(Struct, frozen=True, kw_only=True):
    """A node, as far as its health needs to know it. Each is called from the threads here and answers from memory."""

    turned_at: Callable[[], float]
    """When its loop last came round, by the monotonic clock."""
    children: Callable[[], int]
    """How many processes live that run tasks."""
    ended: Callable[[], int]
    """Another number whenever a task has ended."""
    store_answers: Callable[[], bool]
    queues: Callable[[], Sequence[str]]
    """Those that it serves now."""


class Gauge:
    """Looks every few seconds at what moves, and at what waits in the queues."""

    def __init__(self, patient: Patient, store: Broker, stopping: Stopping, runtime: Runtime) -> None:
        self._patient, self._store, self._stopping, self._runtime = patient, store, stopping, runtime
        self._waiting: int | None = None
        self._ended = patient.ended()
        self._moved_at = runtime.monotonic()
        self.announced = False
        """It has been ready once: registered, and every child fetched."""

    def look(self) -> None:
        """Look once."""
        if (ended := self._patient.ended()) != self._ended:
            self._ended, self._moved_at = ended, self._runtime.monotonic()
        try:
            paused = self._store.rules().paused_queues
            open_queues = [queue for queue in self._patient.queues() if queue not in paused]
            self._waiting = sum(self._store.depth(open_queues)) if open_queues else 0
        except OperationalError:
            self._waiting = None

    def signs(self) -> Signs:
        """Return what is known now."""
        patient, now = self._patient, self._runtime.monotonic()
        still = patient.ended() == self._ended
        return Signs(
            turned_s=now - patient.turned_at(),
            announced=self.announced,
            children=patient.children(),
            store_answers=patient.store_answers(),
            stopping=max(self._stopping.stage, Stage.WARM).name.lower() if self._stopping.is_asked else "",
            waiting=self._waiting,
            still_s=now - self._moved_at if still else 0.0,
        )


class Health:
    """The endpoint of one node."""

    def __init__(self, address: Address, gauge: Gauge, *, name: str, window_s: float) -> None:
        """Listen at once.

        Raises:
            ImproperlyConfigured: this address is not to be had.
        """
        self._address, self._gauge, self._name, self._window_s = address, gauge, name, window_s
        self._listener = open_listener(address)
        self._closed = threading.Event()
        self._wake, self._waker = socket.socketpair()
        self._server = threading.Thread(target=self._serve, name="celeriac-health", daemon=True)

    def start(self) -> None:
        """Begin to answer. Call after the last fork of this process."""
        self._server.start()
        threading.Thread(target=self._count, name="celeriac-gauge", daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._closed.set()
        self._waker.close()
        if self._server.ident is not None:
            self._server.join(PATIENCE_S)
        self._wake.close()
        self._listener.close()
        remove_listener(self._address)

    @property
    def port(self) -> int:
        """Where it listens; 0 for a socket in the file system."""
        return int(self._listener.getsockname()[1]) if self._listener.family != socket.AF_UNIX else 0

    def answer(self, request: bytes) -> bytes:
        """Return the whole answer to a whole request."""
        line = request.split(b"\n", 1)[0].decode("latin-1").split()
        if len(line) != 3 or not line[2].startswith("HTTP/"):
            return _told(400, "this is no HTTP request")
        method, target, _ = line
        if method not in ("GET", "HEAD"):
            return _told(405, f"{method[:20]} is not answered here")
        status, text, kind = self._page(target.partition("?")[0])
        return _told(status, text, kind, with_body=method == "GET")

    def _page(self, path: str) -> tuple[int, str, str]:
        signs = self._gauge.signs()
        findings = {"live": live(signs), "ready": ready(signs), "progress": progressing(signs, window_s=self._window_s)}
        if path == "/":
            ok = findings["live"].ok and findings["ready"].ok
            return 200 if ok else 503, json.dumps(self._all(signs, findings)), "application/json"
        finding = findings.get(path.strip("/"))
        if finding is None:
            return 404, "ask for /live, /ready, /progress or /", "text/plain"
        return 200 if finding.ok else 503, finding.why, "text/plain"

    def _all(self, signs: Signs, findings: dict[str, Finding]) -> dict[str, object]:
        return {"node": self._name, **{name: to_builtins(found) for name, found in findings.items()}, "signs": to_builtins(signs)}

    def _count(self) -> None:
        while True:
            try:
                self._gauge.look()
            except Exception:
                log.exception("the queues of this node could not be counted")
            if self._closed.wait(COUNT_S):
                return

    def _serve(self) -> None:
        try:
            Clients(self._listener, self._wake, self.answer).serve()
        except Exception:
            if not self._closed.is_set():
                log.exception("the health endpoint of this node failed")


class Clients:
    """Those who ask, all in one thread: none of them can hold up another."""

    def __init__(self, listener: socket.socket, wake: socket.socket, answer: Callable[[bytes], bytes]) -> None:
        self._listener, self._wake, self._answer = listener, wake, answer
        self._asking: dict[socket.socket, tuple[float, bytearray]] = {}
        """Who has not said all: since when, and what so far. The oldest comes first."""
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Serve until ``wake`` is closed at its other end."""
        import time  # late: a virtual clock has no business with sockets

        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        try:
            while True:
                for key, _ in self._selector.select(1.0 if self._asking else None):
                    if key.fileobj is self._wake:
                        return
                    if key.fileobj is self._listener:
                        self._accept(time.monotonic())
                    elif isinstance(key.fileobj, socket.socket):
                        self._read(key.fileobj)
                now = time.monotonic()
                for client in [client for client, (since, _) in self._asking.items() if now - since > PATIENCE_S]:
                    self._drop(client)
        finally:
            for client in list(self._asking):
                self._drop(client)
            self._selector.close()

    def _accept(self, now: float) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:  # it went away, or this process may open no more files
            return
        if len(self._asking) >= CLIENTS:
            self._drop(next(iter(self._asking)))
        client.setblocking(False)
        self._asking[client] = now, bytearray()
        self._selector.register(client, selectors.EVENT_READ)

    def _read(self, client: socket.socket) -> None:
        _, said = self._asking[client]
        try:
            data = client.recv(LONGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        said += data
        if data and len(said) < LONGEST and not any(end in said for end in _ENDS):
            return
        with suppress(OSError):
            if said:
                # Less than any socket buffers: it never blocks, and who does not read it misses it.
                client.send(self._answer(bytes(said)))
                client.shutdown(socket.SHUT_WR)
        self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        del self._asking[client]
        self._selector.unregister(client)
        client.close()


def _told(status: int, text: str, kind: str = "text/plain", *, with_body: bool = True) -> bytes:
    body = f"{text}\n".encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (body if with_body else b"")
