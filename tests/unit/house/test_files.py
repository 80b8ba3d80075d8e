"""The shape of the house: how long a file may be, and which words name none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import celeriac

PACKAGE = Path(celeriac.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 400
HOMELESS = re.compile(r"(^|_)(utils?|helpers?|common|base|manager|misc)(_|$)")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_at_most_400_lines_long(path: Path) -> None:
    lines = path.read_text().count("\n")

    assert lines <= LONGEST, f"{path.name}: is this still one idea?"


def test_no_file_bears_a_name_that_says_nothing() -> None:
    names = [path.relative_to(PACKAGE).with_suffix("").parts for path in FILES]

    homeless = ["/".join(parts) for parts in names if any(HOMELESS.search(part) for part in parts)]

    assert homeless == []


def test_the_package_is_marked_as_typed() -> None:
    marker = PACKAGE / "py.typed"

    assert marker.is_file()
