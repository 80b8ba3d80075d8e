"""A server that refuses, or takes the connection and never says a word: every wait has an end."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from celeriac import Celery, OperationalError
from system.fleet import Fleet
from system.redis_server import free_port

DEADLINE_S = 5.0
GRACE_S = 0.5
START_S = 5.0
"""For a command to start, on a machine that has other things to do."""
MANY = 20


@pytest.fixture
def black_hole() -> Iterator[str]:
    """Give the URL of a server that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(256)
        yield f"redis://:hunter2@127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.fixture
def full_hole() -> Iterator[str]:
    """Give the URL of a server that does not even take connections: they are neither accepted nor refused."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"redis://:hunter2@127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.fixture
def nobody() -> str:
    """Give the URL of a server that does not run."""
    return f"redis://:hunter2@127.0.0.1:{free_port()}/0"


@pytest.fixture(params=["nobody", "black_hole", "full_hole"])
def silent(request: pytest.FixtureRequest) -> str:
    """Give the URL of a server that does not answer, of each kind."""
    url: str = request.getfixturevalue(request.param)
    return url


def took(call: Callable[[], object]) -> float:
    """Return how long a call takes until it raises what is promised."""
    began = time.monotonic()
    with pytest.raises(OperationalError) as caught:
        call()
    assert "hunter2" not in str(caught.value)
    return time.monotonic() - began


@pytest.mark.alone
def test_publishing_ends_within_its_deadline(silent: str) -> None:
    with Celery("client", broker=silent, backend=silent, set_as_current=False) as app:
        assert took(lambda: app.send_task("jobs.add", (1, 1))) <= DEADLINE_S + GRACE_S


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    "kind", [pytest.param("nobody", marks=pytest.mark.long), pytest.param("black_hole", marks=pytest.mark.long)]
)
def test_publishing_ends_within_its_deadline_the_twentieth_time_too(kind: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(kind)
    with Celery("client", broker=url, backend=url, set_as_current=False) as app:
        times = [took(lambda: app.send_task("jobs.add", (1, 1))) for _ in range(MANY)]

    assert max(times) <= DEADLINE_S + GRACE_S


def test_publishing_without_retries_ends_sooner(nobody: str) -> None:
    with Celery("client", broker=nobody, backend=nobody, set_as_current=False) as app:
        assert took(lambda: app.send_task("jobs.add", (1, 1), retry=False)) < 1.0


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("nobody", ("call", "jobs.add", "-a", "[1, 2]")),
        ("nobody", ("purge", "-f")),
        ("black_hole", ("call", "jobs.add", "-a", "[1, 2]")),
        ("black_hole", ("status",)),
    ],
)
def test_a_command_says_in_one_sentence_that_nobody_answers(
    fleets: Callable[..., Fleet], kind: str, words: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    fleet = fleets(request.getfixturevalue(kind))
    began = time.monotonic()

    ran = fleet.celeriac(*words)

    assert time.monotonic() - began < DEADLINE_S + START_S
    assert_one_sentence(ran)
    assert "does not answer" in ran.stderr
    assert ran.returncode == 69


def assert_one_sentence(ran: subprocess.CompletedProcess[str]) -> None:
    """One line on stderr, no traceback, no password, and an exit code that is not 0."""
    assert ran.returncode != 0
    lines = [line for line in ran.stderr.splitlines() if "runs as root" not in line]
    assert len(lines) == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "hunter2" not in ran.stderr + ran.stdout


@pytest.mark.parametrize("kind", ["nobody", "black_hole"])
def test_a_worker_waits_for_its_server_and_says_how_long(
    fleets: Callable[..., Fleet], kind: str, request: pytest.FixtureRequest
) -> None:
    node = fleets(request.getfixturevalue(kind)).start("-c", "1", wait=False)

    line = node.wait_for_line(r"waiting for [1-9]\d* s so far", within_s=20)

    assert "trying again" in line
    assert "hunter2" not in node.log
    assert "Traceback" not in node.log
    assert node.process.poll() is None


@pytest.mark.parametrize("kind", ["nobody", "black_hole"])
def test_a_worker_that_must_not_wait_ends(fleets: Callable[..., Fleet], kind: str, request: pytest.FixtureRequest) -> None:
    fleet = fleets(request.getfixturevalue(kind))

    ran = fleet.celeriac("--quiet", "worker", "-c", "1", "broker_connection_retry_on_startup=false")

    assert ran.returncode == 69
    assert "does not answer" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "hunter2" not in ran.stderr + ran.stdout
