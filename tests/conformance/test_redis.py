"""The Redis store keeps the contract, on the server that ``CELERIAC_TEST_REDIS`` names; its database is emptied.

The server's clock is real, so leases are short and the tests wait for them. The store speaks through a proxy that can
lose an answer on its way.
"""

from __future__ import annotations

import os
import select
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.drivers.redis.store import RedisStore
from celeriac.testing.conformance import Conformance, KeepingTimetables, Subject

URL = os.environ.get("CELERIAC_TEST_REDIS", "")

redis = pytest.importorskip("redis")
pytestmark = pytest.mark.skipif(not URL, reason="CELERIAC_TEST_REDIS names no server")


class Lossy(socketserver.ThreadingTCPServer):
    """A proxy before the server."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.upstream = host, port
        self._losing = threading.Event()

    def lose_next_answer(self) -> None:
        """Cut the next connection on which the server answers, instead of passing the answer on."""
        self._losing.set()

    def loses(self) -> bool:
        """Say, once, whether this answer is to be lost."""
        losing = self._losing.is_set()
        self._losing.clear()
        return losing


class Exchange(socketserver.BaseRequestHandler):
    """One connection through the proxy."""

    server: Lossy

    def handle(self) -> None:
        with socket.create_connection(self.server.upstream) as upstream, suppress(ConnectionError):
            other = {self.request: upstream, upstream: self.request}
            while True:
                for end in select.select(list(other), [], [])[0]:
                    data = end.recv(1 << 16)
                    if not data or (end is upstream and self.server.loses()):
                        return
                    other[end].sendall(data)


@contextmanager
def lossy(url: str) -> Iterator[tuple[Lossy, str]]:
    """Run a proxy before the server of ``url``; give it and its own URL."""
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or 6379
    with Lossy(host, port) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        yield proxy, parts._replace(netloc=f"{login}127.0.0.1:{proxy.server_address[1]}").geturl()
        proxy.shutdown()
        thread.join()


class TestRedisStore(Conformance, KeepingTimetables):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        runtime = SystemRuntime()
        with closing(redis.Redis.from_url(URL)) as client, lossy(URL) as (proxy, url):
            client.flushdb()
            with closing(RedisStore(url, runtime=runtime)) as store, closing(RedisStore(URL, runtime=runtime)) as another:
                yield Subject(
                    store=store,
                    runtime=runtime,
                    advance=time.sleep,
                    another=lambda: another,
                    inject=client.lpush,
                    lose_next_answer=proxy.lose_next_answer,
                    lease_s=0.3,
                )
            client.flushdb()
