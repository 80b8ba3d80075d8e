"""Stores that can be broken, and fleets that leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from system.fleet import Fleet
from system.processes import PROC
from system.redis_server import PROGRAM, RedisServer, free_port


@pytest.fixture(autouse=True)
def _proc() -> None:
    if not (PROC / "self" / "stat").exists():
        pytest.skip("these tests look at processes through /proc")


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """Give a running Redis server of one's own."""
    if PROGRAM is None:
        pytest.skip("no redis-server on the PATH")
    folder = tmp_path / "redis"
    folder.mkdir()
    server = RedisServer(folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty store, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url


@pytest.fixture
def fleets(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Give a function that makes a fleet on a store."""
    made: list[Fleet] = []

    def make(url: str, *, lease_s: float = 3.0) -> Fleet:
        made.append(Fleet(tmp_path, url, lease_s=lease_s))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()


@pytest.fixture
def fleet(fleets: Callable[..., Fleet], url: str) -> Fleet:
    """Give a fleet on a store of each kind, whose lease is three seconds."""
    return fleets(url)


@pytest.fixture
def local_fleet(fleets: Callable[..., Fleet], tmp_path: Path) -> Fleet:
    """Give a fleet on SQLite, for what has nothing to do with the kind of the store."""
    return fleets(f"sqlite:///{tmp_path / 'store.db'}")


@pytest.fixture
def redis_less_fleet(fleets: Callable[..., Fleet]) -> Fleet:
    """Give a fleet whose server does not run."""
    return fleets(f"redis://127.0.0.1:{free_port()}/0")
