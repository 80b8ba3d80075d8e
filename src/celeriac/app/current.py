"""Which app is the current one: all the globals there are.

In a program's life: the first app that is made is the current one for code that was handed none, such as ``AsyncResult(id)`` and
``shared_task``. Nothing else may look here. Which *task* runs is in ``context.py``. Does not know: what an app does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from weakref import WeakSet

from celeriac.app.home import Home
from celeriac.core.errors import ImproperlyConfigured

_lock = Lock()
_default: Home | None = None
_apps: WeakSet[Home] = WeakSet()
_shared: list[Callable[[Home], object]] = []
_joins_allowed: ContextVar[bool] = ContextVar("celeriac_joins_allowed", default=False)


def current_app() -> Home:
    """Return the current app.

    Raises:
        ImproperlyConfigured: no app has been made yet.
    """
    if _default is None:
        raise ImproperlyConfigured("there is no app yet: make one with Celery('name'), or hand it in as app=...")
    return _default


def set_current(app: Home) -> None:
    """Make ``app`` the current one."""
    global _default
    _default = app


def announce(app: Home, *, current: bool) -> None:
    """Note a new app, and let it have the shared tasks. The first one is the current one from then on."""
    with _lock:
        _apps.add(app)
        waiting = tuple(_shared)
        if current and _default is None:
            set_current(app)
    for register in waiting:
        register(app)


def share(register: Callable[[Home], object]) -> None:
    """Call ``register`` with every app that there is, and with every one to come."""
    with _lock:
        _shared.append(register)
        present = tuple(_apps)
    for app in present:
        register(app)


@contextmanager
def allow_join_result() -> Iterator[None]:
    """Let code inside a task wait for other tasks, though that can block a worker for ever."""
    token = _joins_allowed.set(True)
    try:
        yield
    finally:
        _joins_allowed.reset(token)


def joins_allowed() -> bool:
    """Say whether ``allow_join_result`` is in force here."""
    return _joins_allowed.get()
