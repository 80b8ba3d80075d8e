"""The memory store keeps the contract, under a virtual clock."""

from __future__ import annotations

import pytest

from celeriac.drivers.memory.store import MemoryStore
from celeriac.testing.clock import VirtualRuntime
from celeriac.testing.conformance import Conformance, KeepingTimetables, Subject


class TestMemoryStore(Conformance, KeepingTimetables):
    @pytest.fixture
    def subject(self) -> Subject:
        runtime = VirtualRuntime(seed=1)
        store = MemoryStore(runtime=runtime)
        return Subject(
            store=store,
            runtime=runtime,
            advance=runtime.advance,
            another=lambda: store,
            inject=store.inject,
            lose_next_answer=store.lose_next_answer,
            processes=False,
        )
