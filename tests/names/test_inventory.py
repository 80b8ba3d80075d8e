"""The shim has the names that it is said to have: the list of what is missing can only become shorter."""

from __future__ import annotations

import pytest

from names import ratchet  # tests/ is on the path

pytestmark = [
    pytest.mark.skipif(not ratchet.CHECK.is_file(), reason="the inventory of Celery's names is not beside this checkout"),
    pytest.mark.timeout(300),
]


@pytest.mark.parametrize("part", ratchet.PARTS)
def test_what_is_missing_is_what_the_list_says(part: str) -> None:
    listed = {line for line in ratchet.read_missing() if line.startswith(f"{part} ")}

    missing = set(ratchet.lines(part, ratchet.problems(part)[1:]))

    assert missing - listed == set(), "these names were there and are not any more"
    assert listed - missing == set(), "these are there now: run `make names`"
