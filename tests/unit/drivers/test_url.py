"""URLs of stores: read, compared, shown without their secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from celeriac.core.errors import ImproperlyConfigured
from celeriac.drivers.url import Address, alternatives, default_database, mask, parse, same_server, scheme_of, sqlite_file


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://:s%40cret@host:6380/2", Address(scheme="redis", host="host", port=6380, password="s@cret", path="2")),
        ("rediss://u:p@[::1]/0?ssl_cert_reqs=none", Address(
            scheme="rediss", host="::1", user="u", password="p", path="0", query={"ssl_cert_reqs": "none"})),
        ("redis+socket:///tmp/redis.sock?virtual_host=3", Address(
            scheme="redis+socket", path="tmp/redis.sock", query={"virtual_host": "3"})),
        ("sqlite:////srv/q.db", Address(scheme="sqlite", path="/srv/q.db")),
        ("memory://name", Address(scheme="memory", host="name")),
        ("redis", Address(scheme="redis")),
    ],
)  # fmt: skip
def test_a_url_is_read_part_by_part(url: str, address: Address) -> None:
    assert parse(url) == address


@pytest.mark.parametrize("url", ["", "://", "123", "redis:/host", "redis://host:port", "redis://[::1"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        parse(url)


def test_several_servers_share_the_scheme_of_the_first() -> None:
    found = alternatives("sentinel://a:1;sentinel://b:2; c:3 ;")

    assert found == ("sentinel://a:1", "sentinel://b:2", "sentinel://c:3")
    assert scheme_of("SENTINEL://a:1;sentinel://b:2") == "sentinel"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:hunter2@host/0", "redis://:**@host/0"),
        ("redis://user:hunter2@host/0", "redis://user:**@host/0"),
        ("redis://user:hunt/er@2@host/0", "redis://user:**@host/0"),
        ("sentinel://:hunter2@a:1;sentinel://:hunter2@b:2", "sentinel://:**@a:1;sentinel://:**@b:2"),
        ("redis://a;user:hunter2@b", "redis://a;user:**@b"),
        ("redis://:hunt?er2@host", "redis://**"),
        ("redis://host?client_name=me@home", "redis://host?client_name=me@home"),
        ("rediss://host?password=hunter2&ssl_password=hunter2&db=1", "rediss://host?password=**&ssl_password=**&db=1"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("sqlite:////srv/q.db", "sqlite:////srv/q.db"),
    ],
)
def test_passwords_are_never_shown(url: str, shown: str) -> None:
    assert mask(url) == shown


@pytest.mark.parametrize("url", ["redis://:hunter2@host:port", "redis://:hunt/er2@host", "redis://:hunt?er2@host"])
def test_a_url_that_cannot_be_read_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="cannot read the URL") as caught:
        parse(url)

    assert "hunt" not in str(caught.value)
    assert "hunter2" not in repr(parse("redis://:hunter2@host"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("redis://host/0", "redis://host/1", True),
        ("redis://host:6379/0", "redis://other:6379/0", False),
        ("redis+socket:///a.sock?virtual_host=0", "redis+socket:///a.sock?virtual_host=1", True),
        ("redis+socket:///a.sock", "redis+socket:///b.sock", False),
        ("redis://a;redis://b", "redis://a/1;redis://b/1", True),
        ("redis://a;redis://b", "redis://a", False),
        ("redis://:x@a", "redis://:y@a", False),
    ],
)
def test_two_urls_name_one_server_whatever_the_database(one: str, other: str, same: bool) -> None:
    assert same_server(one, other) is same


def test_a_file_is_relative_absolute_or_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": "/home/u"}

    assert sqlite_file("sqlite:///q.db", environ) == tmp_path / "q.db"
    assert sqlite_file("sqlite:////srv/my%20q.db", environ) == Path("/srv/my q.db")
    assert sqlite_file("sqlite://", environ) == Path("/home/u/.local/share/celeriac/celeriac.db")
    assert default_database({"XDG_DATA_HOME": "/data", "HOME": "/home/u"}) == Path("/data/celeriac/celeriac.db")


@pytest.mark.parametrize(("url", "said"), [("sqlite://q.db", "three slashes"), ("sqlite:///:memory:", "memory://")])
def test_a_file_that_cannot_be_meant_is_refused_with_what_to_write(url: str, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        sqlite_file(url, {})
