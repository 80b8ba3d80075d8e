"""The Redis store with servers as people run them: password, socket, TLS, two databases, a spare one, sentinels."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.core import envelope
from celeriac.core.errors import BrokerUnreachable, ImproperlyConfigured, LeaseExpired, OperationalError, StoreRefused
from celeriac.core.settlement import Settled
from celeriac.testing.conformance.subject import a_result, alive, an_outgoing, done, id_of, take, take_ids
from system.patience import eventually
from system.redis_server import PROGRAM, free_port

redis = pytest.importorskip("redis")

from celeriac.drivers.redis.store import RedisStore  # noqa: E402 - redis may be absent
from system.configured_redis import Authority, Servers, wait_for  # noqa: E402

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no redis-server on the PATH")

PASSWORD, ESCAPED = "p@ss/w:rd#%", "p%40ss%2Fw%3Ard%23%25"
MASTER = "shop"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    started = Servers(tmp_path)
    yield started
    started.end()


@pytest.fixture
def open_store() -> Iterator[Callable[..., RedisStore]]:
    opened: list[RedisStore] = []

    def open_one(url: str, **arguments: Any) -> RedisStore:
        opened.append(RedisStore(url, runtime=SystemRuntime(), **arguments))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


def serves(store: RedisStore) -> bool:
    """Take one message through its whole life; say whether its result arrived."""
    me = alive(store, "node-1")
    heard = threading.Event()
    store.watch(["a"], lambda _, __: heard.set())
    store.publish([an_outgoing("a")])
    [delivery] = take(store, me)
    store.settle([done(delivery, result=a_result("a"))], lessee=me)
    return heard.wait(5) and store.load(["a"]) == [a_result("a").body]


def test_a_password_with_special_characters_opens_the_server(servers: Servers, open_store: Callable[..., RedisStore]) -> None:
    _, port = servers.plain(f'requirepass "{PASSWORD}"')
    store = open_store(f"redis://:{ESCAPED}@127.0.0.1:{port}/0")

    assert serves(store)


@pytest.mark.parametrize("login", ["", ":wrong-secret@"])
def test_a_wrong_password_is_refused_at_once_in_one_sentence(
    servers: Servers, open_store: Callable[..., RedisStore], login: str
) -> None:
    _, port = servers.plain(f'requirepass "{PASSWORD}"')
    store = open_store(f"redis://{login}127.0.0.1:{port}/0")
    began = time.monotonic()

    with pytest.raises(StoreRefused) as refused:
        store.publish([an_outgoing("a")])

    assert time.monotonic() - began < 2
    assert re.search(rf"127\.0\.0\.1:{port}\S* refuses: .", str(refused.value))
    assert "\n" not in str(refused.value)
    assert "wrong-secret" not in str(refused.value)


def test_a_database_that_the_server_does_not_have_is_refused_at_once(
    servers: Servers, open_store: Callable[..., RedisStore]
) -> None:
    _, port = servers.plain()
    store = open_store(f"redis://127.0.0.1:{port}/99")
    began = time.monotonic()

    with pytest.raises(StoreRefused, match=f"127.0.0.1:{port} refuses: .*DB index is out of range"):
        store.publish([an_outgoing("a")])

    assert time.monotonic() - began < 2


def test_a_database_that_is_no_number_is_refused_before_anything_is_connected() -> None:
    with pytest.raises(ImproperlyConfigured, match="the database of a Redis URL is a number, not 'shop'"):
        RedisStore("redis://127.0.0.1:1/shop", runtime=SystemRuntime())


def test_who_waits_for_results_is_refused_too_and_served_when_the_server_has_changed_its_mind(
    servers: Servers, open_store: Callable[..., RedisStore]
) -> None:
    _, port = servers.plain(f'requirepass "{PASSWORD}"')
    store = open_store(f"redis://127.0.0.1:{port}/0")
    began = time.monotonic()

    with pytest.raises(StoreRefused, match="refuses"):
        store.load(["a"])
    with pytest.raises(StoreRefused, match="refuses"):
        store.watch(["a"], lambda _, __: None)

    assert time.monotonic() - began < 2
    with closing(redis.Redis(port=port, password=PASSWORD)) as client:
        client.config_set("requirepass", "")
    assert serves(store)


@pytest.mark.parametrize("form", ["redis+socket://:{login}@{path}?virtual_host=3", "unix://:{login}@{path}?db=3"])
def test_a_unix_socket_serves_without_a_port(
    servers: Servers, open_store: Callable[..., RedisStore], tmp_path: Path, form: str
) -> None:
    path = tmp_path / "redis.sock"
    servers.start("port 0", f'unixsocket "{path}"', f'requirepass "{PASSWORD}"')
    wait_for(unix_socket_path=str(path), password=PASSWORD)
    store = open_store(form.format(login=ESCAPED, path=path))

    assert serves(store)
    with closing(redis.Redis(unix_socket_path=str(path), password=PASSWORD, db=3)) as client:
        assert client.exists("celery-task-meta-a") == 1


def test_messages_and_results_in_two_databases_of_a_server_settle_in_one_step(
    servers: Servers, open_store: Callable[..., RedisStore]
) -> None:
    _, port = servers.plain()
    base = f"redis://127.0.0.1:{port}"
    store = open_store(f"{base}/1", result_url=f"{base}/2")
    me = alive(store, "node-1")
    store.publish([an_outgoing("a"), an_outgoing("b")])
    first, second = take(store, me)
    told = threading.Event()
    store.watch(["a"], lambda _, __: told.set())

    answers = store.settle(
        [
            done(first, result=a_result("a"), followups=(an_outgoing("next"),)),
            done(second, result=a_result("b")),
        ],
        lessee=me,
    )
    stale = store.settle([done(first, result=a_result("a2"), followups=(an_outgoing("never"),))], lessee=me)

    assert list(answers) == [Settled.APPLIED, Settled.APPLIED]
    assert list(stale) == [Settled.LEASE_LOST]
    assert take_ids(store, me) == ["next"]
    assert told.wait(5)
    with closing(redis.Redis(port=port, db=1)) as messages, closing(redis.Redis(port=port, db=2)) as results:
        assert sorted(results.keys()) == [b"celery-task-meta-a", b"celery-task-meta-b"]
        assert messages.keys("celery-task-meta-*") == []


@pytest.fixture
def tls(servers: Servers, tmp_path: Path) -> tuple[str, Authority]:
    """Give the URL of a server that talks TLS alone, and its authority."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on the PATH")
    authority, port = Authority(tmp_path / "authority"), free_port()
    files = {"cert": authority.certificate, "key": authority.key, "ca-cert": authority.ca}
    lines = [f'tls-{name}-file "{path}"' for name, path in files.items()]
    server = servers.start("port 0", f"tls-port {port}", "tls-auth-clients no", *lines)
    try:
        wait_for(port=port, ssl=True, ssl_cert_reqs="none")
    except AssertionError:
        if not server.alive() and "tls" in (server.folder / "redis.log").read_text():
            pytest.skip("this redis-server was built without TLS")
        raise
    return f"rediss://127.0.0.1:{port}/0", authority


def test_tls_serves_who_knows_the_authority(tls: tuple[str, Authority], open_store: Callable[..., RedisStore]) -> None:
    url, authority = tls

    assert serves(open_store(f"{url}?ssl_ca_certs={authority.ca}"))
    assert open_store(url, options={"ssl_ca_certs": str(authority.ca)}).depth(["q"]) == [0]
    assert open_store(f"{url}?ssl_cert_reqs=CERT_NONE").depth(["q"]) == [0]


def test_an_unknown_authority_is_refused_at_once_in_one_sentence(
    tls: tuple[str, Authority], open_store: Callable[..., RedisStore], tmp_path: Path
) -> None:
    url, _ = tls
    other = Authority(tmp_path / "other")
    began = time.monotonic()

    for store in (open_store(url), open_store(f"{url}?ssl_ca_certs={other.ca}")):
        with pytest.raises(StoreRefused, match=r"^the certificate of rediss://127\.0\.0\.1:\d+ is not trusted: [^\n]+$"):
            store.publish([an_outgoing("a")])

    assert time.monotonic() - began < 2


def test_a_server_that_does_not_answer_is_passed_over(servers: Servers, open_store: Callable[..., RedisStore]) -> None:
    _, port = servers.plain()
    store = open_store(f"redis://127.0.0.1:{free_port()}/0;redis://127.0.0.1:{port}/0")

    assert serves(store)


def test_the_calls_go_on_at_the_second_server_when_the_first_dies(
    servers: Servers, open_store: Callable[..., RedisStore]
) -> None:
    first, one = servers.plain()
    _, two = servers.plain()
    store = open_store(f"redis://127.0.0.1:{one}/0;redis://127.0.0.1:{two}/0")
    me = alive(store, "node-1")
    idle: list[str] = []

    def work() -> None:
        while not idle:
            try:
                idle.extend(id_of(delivery) for delivery in store.fetch(["q"], lessee=me, limit=1, wait_s=30).deliveries)
            except LeaseExpired:
                alive(store, "node-1")
            except OperationalError:
                time.sleep(0.02)

    heard = threading.Event()
    store.watch(["a"], lambda _, __: heard.set())
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    with closing(redis.Redis(port=one)) as client:
        eventually(lambda: client.info("clients")["blocked_clients"] == 1, what="the worker waits")

    first.kill()
    began = time.monotonic()
    store.publish([an_outgoing("a")])
    store.store_results([a_result("a")])
    worker.join(5)

    assert idle == ["a"]
    assert heard.wait(5)
    assert time.monotonic() - began < 5


def test_no_server_of_a_list_is_one_sentence_within_the_deadline(open_store: Callable[..., RedisStore]) -> None:
    one, two = free_port(), free_port()
    store = open_store(f"redis://:secret@127.0.0.1:{one}/0;redis://:secret@127.0.0.1:{two}/0")
    began = time.monotonic()

    with pytest.raises(BrokerUnreachable, match=f"127.0.0.1:{one}/0;127.0.0.1:{two}/0 does not answer: [^\n]+$") as refused:
        store.publish([an_outgoing("a")], deadline_s=0.3)

    assert time.monotonic() - began < 1
    assert "secret" not in str(refused.value)


def a_sentinel(servers: Servers, master: int, *lines: str) -> int:
    """Start a sentinel that watches one master; return its port when it knows it."""
    port = free_port()
    servers.start(f"port {port}", f"sentinel monitor {MASTER} 127.0.0.1 {master} 1", *lines, sentinel=True)
    wait_for(port=port)
    with closing(redis.Redis(port=port)) as client:
        eventually(lambda: not client.sentinel_master(MASTER)["is_disconnected"], what="the sentinel knows the master")
    return port


def test_sentinels_name_the_master(servers: Servers, open_store: Callable[..., RedisStore]) -> None:
    _, master = servers.plain(f'requirepass "{PASSWORD}"')
    sentinel = a_sentinel(servers, master, f'sentinel auth-pass {MASTER} "{PASSWORD}"')
    silent = f"sentinel://:{ESCAPED}@127.0.0.1:{free_port()}/2"
    url = f"{silent};sentinel://:{ESCAPED}@127.0.0.1:{sentinel}/2"
    began = time.monotonic()

    assert serves(open_store(url, options={"master_name": MASTER}))

    assert time.monotonic() - began < 3
    with closing(redis.Redis(port=master, password=PASSWORD, db=2)) as client:
        assert client.exists("celery-task-meta-a") == 1


def test_who_gave_options_of_tls_never_talks_to_a_master_in_plain_text(
    servers: Servers, open_store: Callable[..., RedisStore]
) -> None:
    _, master = servers.plain()
    sentinel = a_sentinel(servers, master)
    store = open_store(f"sentinel://127.0.0.1:{sentinel}", options={"master_name": MASTER, "ssl_cert_reqs": "none"})

    with pytest.raises(BrokerUnreachable):
        store.publish([an_outgoing("a")], deadline_s=0.3)

    with closing(redis.Redis(port=master)) as client:
        assert client.dbsize() == 0


def test_a_master_that_no_sentinel_knows_is_named(servers: Servers, open_store: Callable[..., RedisStore]) -> None:
    _, master = servers.plain()
    sentinel = a_sentinel(servers, master)
    store = open_store(f"sentinel://127.0.0.1:{sentinel}", options={"master_name": "shpo"})

    with pytest.raises(BrokerUnreachable, match="No master found for 'shpo'"):
        store.publish([an_outgoing("a")], deadline_s=0.3)


def test_a_result_stored_while_the_listener_was_cut_off_is_told(servers: Servers, open_store: Callable[..., RedisStore]) -> None:
    _, port = servers.plain()
    store, another = (open_store(f"redis://127.0.0.1:{port}/0") for _ in range(2))
    told: dict[str, bytes] = {}
    store.watch(["a", "b"], told.__setitem__)

    with closing(redis.Redis(port=port)) as client:
        # In one step: nobody can have subscribed again in between.
        with client.pipeline() as step:
            step.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            step.set("celery-task-meta-a", a_result("a").body)
            step.execute()
        eventually(lambda: "a" in told, within_s=5, what="the result stored meanwhile is told")
    another.store_results([a_result("b")])

    eventually(lambda: "b" in told, within_s=5, what="the listener hears again")
    assert told == {"a": a_result("a").body, "b": a_result("b").body}


def test_a_message_of_a_client_that_wakes_nobody_reaches_an_idle_fetch_by_the_next_sign_of_life(
    servers: Servers, open_store: Callable[..., RedisStore]
) -> None:
    _, port = servers.plain()
    store = open_store(f"redis://127.0.0.1:{port}/0")
    me = alive(store, "node-1")
    found: list[str] = []

    def work() -> None:
        found.extend(id_of(each) for each in store.fetch(["q"], lessee=me, limit=1, wait_s=10).deliveries)

    with closing(redis.Redis(port=port)) as client:
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        eventually(lambda: client.info("clients")["blocked_clients"] == 1, what="the worker waits")
        quiet = store.keep("node-1", name="one", info={}, queues=["q"])

        client.lpush("q", envelope.pack(an_outgoing("foreign"), tag="1"))
        began = time.monotonic()
        while worker.is_alive() and time.monotonic() - began < 5:
            noticed = store.keep("node-1", name="one", info={}, queues=["q"])
            worker.join(1)
        waited = time.monotonic() - began

    assert quiet.next_due is None
    assert found == ["foreign"]
    assert waited < 1.2
    assert noticed.next_due is not None
    assert noticed.next_due <= 0.05


def test_while_such_clients_are_about_every_node_looks_often(servers: Servers, open_store: Callable[..., RedisStore]) -> None:
    _, port = servers.plain()
    store = open_store(f"redis://127.0.0.1:{port}/0")
    me = alive(store, "node-1")
    with closing(redis.Redis(port=port)) as client:
        for number in range(3):
            client.lpush("q\x06\x166", envelope.pack(an_outgoing(str(number)), tag="1"))
            pulse = store.keep("node-2", name="two", info={}, queues=["q"])

            assert pulse.next_due is not None
            assert pulse.next_due <= 0.05
            assert take_ids(store, me) == [str(number)]


def test_a_server_that_comes_back_serves_at_once(servers: Servers, open_store: Callable[..., RedisStore]) -> None:
    server, port = servers.plain()
    store = open_store(f"redis://127.0.0.1:{port}/0")
    assert serves(store)
    server.kill()
    with suppress(BrokerUnreachable):
        store.publish([an_outgoing("lost")], deadline_s=0.1)

    servers.start(f"port {port}")
    store.publish([an_outgoing("a")])

    assert take_ids(store, alive(store, "node-1")) == ["a"]
