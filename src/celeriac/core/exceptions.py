"""Exceptions as stored data, and back without trusting what is stored.

In a job's life: settlement describes the exception of a failed run, the result rebuilds it for whoever waits.
Stored is ``{"exc_type", "exc_message", "exc_module"}``, as Celery stores it, and a little more; our own errors under the names
that a Celery client knows. Rebuilding imports nothing and calls nothing but subclasses of Exception that are already loaded;
everything else becomes a RemoteError. Does not know: results, tasks.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from pathlib import PurePath
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
    errors.AlreadyRegistered: (_CELERY, "AlreadyRegistered"),
    errors.QueueNotFound: (_CELERY, "QueueNotFound"),
    errors.InvalidTaskError: (_CELERY, "InvalidTaskError"),
    errors.ChordError: (_CELERY, "ChordError"),
    errors.IncompleteStream: (_CELERY, "IncompleteStream"),
    errors.BackendError: (_CELERY, "BackendError"),
    errors.BackendGetMetaError: (_CELERY, "BackendGetMetaError"),
    errors.BackendStoreError: (_CELERY, "BackendStoreError"),
    errors.TimeoutError: (_CELERY, "TimeoutError"),
    errors.TimeLimitExceeded: (_BILLIARD, "TimeLimitExceeded"),
    errors.SoftTimeLimitExceeded: (_BILLIARD, "SoftTimeLimitExceeded"),
    errors.WorkerLostError: (_BILLIARD, "WorkerLostError"),
    errors.Terminated: (_BILLIARD, "Terminated"),
    errors.OperationalError: (_KOMBU, "OperationalError"),
    errors.EncodeError: (_KOMBU, "EncodeError"),
    errors.DecodeError: (_KOMBU, "DecodeError"),
    errors.ContentDisallowed: (_KOMBU, "ContentDisallowed"),
    # These two have no counterpart: a Celery client makes a class of that name.
    errors.InvalidArguments: ("celeriac.core.errors", "InvalidArguments"),
    errors.InvalidResult: ("celeriac.core.errors", "InvalidResult"),
}
"""Ours -> theirs: module and name."""
_OURS: Final[Mapping[tuple[str, str], type[BaseException]]] = {
    **{(_CELERY, name): ours for ours, (_, name) in _FOREIGN.items()},  # theirs is the front door of the other two
    **{names: ours for ours, names in _FOREIGN.items()},
}
_THEIR_PACKAGES: Final = frozenset({"celery", "kombu", "billiard"})
_MAIN: Final = "__main__"
_WRAPPER: Final = ("celery.utils.serialization", "UnpickleableExceptionWrapper")
"""What Celery stores for an exception that cannot be pickled: module, class name, arguments as text, repr."""
LONGEST: Final = 20_000
"""Characters of one argument that are kept: a message may quote a whole document."""
_DEEPEST: Final = 10
"""Causes of causes, groups in groups."""
_MOST_DESCRIBED: Final = 100
"""Exceptions in one that are kept."""
_MOST_NOTES: Final = 20


def describe(error: BaseException, *, serializer: str = "json") -> dict[str, Any]:
    """Return what is stored of ``error``. Arguments that the serializer cannot write, or that are huge, are shortened to text.

    Beside Celery's three keys, where there is something to tell: ``exc_cause`` (what it was raised from), ``exc_group`` (the
    members of a group) and ``exc_notes``. A Celery client does not read them.
    """
    return _described(error, serializer, _Budget(_MOST_DESCRIBED))


class _Budget:
    """How many exceptions may still be described: a group may hold groups, and a cause have causes, in a circle, too."""

    def __init__(self, left: int) -> None:
        self._left = left

    def allows(self, depth: int) -> bool:
        """Take one, if there is one left and it is not too deep."""
        self._left -= 1
        return self._left >= 0 and depth < _DEEPEST


def _described(error: BaseException, serializer: str, budget: _Budget, depth: int = 1) -> dict[str, Any]:
    module, name, args = _identity(error)
    stored: dict[str, Any] = {"exc_type": name, "exc_message": [_writable(arg, serializer) for arg in args], "exc_module": module}
    cause, notes = error.__cause__, getattr(error, "__notes__", None)
    if isinstance(error, BaseExceptionGroup):
        stored["exc_group"] = [
            _described(each, serializer, budget, depth + 1) for each in error.exceptions if budget.allows(depth)
        ]
    if cause is not None and cause is not error and budget.allows(depth):
        stored["exc_cause"] = _described(cause, serializer, budget, depth + 1)
    if notes and isinstance(notes, list):
        stored["exc_notes"] = [shortened(note) for note in notes[:_MOST_NOTES] if isinstance(note, str)]
    return stored


def rebuild(stored: object) -> Exception:
    """Return the exception that was stored; a RemoteError where its class is not known, or not allowed, here.

    Never raises, imports nothing, and calls nothing that is no subclass of Exception. Members of a group, causes and notes
    are put back; a group of BaseExceptions becomes a group of what these can be here.
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
    error = _made(module, name, args, stored)
    if error is None:
        error = RemoteError(f"{module}.{name}" if module else name, ", ".join(map(safe_repr, args)))
    cause, notes = stored.get("exc_cause"), stored.get("exc_notes")
    if isinstance(cause, Mapping):
        error.__cause__ = rebuild(cause)
    for note in notes if isinstance(notes, list) else ():
        if isinstance(note, str):
            error.add_note(note)
    return error


def _made(module: str | None, name: str, args: tuple[Any, ...], stored: Mapping[str, Any]) -> Exception | None:
    """Return an exception of that class; ``None``: there is none here, or it cannot be made of these arguments."""
    if (module, name) == ("builtins", "BaseExceptionGroup"):
        name = "ExceptionGroup"
    found = _find(module, name) if module is not None else None
    if found is None:
        return None
    members = stored.get("exc_group")
    if isinstance(members, list) and members and issubclass(found, ExceptionGroup):
        args = (str(args[0]) if args else "", [rebuild(each) for each in members])
    try:
        # A class may make something else in its ``__new__``; only an exception may leave here.
        made: object = found(*args)
        if isinstance(made, Exception) and tamed(made) is made:
            return made
    except Exception:  # its constructor wants other arguments than it keeps
        return _half_made(found, args)
    return None


def _half_made(kind: type[Exception], args: tuple[Any, ...]) -> Exception | None:
    """Return an exception without what its constructor would have set: it can be caught by its class, and says what it said."""
    try:
        made: object = kind.__new__(kind, *args)
        if not isinstance(made, Exception):
            return None
        made.args = args
        if tamed(made) is not made:
            return None
        str(made), repr(made)  # what would break whoever shows it is told as a RemoteError instead
        made.add_note("rebuilt from its arguments alone: its constructor wants others, so attributes may be missing")
    except Exception:
        return None
    return made


def text(error: BaseException) -> str:
    """Return one bounded line about ``error``: its class and what it says. Never raises."""
    try:
        said = str(error)
    except Exception:
        said = safe_repr(error)
    return f"{type(error).__name__}: {said[:1000]}" if said else type(error).__name__


def tamed(error: BaseException) -> BaseException:
    """Return ``error`` if it can be asked what every exception can be asked; otherwise one that stands for it."""
    kind = type(error)
    try:
        if issubclass(error.__class__, BaseException) and all(
            isinstance(name, str) for name in (kind.__name__, kind.__qualname__, kind.__module__)
        ):
            _ = error.__traceback__, error.__cause__, error.__context__
            return error
    except Exception as broken:
        return _stand_in(error, broken)
    return _stand_in(error, TypeError("it is none"))


def _stand_in(error: BaseException, broken: Exception) -> RemoteError:
    made = RemoteError(name_of(type(error)), f"cannot be asked what it is: {type(broken).__name__}")
    made.__traceback__ = vars(BaseException)["__traceback__"].__get__(error)  # past what fails
    return made


def name_of(kind: type) -> str:
    """Return the dotted name of a class, whatever its metaclass does."""
    found = vars(type)["__dict__"].__get__(kind)
    module, name = found.get("__module__"), vars(type)["__qualname__"].__get__(kind)
    return f"{module}.{name}" if isinstance(module, str) else str(name)


def _identity(error: BaseException) -> tuple[str | None, str, tuple[Any, ...]]:
    """Return module, name and arguments under which ``error`` is stored."""
    kind = type(error)
    if isinstance(error, RemoteError):
        module, _, name = error.type.rpartition(".")  # passed on from a store: keep what stood there
        return module or None, name, (error.message,)
    if isinstance(error, errors.NotRegistered):
        return *_FOREIGN[errors.NotRegistered], (error.name,)
    if kind in _FOREIGN:
        return *_FOREIGN[kind], _args_of(error)
    if isinstance(error, CeleriacError) and kind.__module__.partition(".")[0] == "celeriac":
        near = next(each for each in kind.__mro__ if each in _FOREIGN)
        return *_FOREIGN[near], (str(error),)
    # Others import the module that is run as a program by its own name.
    return (_program() or kind.__module__) if kind.__module__ == _MAIN else kind.__module__, kind.__qualname__, _args_of(error)


def _args_of(error: BaseException) -> tuple[Any, ...]:
    try:
        args = error.args
    except Exception:  # a property of the class's own that fails
        args = vars(BaseException)["args"].__get__(error)  # the one that cannot
    if isinstance(error, OSError) and type(error).__module__ == "builtins" and len(args) == 2 and error.filename is not None:
        args = (*args, error.filename)  # which Python leaves out of them
    return args if type(args) is tuple else (args,)


def _writable(arg: Any, serializer: str) -> Any:
    if isinstance(arg, str):
        return shortened(arg)
    try:
        data = codecs.encode(arg, serializer).data
    except EncodeError:
        return safe_repr(arg)
    return arg if len(data) <= LONGEST else safe_repr(arg, LONGEST)


def shortened(text: str, longest: int = 0) -> str:
    """Return ``text``, its middle left out if it is longer than ``longest`` characters (by default ``LONGEST``)."""
    longest = longest or LONGEST
    if len(text) <= longest:
        return text
    left = longest // 2
    return f"{text[:left]} ... {len(text) - 2 * left} characters left out ... {text[-left:]}"


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
        found = sys.modules.get(_MAIN if module not in sys.modules and module == _program() else module)
        for part in name.split("."):
            found = _namespace(found).get(part)
    # ``isinstance`` would ask an object for its ``__class__``, and a proxy computes that.
    if issubclass(type(found), type) and issubclass(cast("type", found), Exception):
        return cast("type[Exception]", found)
    return None


def _program() -> str | None:
    """Return the name by which the module that is run as a program can be imported; ``None``: it has no file."""
    main = _namespace(sys.modules.get(_MAIN))
    spec, file = main.get("__spec__"), main.get("__file__")
    if isinstance(spec, ModuleSpec):
        return spec.name
    return PurePath(file).stem if isinstance(file, str) else None


def _namespace(found: object) -> Mapping[str, object]:
    """Return what a module or class holds. Its own ways of looking up are passed by: lazy modules import when asked."""
    if issubclass(type(found), ModuleType):
        namespace = object.__getattribute__(found, "__dict__")
    elif issubclass(type(found), type):
        namespace = type.__getattribute__(cast("type", found), "__dict__")
    else:
        namespace = {}
    return cast("Mapping[str, object]", namespace)
