"""What a fork must not carry over: each store closes its connections before, and begins anew in the child.

In a program's life: ``os.fork``, by ``multiprocessing``, by a web server. One registration for all stores, since it can
never be taken back. Does not know: what a store does.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """A store, in the eyes of a fork."""

    def before_fork(self) -> None:
        """Close what the child must not inherit, and let nobody open it before the fork is over."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def abandon(self) -> None:
        """Begin anew, in the child."""


_stores: weakref.WeakSet[Forkable] = weakref.WeakSet()
_forking: list[Forkable] = []


def register(store: Forkable) -> None:
    """Tell ``store`` of every fork from now on, as long as somebody holds it."""
    _stores.add(store)


def _before() -> None:
    for store in list(_stores):
        store.before_fork()
        _forking.append(store)


def _in_parent() -> None:
    while _forking:
        _forking.pop().after_fork_in_parent()


def _in_child() -> None:
    while _forking:
        _forking.pop().abandon()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
