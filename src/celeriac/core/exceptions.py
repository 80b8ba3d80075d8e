"""Exceptions as stored data, and back without trusting what is stored.

In a job's life: settlement describes the exception of a failed run, the result rebuilds it for whoever waits.
Stored is ``{"exc_type", "exc_message", "exc_module"}``, as Celery stores it, and our own errors under the names that a
Celery client knows. Rebuilding imports nothing and calls nothing but subclasses of Exception that are already loaded;
everything else becomes a RemoteError. Does not know: results, tasks.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final, cast

from celeriac.core import codecs, errors
from celeriac.core.errors import CeleriacError, EncodeError, RemoteError
from celeriac.core.representation import safe_repr

_CELERY: Final = "celery.exceptions"
_BILLIARD: Final = "billiard.exceptions"
_KOMBU: Final = "kombu.exceptions"

_FOREIGN: Final[Mapping[type[BaseException], tuple[str, str]]] = {
    errors.CeleriacError: (_CELERY, "CeleryError"),
    errors.ImproperlyConfigured: (_CELERY, "ImproperlyConfigured"),
    errors.NotRegistered: (_CELERY, "NotRegistered"),
    errors.SecurityError: (_CELERY, "SecurityError"),
    errors.TaskPredicate: (_CELERY, "TaskPredicate"),
    errors.Retry: (_CELERY, "Retry"),
    errors.Ignore: (_CELERY, "Ignore"),
    errors.Reject: (_CELERY, "Reject"),
    errors.TaskError: (_CELERY, "TaskError"),
    errors.TaskRevokedError: (_CELERY, "TaskRevokedError"),
    errors.MaxRetriesExceededError: (_CELERY, "MaxRetriesExceededError"),
    errors.TimeoutError: (_CELERY, "TimeoutError"),
    errors.TimeLimitExceeded: (_BILLIARD, "TimeLimitExceeded"),
    errors.SoftTimeLimitExceeded: (_BILLIARD, "SoftTimeLimitExceeded"),
    errors.WorkerLostError: (_BILLIARD, "WorkerLostError"),
    errors.OperationalError: (_KOMBU, "OperationalError"),
    errors.EncodeError: (_KOMBU, "EncodeError"),
    errors.DecodeError: (_KOMBU, "DecodeError"),
    errors.ContentDisallowed: (_KOMBU, "ContentDisallowed"),
}
"""Ours -> theirs: module and name."""
_OURS: Final[Mapping[tuple[str, str], type[BaseException]]] = {
    **{(_CELERY, name): ours for ours, (_, name) in _FOREIGN.items()},  # theirs is the front door of the other two
    **{names: ours for ours, names in _FOREIGN.items()},
}
_THEIR_PACKAGES: Final = frozenset({"celery", "kombu", "billiard"})
_WRAPPER: Final = ("celery.utils.serialization", "UnpickleableExceptionWrapper")
"""What Celery stores for an exception that cannot be pickled: module, class name, arguments as text, repr."""


def describe(error: BaseException, *, serializer: str = "json") -> dict[str, Any]:
    """Return what is stored of ``error``. Arguments that the serializer cannot write are replaced by their repr."""
    module, name, args = _identity(error)
    return {"exc_type": name, "exc_message": [_writable(arg, serializer) for arg in args], "exc_module": module}


def rebuild(stored: object) -> Exception:
    """Return the exception that was stored; a RemoteError where its class is not known, or not allowed, here.

    Never raises, imports nothing, and calls nothing that is no subclass of Exception.
    """
    if isinstance(stored, Exception):
        return stored  # pickled: the app accepts pickle, and knows why
    if not isinstance(stored, Mapping):
        return RemoteError("unknown", safe_repr(stored))
    module, name, args = stored.get("exc_module"), stored.get("exc_type"), _args(stored.get("exc_message"))
    if not isinstance(name, str) or not isinstance(module, str | None):
        return RemoteError("unknown", safe_repr(dict(stored)))
    if (module, name) == _WRAPPER and len(args) == 4:
        return RemoteError(f"{args[0]}.{args[1]}", _inside(args[2]))
    found = _find(module, name) if module is not None else None
    if found is not None:
        try:
            # A class may make something else in its ``__new__``; only an exception may leave here.
            made: object = found(*args)
            if isinstance(made, Exception):
                return made
        except Exception:  # its constructor wants other arguments than it keeps: told by name below
            pass
    return RemoteError(f"{module}.{name}" if module else name, ", ".join(map(safe_repr, args)))


def text(error: BaseException) -> str:
    """Return one bounded line about ``error``: its class and what it says. Never raises."""
    try:
        said = str(error)
    except Exception:
        said = safe_repr(error)
    return f"{type(error).__name__}: {said[:1000]}" if said else type(error).__name__


def _identity(error: BaseException) -> tuple[str | None, str, tuple[Any, ...]]:
    """Return module, name and arguments under which ``error`` is stored."""
    kind = type(error)
    if isinstance(error, RemoteError):
        module, _, name = error.type.rpartition(".")  # passed on from a store: keep what stood there
        return module or None, name, (error.message,)
    if isinstance(error, errors.NotRegistered):
        return *_FOREIGN[errors.NotRegistered], (error.name,)
    if kind in _FOREIGN:
        return *_FOREIGN[kind], error.args
    if isinstance(error, CeleriacError) and kind.__module__.partition(".")[0] == "celeriac":
        near = next(each for each in kind.__mro__ if each in _FOREIGN)
        return *_FOREIGN[near], (str(error),)
    return kind.__module__, kind.__qualname__, error.args


def _writable(arg: Any, serializer: str) -> Any:
    try:
        codecs.encode(arg, serializer)
    except EncodeError:
        return safe_repr(arg)
    return arg


def _args(message: object) -> tuple[Any, ...]:
    if isinstance(message, list | tuple):
        return tuple(message)
    return () if message is None else (message,)


def _inside(args: object) -> str:
    """Return ``"'a', 1"`` for the text ``"('a', 1)"``, and for the tuple."""
    shown = args if isinstance(args, str) else safe_repr(args)
    return shown[1:-1] if shown[:1] in {"(", "["} else shown


def _find(module: str, name: str) -> type[Exception] | None:
    """Return the class of that name if it is loaded and an Exception; look into namespaces only, so that no code runs."""
    found: object = _OURS.get((module, name))
    if found is None and module.partition(".")[0] not in _THEIR_PACKAGES:
        found = sys.modules.get(module)
        for part in name.split("."):
            found = _namespace(found).get(part)
    # ``isinstance`` would ask an object for its ``__class__``, and a proxy computes that.
    if issubclass(type(found), type) and issubclass(cast("type", found), Exception):
        return cast("type[Exception]", found)
    return None


def _namespace(found: object) -> Mapping[str, object]:
    """Return what a module or class holds. Its own ways of looking up are passed by: lazy modules import when asked."""
    if issubclass(type(found), ModuleType):
        namespace = object.__getattribute__(found, "__dict__")
    elif issubclass(type(found), type):
        namespace = type.__getattribute__(cast("type", found), "__dict__")
    else:
        namespace = {}
    return cast("Mapping[str, object]", namespace)
