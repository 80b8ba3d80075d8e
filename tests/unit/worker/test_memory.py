"""How much memory a child may hold."""

from __future__ import annotations

import pytest

from celeriac.worker.memory import MemoryBound, MemoryLimit, resident_kib

MIB = 1024


def test_a_bound_of_all_that_it_holds_is_reached_by_whoever_holds_more() -> None:
    now = resident_kib()

    assert MemoryBound(MemoryLimit(now // 2)).is_reached()
    assert not MemoryBound(MemoryLimit(now * 100)).is_reached()


def test_a_bound_of_its_growth_is_reached_by_whoever_grows() -> None:
    bound = MemoryBound(MemoryLimit(20 * MIB, grown=True))
    before = bound.is_reached()

    held = bytearray(40 * MIB * 1024)
    held[::1024] = b"x" * len(held[::1024])  # a page that nobody has touched is not held

    assert (before, bound.is_reached()) == (False, True)


def test_what_was_given_back_counts_no_more() -> None:
    bound = MemoryBound(MemoryLimit(20 * MIB, grown=True))
    held = bytearray(64 * MIB * 1024)
    held[::1024] = b"x" * len(held[::1024])
    assert bound.is_reached()

    del held

    assert not bound.is_reached()


@pytest.mark.parametrize("text", ["", "+", "0", "-1", "+0", "+-1", "1GB", "++1"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number of KiB"):
        MemoryLimit.parse(text)
