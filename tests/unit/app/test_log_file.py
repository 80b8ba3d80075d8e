"""The name of a log file."""

from __future__ import annotations

import pytest

from celeriac.app.log_file import is_for_each_process, log_file


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("worker.log", "worker.log"),
        ("/var/log/%n-%h%I.log", "/var/log/shop-web1.example.com.log"),
        ("%n.%d.log", "shop.example.com.log"),
        ("100%%.log", "100%.log"),
        ("%x.log", "%x.log"),
        ("%p-%i.log", "shop@web1.example.com-0.log"),
    ],
)
def test_a_log_file_takes_the_name_of_its_node(pattern: str, name: str) -> None:
    node = "shop@web1.example.com"

    named = log_file(pattern, node)

    assert named == name


@pytest.mark.parametrize(("pattern", "name"), [("%n%I.log", "shop-2.log"), ("%n-%i.log", "shop-2.log"), ("%n.log", "shop.log")])
def test_the_log_file_of_a_child_bears_its_number(pattern: str, name: str) -> None:
    named = log_file(pattern, "shop@web1", index=2)

    assert named == name


@pytest.mark.parametrize(("pattern", "each"), [("%n%I.log", True), ("%i.log", True), ("%n.log", False), ("100%%i.log", False)])
def test_only_a_mark_for_the_process_makes_a_file_for_each(pattern: str, each: bool) -> None:
    assert is_for_each_process(pattern) is each
