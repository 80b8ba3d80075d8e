"""Threads and locks as Python makes them, also in a process where gevent or eventlet have put greenlets in their place.

In a node's life: asked by whatever must run while the main thread of a child is held up, or must tell one thread from another.
Does not know: who patches what.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from typing import Any, cast


def is_patched() -> bool:
    """Say whether threads are greenlets here."""
    return original("_thread").start_new_thread is not importlib.import_module("_thread").start_new_thread


def start_thread(work: Callable[[], None], *, name: str) -> None:
    """Start a daemon thread of the system. Where threads are replaced it has no name."""
    if is_patched():
        original("_thread").start_new_thread(work, ())
    else:
        threading.Thread(target=work, name=name, daemon=True).start()


def make_lock() -> Any:
    """Return a lock between threads of the system; a greenlet that waits for it holds up its whole thread."""
    return original("_thread").allocate_lock()


def identity() -> int:
    """Return the number under which Python knows this thread of the system."""
    return int(original("_thread").get_ident())


def original(module: str) -> Any:
    """Return a module of the standard library with what it had before it was patched."""
    # Asked of whoever is there: both keep what they have replaced. Neither is imported here.
    if (gevent := sys.modules.get("gevent.monkey")) is not None:
        return _Saved(gevent, module)
    if (eventlet := sys.modules.get("eventlet.patcher")) is not None:
        return cast(Any, eventlet).original(module)
    return importlib.import_module(module)


class _Saved:
    """A module as gevent keeps it: name by name."""

    def __init__(self, gevent: Any, module: str) -> None:
        self._gevent, self._module = gevent, module

    def __getattr__(self, name: str) -> Any:
        return self._gevent.get_original(self._module, name)
