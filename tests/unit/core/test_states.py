"""Which state wins over which."""

from __future__ import annotations

import pytest

from celeriac.core.states import PRECEDENCE, PRECEDENCE_LOOKUP, precedence, state


def test_a_state_of_ones_own_ranks_after_failure() -> None:
    ranks = [precedence(name) for name in ("SUCCESS", "FAILURE", "PROGRESS", "REVOKED", "STARTED", "PENDING")]

    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert [PRECEDENCE_LOOKUP[name] for name in PRECEDENCE] == list(range(len(PRECEDENCE)))


@pytest.mark.parametrize(
    ("stronger", "weaker"), [("SUCCESS", "PENDING"), ("FAILURE", "PROGRESS"), ("PROGRESS", "STARTED"), ("SUCCESS", "FAILURE")]
)
def test_states_are_compared_by_their_strength(stronger: str, weaker: str) -> None:
    strong, weak = state(stronger), state(weaker)

    assert strong > weak
    assert strong >= weak
    assert weak < strong
    assert weak <= strong
    assert strong >= state(stronger)
    assert strong == stronger
