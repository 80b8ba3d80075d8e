"""Which connections a URL of Celery's forms asks for. Nothing is connected here."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from celeriac.core.errors import ImproperlyConfigured

redis = pytest.importorskip("redis")

from celeriac.drivers.redis.endpoints import database, openers, server  # noqa: E402 - redis may be absent
from celeriac.drivers.redis.store import server_name  # noqa: E402

SECRET = "p@ss/w:rd#%;é"
ESCAPED = "p%40ss%2Fw%3Ard%23%25%3B%C3%A9"


def connection(url: str, **options: Any) -> Any:
    [opener] = openers(url, options)
    return opener()


def test_a_url_names_host_port_and_database() -> None:
    made = connection("redis://shop.example:6380/3")

    assert type(made) is redis.Connection
    assert (made.host, made.port, made.db) == ("shop.example", 6380, 3)


def test_what_a_url_does_not_name_is_the_usual_server() -> None:
    made = connection("redis://")

    assert (made.host, made.port, made.db, made.password) == ("localhost", 6379, 0, None)


def test_a_password_may_hold_every_character() -> None:
    made = connection(f"redis://shop:{ESCAPED}@db.example/1")

    assert (made.username, made.password, made.host, made.db) == ("shop", SECRET, "db.example", 1)


def test_a_login_in_the_url_wins_over_one_in_the_options() -> None:
    made = connection("redis://:mine@db.example", password="other", username="shop")

    assert (made.username, made.password) == ("shop", "mine")


@pytest.mark.parametrize(
    ("url", "number"),
    [
        ("redis://h", 0),
        ("redis://h/", 0),
        ("redis://h/15", 15),
        ("redis://h/?db=4", 4),
        ("redis://h/3?db=4", 4),
        ("redis+socket:///tmp/redis.sock", 0),
        ("redis+socket:///tmp/redis.sock?virtual_host=7", 7),
        ("redis+socket:///tmp/redis.sock?virtual_host=/7", 7),
        ("unix:///tmp/redis.sock?db=7", 7),
        ("unix:///tmp/redis.sock?virtual_host=7", 7),
    ],
)
def test_the_connection_has_the_database_that_the_store_counts_on(url: str, number: int) -> None:
    made = connection(url)

    assert (made.db, database(url)) == (number, number)


@pytest.mark.parametrize("scheme", ["redis+socket", "unix"])
def test_a_socket_is_a_file_with_a_password_and_a_database(scheme: str) -> None:
    made = connection(f"{scheme}://:{ESCAPED}@/tmp/my%20redis.sock?virtual_host=2")

    assert type(made) is redis.UnixDomainSocketConnection
    assert (made.path, made.password, made.db) == ("/tmp/my redis.sock", SECRET, 2)


def test_servers_of_a_list_are_tried_in_order() -> None:
    made = [opener() for opener in openers("redis://:a@one:1/2; rediss://two:2/2;", {})]

    assert [(type(each), each.host, each.port, each.db) for each in made] == [
        (redis.Connection, "one", 1, 2),
        (redis.SSLConnection, "two", 2, 2),
    ]


def test_a_server_of_a_list_without_scheme_or_database_has_that_of_the_others() -> None:
    made = [opener() for opener in openers("redis://one:1/2;two:2", {})]

    assert [(each.host, each.port, each.db) for each in made] == [("one", 1, 2), ("two", 2, 2)]


def test_servers_of_a_list_with_several_databases_are_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"several databases: \[1, 2\]; choose one"):
        database("redis://one/1;redis://two/2")


@pytest.mark.parametrize("url", ["redis://h/shop", "redis://h/-1", "redis://h/1/2", "unix:///s?virtual_host=shop"])
def test_a_database_is_a_number(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="the database of a Redis URL is a number, not"):
        database(url)


@pytest.mark.parametrize("url", ["redis://:hun/ter@h:6379/0", "redis://:1/ter2@h/0", "redis://:hunter@h:port/0"])
def test_a_url_that_cannot_be_read_does_not_show_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        openers(url, {})

    assert "hun" not in str(refused.value)
    assert "ter" not in str(refused.value).replace("written", "").replace("character", "")
    assert refused.value.__cause__ is None


def test_a_misspelt_parameter_is_named_before_anything_is_connected() -> None:
    with pytest.raises(ImproperlyConfigured, match="unexpected keyword argument 'sokcet_timeout'"):
        openers("redis://h/0?sokcet_timeout=3", {})


def test_tls_verifies_certificate_and_name_unless_told_otherwise() -> None:
    made = connection("rediss://h")

    assert type(made) is redis.SSLConnection
    assert (made.cert_reqs, made.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("required", ssl.CERT_REQUIRED),
        ("CERT_REQUIRED", ssl.CERT_REQUIRED),
        (ssl.CERT_REQUIRED, ssl.CERT_REQUIRED),
        (2, ssl.CERT_REQUIRED),
        (None, ssl.CERT_REQUIRED),
        ("optional", ssl.CERT_OPTIONAL),
        ("CERT_OPTIONAL", ssl.CERT_OPTIONAL),
        (ssl.CERT_OPTIONAL, ssl.CERT_OPTIONAL),
        (1, ssl.CERT_OPTIONAL),
        ("none", ssl.CERT_NONE),
        ("CERT_NONE", ssl.CERT_NONE),
        (ssl.CERT_NONE, ssl.CERT_NONE),
        (0, ssl.CERT_NONE),
    ],
)
def test_verification_has_all_of_celerys_forms(given: object, meant: ssl.VerifyMode) -> None:
    by_option = connection("rediss://h", ssl_cert_reqs=given)

    assert by_option.cert_reqs == meant


def test_verification_can_be_said_in_the_url() -> None:
    made = connection("rediss://h/1?ssl_cert_reqs=CERT_NONE", ssl_cert_reqs="required")

    assert (made.cert_reqs, made.check_hostname, made.db) == (ssl.CERT_NONE, False, 1)


def test_a_misspelt_verification_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="ssl_cert_reqs is 'nnoe'; it is required, optional or none"):
        openers("rediss://h?ssl_cert_reqs=nnoe", {})


def test_options_of_tls_do_not_hinder_a_plain_connection() -> None:
    made = connection("redis://h", ssl_cert_reqs="none", ssl_ca_certs="/ca.pem")

    assert type(made) is redis.Connection


def test_sentinels_are_one_endpoint() -> None:
    made = openers("sentinel://one:26379/1;sentinel://two", {"master_name": "shop"})

    assert len(made) == 1
    assert database("sentinel://one:26379/1;sentinel://two") == 1


def test_sentinels_without_the_name_of_a_master_are_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"needs broker_transport_options = \{'master_name'"):
        openers("sentinel://one:26379", {})


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("redis://:a@h:1/0", "redis://:a@h:1/5", True),
        ("redis://h:1/0", "redis://h:2/0", False),
        ("unix:///a.sock?db=1", "unix:///a.sock?db=2", True),
        ("unix:///a.sock", "unix:///b.sock", False),
    ],
)
def test_a_server_is_the_same_whatever_database_is_meant(one: str, other: str, equal: bool) -> None:
    same = server(one) == server(other)

    assert same is equal


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:6380/1", "redis://h:6380"),
        ("redis://shop:hunter2@h:6380", "h:6380"),
        ("redis://:hunter2@one;redis://:hunter2@two", "one;two"),
        ("redis://one:1;two:2", "redis://one:1;two:2"),
        ("unix:///a.sock?db=1&password=hunter2", "unix:///a.sock"),
    ],
)
def test_the_name_of_a_server_hides_its_login(url: str, shown: str) -> None:
    name = server_name(url)

    assert name == shown
