"""Messages that come again, of tasks that have succeeded before."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from celeriac.worker.child import Child
from celeriac.worker.repeats import Repeats
from unit.worker.bench import Bench, PlainTask, a_message


class Counted:
    """A task that counts its runs."""

    def __init__(self, *, one_step: bool = True, **attributes: Any) -> None:
        self.runs = 0
        self.bench = Bench(PlainTask(self._run, **{"acks_late": True, **attributes}))
        self.child: Child = self.bench.child()
        self.child._repeats = Repeats(self.bench.store, one_step=one_step)

    def _run(self) -> int:
        self.runs += 1
        return 42

    def work(self, *messages: Any) -> None:
        self.bench.send(*messages)
        while self.child.step():
            pass


def test_what_has_succeeded_is_not_run_again(caplog: pytest.LogCaptureFixture) -> None:
    counted = Counted()

    with caplog.at_level(logging.INFO):
        counted.work(a_message("a"), a_message("a", redelivered=True), a_message("a", redelivered=True))

    assert (counted.runs, counted.bench.states("a"), counted.bench.waiting()) == (1, ["SUCCESS"], 0)
    assert caplog.text.count("has succeeded before, and is not run again") == 2


@pytest.mark.parametrize(
    ("attributes", "fields"),
    [
        ({}, {"redelivered": False}),
        ({"acks_late": False}, {"redelivered": True}),
        ({"ignore_result": True}, {"redelivered": True}),
    ],
    ids=["a new call", "early ack", "no result"],
)
def test_all_others_run(attributes: dict[str, Any], fields: dict[str, Any]) -> None:
    counted = Counted(**attributes)

    counted.work(a_message("a"), a_message("a", **fields))

    assert counted.runs == 2


def test_what_came_again_and_has_not_succeeded_runs() -> None:
    counted = Counted()

    counted.work(a_message("a", redelivered=True))

    assert counted.runs == 1


@pytest.mark.parametrize(("one_step", "followed"), [(True, 0), (False, 1)])
def test_what_follows_is_sent_again_where_it_may_not_have_been(one_step: bool, followed: int) -> None:
    counted = Counted(one_step=one_step)
    counted.work(a_message("a"))
    callback = {"task": "next", "args": (), "kwargs": {}, "options": {}}

    counted.bench.send(a_message("a", redelivered=True, callbacks=[callback]))
    counted.child.step()

    assert (counted.runs, counted.bench.waiting()) == (1, followed)
