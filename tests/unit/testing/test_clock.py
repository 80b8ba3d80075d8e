"""A virtual runtime has no chance and no time of its own."""

from __future__ import annotations

import uuid

from celeriac.abc import Runtime
from celeriac.testing.clock import BEGINNING, VirtualRuntime


def test_the_same_seed_gives_the_same_ids_and_numbers() -> None:
    one, twin, other = VirtualRuntime(7), VirtualRuntime(7), VirtualRuntime(8)

    drawn = [(runtime.new_id(), runtime.random()) for runtime in (one, twin, other)]

    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert uuid.UUID(drawn[0][0]).version == 4


def test_time_passes_only_when_it_is_told_to() -> None:
    runtime: Runtime = VirtualRuntime()

    before = runtime.now(), runtime.monotonic()
    runtime.sleep(90)

    assert before == (BEGINNING, 0.0)
    assert (runtime.time() - BEGINNING.timestamp(), runtime.monotonic()) == (90.0, 90.0)


def test_a_step_of_the_wall_clock_takes_no_time() -> None:
    runtime = VirtualRuntime()

    runtime.step(-3600)

    assert ((BEGINNING - runtime.now()).total_seconds(), runtime.monotonic()) == (3600.0, 0.0)
