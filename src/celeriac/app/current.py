"""Which app is the current one, and what all apps share: all the globals there are.

In a program's life: the app that was made last is the current one for code that was handed none, such as ``AsyncResult(id)``
and ``shared_task``. Nothing else may look here. Which *task* runs is in ``context.py``. Does not know: what an app does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from threading import RLock, local
from typing import Any, Final, Protocol
from warnings import warn
from weakref import WeakSet

from celeriac.app.home import Home
from celeriac.core.errors import ImproperlyConfigured


class Finalizable(Home, Protocol):
    """An app, as what all apps share sees it."""

    def adopt(self, register: Callable[[Any], object]) -> None:
        """Call ``register`` with this app if it is finalised; if not, it will be when it is."""


class _Own(local):
    """What ``set_current`` said in this thread."""

    app: Home | None = None


_lock = RLock()
_own = _Own()
_default: Home | None = None
"""What ``set_default`` said."""
_latest: Home | None = None
"""The app that was made last, in whatever thread."""
_STRICT: Final = bool(os.environ.get("C_STRICT_APP"))
_WARNS: Final = bool(os.environ.get("C_WARN_APP"))
_traced = False
_stopgap: Home | None = None
"""What was made when there was none. It gives way to any that the program makes."""
_make_default: Callable[[], Home] | None = None
_apps: WeakSet[Finalizable] = WeakSet()
_shared: list[Callable[[Any], object]] = []


def get_current_app() -> Home:
    """Return the current app: this thread's, else the default one, else the one that was made last in any thread.

    With none at all, one is made that takes its settings from the default module (``celeryconfig``), and stands in until
    the program makes one. Celery's other threads see that one even then; here they see the program's.

    Raises:
        RuntimeError: the environment has ``C_STRICT_APP``: code that needs an app is to be handed one.

    Source: Celery's reference of ``celery.current_app``.
    """
    if _STRICT:
        raise RuntimeError("the current app was asked for, and C_STRICT_APP is set: hand in the app where this was called")
    if _WARNS:
        warn("the current app was asked for, and C_WARN_APP is set: hand in the app where this was called", stacklevel=2)
    return _own.app or _default or _latest or _made_for_want_of_one()


def _made_for_want_of_one() -> Home:
    global _stopgap
    with _lock:
        if _stopgap is None:
            if _make_default is None:
                raise ImproperlyConfigured("there is no app yet: make one with Celery('name'), or hand it in as app=...")
            _stopgap = _make_default()
        return _stopgap


def provide_default(make: Callable[[], Home]) -> None:
    """Say how an app is made for a program that has made none."""
    global _make_default
    _make_default = make


def app_or_default(app: Home | None = None) -> Home:
    """Return ``app``; without one, the current one.

    Raises:
        RuntimeError: there is none, and the environment has ``CELERY_TRACE_APP``, or ``enable_trace`` was called: somebody did
            not hand on the app.

    Source: Celery's guide, "Application", "Breaking the chain".
    """
    if app is not None:
        return app
    if _traced or os.environ.get("CELERY_TRACE_APP"):
        raise RuntimeError(
            "app_or_default was handed no app, and is told not to guess one: hand on the app where this was called"
        )
    return get_current_app()


def enable_trace() -> None:
    """Have ``app_or_default`` raise where it would guess: to find code that was to be handed an app."""
    global _traced
    _traced = True


def disable_trace() -> None:
    """Undo ``enable_trace``."""
    global _traced
    _traced = False


def set_current(app: Home | None) -> None:
    """Make ``app`` the current one of this thread, and of threads that were told no other. ``None``: forget."""
    global _latest
    _own.app = _latest = app


def set_default_app(app: Home | None) -> None:
    """Make ``app`` the current one of every thread that was told no other."""
    global _default
    _default = app


def register_app(app: Finalizable) -> None:
    """Note a new app."""
    with _lock:
        _apps.add(app)


def deregister_app(app: Home) -> None:
    """Forget an app: it was closed."""
    with _lock:
        _apps.discard(app)  # type: ignore[arg-type]


def get_active_apps() -> list[Any]:
    """Return the apps that there are."""
    with _lock:
        return list(_apps)


def share(register: Callable[[Any], object]) -> None:
    """Call ``register`` with every app that there is, and with every one to come, once it is finalised."""
    connect_on_app_finalize(register)
    for app in get_active_apps():
        app.adopt(register)


def connect_on_app_finalize(callback: Callable[[Any], object]) -> Callable[[Any], object]:
    """Call ``callback`` with every app that is finalised from now on. May be used as a decorator."""
    with _lock:
        _shared.append(callback)
    return callback


def shared_by_all() -> tuple[Callable[[Any], object], ...]:
    """Return what is to be called with every app."""
    with _lock:
        return tuple(_shared)


def task_again(name: str, module: str | None, main: str | None) -> Any:
    """Return the task that was pickled: the current app's of this name, or that of an app of the name ``main``.

    Args:
        name: Of the task.
        module: Where it was declared; imported, unless it is the program itself.
        main: Name of its app.

    Raises:
        NotRegistered: nobody knows it here.
    """
    if module and module not in sys.modules and module != "__main__":
        import_module(module)
    app: Any = get_current_app()
    if name not in app.tasks:
        app = next((other for other in get_active_apps() if other.main == main and name in other.tasks), app)
    return app.tasks[name]


class StandIn:
    """Stands for what ``find`` returns at the moment: whatever is asked of it is asked of that, ``isinstance``, too.

    The one place where this house keeps proxies: programs import ``current_app`` before there is an app.
    """

    __slots__ = ("__weakref__", "_find")

    def __init__(self, find: Callable[[], Any]) -> None:
        object.__setattr__(self, "_find", find)

    def _get_current_object(self) -> Any:
        """Return what it stands for at the moment."""
        return self._find()

    @property  # type: ignore[misc]  # isinstance() asks for it
    def __class__(self) -> type:
        return type(self._find())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._find(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._find(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._find(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self._find()(*args, **kwargs)

    def __enter__(self) -> Any:
        return self._find().__enter__()

    def __exit__(self, *exc_info: Any) -> Any:
        return self._find().__exit__(*exc_info)

    def __bool__(self) -> bool:
        return bool(self._find())

    def __eq__(self, other: object) -> bool:
        return bool(self._find() == other)

    def __hash__(self) -> int:
        return hash(self._find())

    def __dir__(self) -> list[str]:
        return dir(self._find())

    def __repr__(self) -> str:
        return repr(self._find())

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._find().__reduce_ex__(protocol)


def _after_fork() -> None:
    global _lock
    _lock = RLock()  # a thread that does not exist here may have held it


os.register_at_fork(after_in_child=_after_fork)
