"""Children in fresh interpreters: what their node hears when the system gives it none."""

from __future__ import annotations

from pathlib import Path

from celeriac.worker.birth import Birth, Rerun
from celeriac.worker.nursery import Order, Report
from celeriac.worker.spawning import Spawner


def a_spawner(home: Path) -> Spawner:
    birth = Birth(order=None, orders=-1, node="node", rerun=Rerun([], module="shop"), commons=0, rooms=1, lifeline=-1, stacks=2)
    return Spawner(birth=birth, home=str(home), before=bool)


def test_a_child_that_cannot_be_started_was_never_born_and_its_node_goes_on(tmp_path: Path) -> None:
    spawner = a_spawner(tmp_path / "a release that was removed")

    spawner.prepare()
    spawner.order(Order(0, 0, "0.1"))

    assert spawner.reports() == [Report.stillborn("0.1")]
    spawner.close()
