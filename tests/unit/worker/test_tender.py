"""The tender: while a run takes long, its neighbours do not wait for it."""

from __future__ import annotations

import threading

from celeriac.app.runtime import SystemRuntime
from celeriac.worker.tender import Tender
from unit.worker.bench import Bench, PlainTask, a_message, hungry

PATIENCE_S = 10.0


def test_a_long_run_finds_its_neighbours_settled_and_given_back() -> None:
    settled = threading.Event()
    bench = Bench(PlainTask(lambda long: settled.wait(PATIENCE_S) if long else None))
    bench.send(a_message("a", args=(False,)), a_message("b", args=(True,)), a_message("c", args=(False,)))
    child = bench.child(appetite=hungry(), runtime=SystemRuntime())
    bench.store.watch(["a"], lambda *_: settled.set())

    Tender(child, concurrent=False, runtime=SystemRuntime()).start()
    came = child.step()

    assert (came, settled.is_set()) == (3, True)
    assert bench.states("a", "b", "c") == ["SUCCESS", "SUCCESS", "PENDING"]
    assert bench.waiting() == 1
