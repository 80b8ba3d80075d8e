"""One after the other, unless one takes too long."""

from __future__ import annotations

import threading
import time
from functools import partial

from celeriac.control.errands import Errands

LONG_S = 30.0


def test_the_next_waits_for_the_one_before_it() -> None:
    errands = Errands()
    seen: list[int] = []

    for number in range(20):
        assert errands.run("note", partial(seen.append, number))

    assert seen == list(range(20))


def test_one_that_takes_long_is_left_behind() -> None:
    errands, goes_on = Errands(patience_s=0.05), threading.Event()
    seen: list[str] = []

    def slow() -> None:
        goes_on.wait(LONG_S)
        seen.append("slow")

    errands.run("slow", slow)
    errands.run("note", partial(seen.append, "quick"))

    assert seen == ["quick"]
    goes_on.set()


def test_no_more_are_begun_than_so_many_and_more_when_one_has_ended() -> None:
    errands, goes_on = Errands(patience_s=0.02, most=2), threading.Event()
    seen: list[int] = []

    def hang() -> None:
        goes_on.wait(LONG_S)

    assert [errands.run("hang", hang) for _ in range(4)] == [True, True, False, False]
    goes_on.set()

    deadline = time.monotonic() + LONG_S
    while not errands.run("hang", partial(seen.append, 1)):
        assert time.monotonic() < deadline
    assert seen == [1]


def test_those_that_hang_leave_others_their_room() -> None:
    errands, goes_on = Errands(patience_s=0.02, most=2), threading.Event()
    seen: list[int] = []

    def hang() -> None:
        goes_on.wait(LONG_S)

    for _ in range(3):
        errands.run("hang", hang)

    begun = errands.run("shutdown", partial(seen.append, 1))

    assert (begun, seen) == (True, [1])
    goes_on.set()


def test_one_that_fails_takes_no_other_with_it() -> None:
    errands = Errands()
    seen: list[int] = []

    def fails() -> None:
        raise ValueError("as the test asked")

    errands.run("fails", fails)
    errands.run("note", partial(seen.append, 1))

    assert seen == [1]
