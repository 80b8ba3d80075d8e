"""Addresses as people write them."""

from __future__ import annotations

import pytest

from celeriac.core.endpoint import Address, TcpAddress, UnixAddress, parse_address
from celeriac.core.errors import ImproperlyConfigured


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unix:/run/shop.sock", UnixAddress("/run/shop.sock")),
        ("0.0.0.0:8080", TcpAddress("0.0.0.0", 8080)),
        ("[::1]:80", TcpAddress("::1", 80)),
        (":8080", TcpAddress("127.0.0.1", 8080)),
    ],
)
def test_an_address_is_a_path_or_a_port(text: str, expected: Address) -> None:
    address = parse_address(text)

    assert address == expected


@pytest.mark.parametrize("text", ["", "8080", "unix:", "host:", "host:http", "host:70000", "/run/shop.sock"])
def test_what_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="is no address"):
        parse_address(text)
