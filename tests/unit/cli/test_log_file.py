"""The name of a log file."""

from __future__ import annotations

import pytest

from celeriac.cli.log_file import log_file


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("worker.log", "worker.log"),
        ("/var/log/%n-%h%I.log", "/var/log/shop-web1.example.com.log"),
        ("%n.%d.log", "shop.example.com.log"),
        ("100%%.log", "100%.log"),
        ("%x.log", "%x.log"),
    ],
)
def test_a_log_file_takes_the_name_of_its_node(pattern: str, name: str) -> None:
    node = "shop@web1.example.com"

    named = log_file(pattern, node)

    assert named == name
