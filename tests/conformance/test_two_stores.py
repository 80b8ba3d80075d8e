"""A broker and a result backend that are two keep the contract as one store does."""

from __future__ import annotations

import pytest

from celeriac.drivers.memory.store import MemoryStore
from celeriac.drivers.pair import Pair
from celeriac.testing.clock import VirtualRuntime
from celeriac.testing.conformance import Conformance, Subject


class TestPairOfMemoryStores(Conformance):
    @pytest.fixture
    def subject(self) -> Subject:
        runtime = VirtualRuntime(seed=1)
        broker, results = MemoryStore(runtime=runtime), MemoryStore(runtime=runtime)
        return Subject(
            store=Pair(broker, results),
            runtime=runtime,
            advance=runtime.advance,
            another=lambda: Pair(broker, results),
            inject=broker.inject,
            lose_next_answer=broker.lose_next_answer,
            processes=False,
            one_step=False,
        )
