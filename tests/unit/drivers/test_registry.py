"""From URLs to a store."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from celeriac.abc import Store
from celeriac.core.errors import ImproperlyConfigured, MissingExtra
from celeriac.drivers.memory.store import MemoryStore
from celeriac.drivers.pair import Pair
from celeriac.drivers.registry import open_store, places
from celeriac.drivers.sqlite.store import SqliteStore
from celeriac.testing.clock import VirtualRuntime

ENVIRON = {"HOME": "/home/u"}
REDIS = os.environ.get("CELERIAC_TEST_REDIS", "")
EMBEDDED = "sqlite:////home/u/.local/share/celeriac/celeriac.db"


def opened(broker: str | None, results: str | None) -> Store:
    return open_store(broker, results, runtime=VirtualRuntime(), environ=ENVIRON)


def test_one_place_for_both_is_one_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/q.db"

    store = opened(url, url)

    assert isinstance(store, SqliteStore)
    store.close()


@pytest.mark.parametrize("url", [None, "sqlite://"])
def test_the_folder_of_the_default_file_is_created(tmp_path: Path, url: str | None) -> None:
    store = open_store(url, url, runtime=VirtualRuntime(), environ={"XDG_DATA_HOME": str(tmp_path / "data")})

    depths = store.depth(["q"])
    store.close()

    assert depths == [0]
    assert (tmp_path / "data" / "celeriac" / "celeriac.db").is_file()


def test_the_folder_of_a_file_that_was_given_is_not_created(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mistyped/q.db"

    store = opened(url, url)

    with pytest.raises(ImproperlyConfigured, match=f"no folder '{tmp_path}/mistyped'"):
        store.depth(["q"])


def test_two_places_are_a_pair(tmp_path: Path) -> None:
    assert isinstance(opened("memory://pair", f"sqlite:///{tmp_path}/q.db"), Pair)
    assert isinstance(opened("memory://pair", "memory://other"), Pair)


def test_apps_of_one_process_share_a_memory_store_of_one_name() -> None:
    one, other, third = opened("memory://a", "memory://a"), opened("memory://a", "memory://a"), opened("memory://b", "memory://b")

    assert isinstance(one, MemoryStore)
    assert one is other
    assert one is not third


def test_celerys_cache_in_memory_is_our_memory() -> None:
    one, other = opened("memory://", "cache+memory://"), opened("memory://", "memory://")

    assert one is other


def test_a_redis_may_keep_both_in_two_databases() -> None:
    pytest.importorskip("redis")
    from celeriac.drivers.redis.store import RedisStore

    assert isinstance(opened("redis://localhost:1/0", "redis://localhost:1/1"), RedisStore)
    assert isinstance(opened("redis", "redis"), RedisStore)
    assert isinstance(opened("redis://localhost:1/0", "redis://localhost:2/0"), Pair)


@pytest.mark.parametrize(
    ("broker", "results", "found"),
    [
        (None, None, (EMBEDDED, EMBEDDED)),
        ("redis://", None, ("redis://", None)),
        ("redis://", "disabled://", ("redis://", None)),
        ("redis://", "redis://x", ("redis://", "redis://x")),
        (None, "redis://", (EMBEDDED, "redis://")),
        (None, "disabled", (EMBEDDED, None)),
        ("redis://", "cache+memory://", ("redis://", "memory://")),
    ],
)
def test_what_was_not_configured_is_filled_in(broker: str | None, results: str | None, found: tuple[str, str | None]) -> None:
    where = places(broker, results, ENVIRON)

    assert (where.broker, where.results) == found


def test_a_store_without_results_says_so_at_once() -> None:
    store = opened("memory://no-results", None)

    with pytest.raises(ImproperlyConfigured, match="no result backend is configured"):
        store.load(["a"])
    with pytest.raises(ImproperlyConfigured, match="no result backend is configured"):
        store.watch(["a"], lambda _id, _body: None)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("reddis://:hunter2@host", r"did you mean redis://\?"),
        ("amqp://guest:hunter2@host", "no driver of this version serves amqp://"),
        ("gopher://host", "there are memory://, sqlite://"),
        ("not a url", "is not the URL of a store"),
    ],
)
def test_a_url_that_no_driver_serves_is_refused_with_what_there_is(url: str, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said) as caught:
        opened(url, None)

    assert "hunter2" not in str(caught.value)


def test_a_missing_client_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("celeriac.drivers.redis.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)  # as if it were not installed

    with pytest.raises(MissingExtra, match=r"pip install 'celeriac\[redis\]'"):
        opened("redis://localhost", None)


@pytest.mark.parametrize("kind", ["memory", "sqlite", "redis"])
def test_a_store_remembers_as_many_revocations_as_the_environment_says(tmp_path: Path, kind: str) -> None:
    if kind == "redis" and not REDIS:
        pytest.skip("CELERIAC_TEST_REDIS names no server")
    url = {"memory": f"memory://{tmp_path}", "sqlite": f"sqlite:///{tmp_path}/q.db", "redis": REDIS}[kind]
    told = {"CELERY_WORKER_REVOKES_MAX": "3", "CELERY_WORKER_REVOKE_EXPIRES": "60"}
    runtime = VirtualRuntime()
    store = open_store(url, url, runtime=runtime, environ={**ENVIRON, **told})

    store.revoke(["d", "c", "b"])
    runtime.advance(1)
    store.revoke(["a"])
    kept = store.rules().revoked
    store.close()

    assert kept == {"c", "b", "a"}
