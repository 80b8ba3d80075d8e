"""What all processes of a node share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from celeriac import Celery
from celeriac.worker.commons import Commons
from celeriac.worker.options import WorkerOptions
from celeriac.worker.orders import Orders
from celeriac.worker.plan import plan_node

MAKE = """
from celeriac import Celery
from celeriac.worker.options import WorkerOptions
from celeriac.worker.plan import plan_node

app = Celery("shared", broker="memory://", backend="memory://")
for number in range(5000):
    app.task(name=f"shop.a_task_with_a_rather_long_name.number_{number}")(lambda: None)
plan = plan_node(app, WorkerOptions(pool="threads", concurrency=3, queues=("q",)))
"""
INHERIT = """
import sys
from celeriac.worker.commons import Commons

commons = Commons.inherited(app, plan, file=int(sys.argv[1]), rooms=int(sys.argv[2]))
print(commons.book.read()[1].queues)
commons.slots[5].seat(2).begin(7, "seven", 1.5, None, 2.0)
commons.tally.add(5, {"shop.a_task_with_a_rather_long_name.number_4999": 3})
print(commons.limits.lets_begin("limited", "1/h"))
"""


@pytest.fixture
def app() -> Celery:
    namespace: dict[str, Celery] = {}
    exec(MAKE, namespace)
    return namespace["app"]


def test_a_fresh_interpreter_shares_everything_with_its_node_whatever_the_number_of_tasks(app: Celery, tmp_path: Path) -> None:
    plan = plan_node(app, WorkerOptions(pool="threads", concurrency=3, queues=("q",)))
    commons = Commons(app, plan, named=True)
    assert commons.file is not None
    assert commons.limits is not None
    commons.book.write(Orders(queues=("other",)))
    first = commons.limits.lets_begin("limited", "1/h")

    program = tmp_path / "child.py"
    program.write_text(MAKE + INHERIT)
    heard = subprocess.run(
        [sys.executable, str(program), str(commons.file), str(commons.rooms)],
        pass_fds=[commons.file],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout

    assert (first, heard.splitlines()) == (True, ["('other',)", "False"])
    run = commons.slots[5].seat(2).look()
    assert run is not None
    assert (run.tag, run.id, run.hard_at) == (7, "seven", 3.5)
    assert commons.tally.totals() == {"shop.a_task_with_a_rather_long_name.number_4999": 3}
    os.close(commons.file)


def test_without_a_file_only_forked_children_share_it(app: Celery) -> None:
    commons = Commons(app, plan_node(app, WorkerOptions(pool="threads", concurrency=3, queues=("q",))))

    assert commons.file is None
    assert commons.book.read()[1].queues == ("q",)


def test_a_node_that_may_grow_has_room_for_as_many_children_as_it_may_get() -> None:
    app = Celery("scaled", broker="memory://", backend="memory://")
    plan = plan_node(app, WorkerOptions(autoscale=(2000, 1), queues=("q",)))

    commons = Commons(app, plan)

    assert commons.rooms * 3 // 4 > 2000
