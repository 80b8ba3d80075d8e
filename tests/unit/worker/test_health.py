"""The health endpoint, asked by good clients and bad ones."""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.cli.health import ask
from celeriac.core.endpoint import TcpAddress, UnixAddress
from celeriac.core.errors import BrokerUnreachable, ImproperlyConfigured
from celeriac.core.rules import Rules
from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.conformance.subject import an_outgoing
from celeriac.worker.health import CLIENTS, PATIENCE_S, Gauge, Health, Patient
from celeriac.worker.stopping import Stopping


class AbsentStore(MemoryStore):
    """A store that does not answer."""

    def rules(self) -> Rules:
        raise BrokerUnreachable("away")


def a_gauge(store: MemoryStore | None = None) -> Gauge:
    runtime = SystemRuntime()
    patient = Patient(
        turned_at=runtime.monotonic, children=lambda: 2, ended=lambda: 7, store_answers=lambda: True, queues=lambda: ["q"]
    )
    gauge = Gauge(patient, store or MemoryStore(runtime=runtime), Stopping(), runtime)
    gauge.announced = True
    return gauge


@pytest.fixture
def health() -> Iterator[Health]:
    endpoint = Health(TcpAddress("127.0.0.1", 0), a_gauge(), name="a@b", window_s=300.0)
    endpoint.start()
    yield endpoint
    endpoint.close()


def get(health: Health, path: str, method: str = "GET") -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", health.port, timeout=5)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


@pytest.mark.parametrize("path", ["/live", "/ready", "/progress", "/live?verbose", "/"])
def test_a_node_that_is_well_says_so(health: Health, path: str) -> None:
    status, _ = get(health, path)

    assert status == 200


def test_all_that_is_known_comes_as_json(health: Health) -> None:
    _, body = get(health, "/")

    assert json.loads(body)["signs"]["children"] == 2


@pytest.mark.parametrize(("path", "method", "expected"), [("/dead", "GET", 404), ("/live", "POST", 405), ("/live", "HEAD", 200)])
def test_what_is_not_asked_as_it_should_be_is_refused(health: Health, path: str, method: str, expected: int) -> None:
    status, _ = get(health, path, method)

    assert status == expected


@pytest.mark.parametrize("request_", [b"hello\r\n\r\n", b"\0\xff\r\n\r\n", b"GET\r\n\r\n", b"x" * 20_000])
def test_nonsense_is_answered_with_a_refusal(health: Health, request_: bytes) -> None:
    with socket.create_connection(("127.0.0.1", health.port), timeout=5) as client:
        client.sendall(request_)
        said = client.recv(100)

    assert said.startswith(b"HTTP/1.1 400 ")


def test_clients_that_say_nothing_hold_up_nobody_and_are_dropped(health: Health) -> None:
    silent = [socket.create_connection(("127.0.0.1", health.port), timeout=5) for _ in range(CLIENTS + 10)]

    began = time.monotonic()
    status, _ = get(health, "/live")
    answered_s = time.monotonic() - began
    silent[-1].settimeout(PATIENCE_S + 3)
    said = silent[-1].recv(1)

    assert (status, said) == (200, b"")
    assert answered_s < 1.0
    for client in silent:
        client.close()


def test_a_store_that_is_away_makes_nobody_dead() -> None:
    gauge = a_gauge(AbsentStore(runtime=SystemRuntime()))
    gauge.look()

    signs = gauge.signs()

    assert signs.waiting is None


def test_what_waits_in_a_paused_queue_is_no_lack_of_progress() -> None:
    store = MemoryStore(runtime=SystemRuntime())
    gauge = a_gauge(store)
    store.publish([an_outgoing("waiting")])

    gauge.look()
    before = gauge.signs().waiting
    store.pause(queues=["q"])
    gauge.look()

    assert (before, gauge.signs().waiting) == (1, 0)


def test_a_socket_file_is_for_this_user_alone_and_goes_with_the_endpoint(tmp_path: Path) -> None:
    path = tmp_path / "health.sock"
    endpoint = Health(UnixAddress(str(path)), a_gauge(), name="a@b", window_s=300.0)
    endpoint.start()

    mode = stat.S_IMODE(path.stat().st_mode)
    told = ask(UnixAddress(str(path)), 5.0)
    endpoint.close()

    assert (mode, told["ready"]["ok"], path.exists()) == (0o600, True, False)


def test_a_socket_file_that_was_left_behind_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "health.sock")
    left = socket.socket(socket.AF_UNIX)
    left.bind(path)
    left.close()

    endpoint = Health(UnixAddress(path), a_gauge(), name="a@b", window_s=300.0)
    with pytest.raises(ImproperlyConfigured, match="in use"):
        Health(UnixAddress(path), a_gauge(), name="a@b", window_s=300.0)

    endpoint.close()
    assert not os.path.exists(path)


def test_a_file_that_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")

    with pytest.raises(ImproperlyConfigured):
        Health(UnixAddress(str(path)), a_gauge(), name="a@b", window_s=300.0)

    assert path.read_text() == "data"
