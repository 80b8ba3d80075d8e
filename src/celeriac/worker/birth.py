"""What a child is told that begins in a fresh interpreter: who it is, and where what it shares with its node is found.

In a node's life: ``spawning`` writes it into the environment of the child, whose first lines (``begin``) take it out again, so
that no program which a task starts believes that it is meant. Then the child runs the very program that the node is, with the
same words, until ``run_worker`` finds it here. Does not know: what a child does.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, json

from celeriac.worker.nursery import Order
from celeriac.worker.os_signals import leave_to_supervisor
from celeriac.worker.stacks import answer_into

VARIABLE: Final = "CELERIAC_BIRTH"
FIRST_WORDS: Final = "from celeriac.worker.birth import begin; begin()"
"""The program of such an interpreter."""


class Rerun(Struct, frozen=True):
    """How the node's program is run once more."""

    argv: Sequence[str]
    """What follows the name of the program."""
    module: str | None = None
    """``python -m module``."""
    path: str | None = None
    """``python path``; one of the two."""


class Birth(Struct, frozen=True, kw_only=True):
    """One child. Numbers of files are those of the open files that it inherits."""

    order: Order | None
    """``None``: it waits for its order, with all else done."""
    orders: int
    """A pipe from which it comes then."""
    node: str
    """Id of its node."""
    rerun: Rerun
    commons: int
    """File of what it shares with its node."""
    rooms: int
    """For so many children."""
    lifeline: int
    """A pipe that ends with the node."""
    stacks: int
    """A pipe for the stacks of its threads."""

    def next_order(self) -> Order:
        """Return who the child is; wait until that is known."""
        if self.order is not None:
            return self.order
        with open(self.orders, "rb") as orders:
            return json.decode(orders.readline(), type=Order)


_birth: Birth | None = None


def this_birth() -> Birth | None:
    """Return how this process was born; ``None``: not as a child."""
    return _birth


def begin() -> None:
    """Run the node's program in this fresh interpreter, which is to be a child of it."""
    global _birth
    birth = json.decode(os.environ.pop(VARIABLE), type=Birth)
    leave_to_supervisor()  # importing the app takes its time, and Ctrl-C reaches all
    answer_into(birth.stacks)
    for file in (birth.commons, birth.lifeline, birth.stacks, birth.orders):
        os.set_inheritable(file, False)
    _birth = birth
    rerun = birth.rerun
    sys.argv[1:] = rerun.argv
    if rerun.module is not None:
        runpy.run_module(rerun.module, run_name="__main__", alter_sys=True)
    else:
        assert rerun.path is not None
        sys.argv[0], sys.path[0] = rerun.path, os.path.dirname(rerun.path)
        runpy.run_path(rerun.path, run_name="__main__")
