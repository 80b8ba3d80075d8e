"""Small works on what is stored, by Celery's names."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from celeriac.core.representation import safe_repr

STRTOBOOL_DEFAULT_TABLE: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("false", "no", "0", "off"), False),
    **dict.fromkeys(("true", "yes", "1", "on"), True),
}
_PLAIN: Final = (int, float, bool, type(None), str)


def strtobool(term: Any, table: Mapping[str, bool] | None = None) -> Any:
    """Return what a text such as ``"yes"`` means; what is no text as it is.

    Raises:
        TypeError: it is no such text.
    """
    if not isinstance(term, str):
        return term
    known = STRTOBOOL_DEFAULT_TABLE if table is None else table
    try:
        return known[term.lower()]
    except KeyError:
        raise TypeError(f"{term!r} is neither true nor false; it may be one of {', '.join(known)}") from None


def b64encode(s: str | bytes) -> str:
    """Return the bytes of a text, or bytes, as base64."""
    return base64.b64encode(s.encode() if isinstance(s, str) else s).decode()


def b64decode(s: str | bytes) -> bytes:
    """Return the bytes that a base64 text means."""
    return base64.b64decode(s)


class UnpickleableExceptionWrapper(Exception):
    """Stands for an exception that cannot be pickled."""

    exc_module: str
    exc_cls_name: str
    exc_args: tuple[Any, ...]

    def __init__(self, exc_module: str, exc_cls_name: str, exc_args: Iterable[Any], text: str | None = None) -> None:
        args = ensure_serializable(exc_args, pickle.dumps)
        super().__init__(exc_module, exc_cls_name, args, text)
        self.exc_module, self.exc_cls_name, self.exc_args, self.text = exc_module, exc_cls_name, args, text

    def restore(self) -> BaseException:
        """Return an exception of a class with the same name."""
        restored: BaseException = type(self.exc_cls_name, (Exception,), {"__module__": self.exc_module})(*self.exc_args)
        return restored

    @classmethod
    def from_exception(cls, exc: BaseException) -> UnpickleableExceptionWrapper:
        """Return what stands for ``exc``."""
        kind = type(exc)
        wrapper = cls(kind.__module__, kind.__name__, exc.args, safe_repr(exc))
        return wrapper.with_traceback(exc.__traceback__)

    def __str__(self) -> str:
        return str(self.text)


def ensure_serializable(items: Iterable[Any], encoder: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Return the items; those that ``encoder`` refuses as text."""
    return tuple(item if _encodes(item, encoder) else safe_repr(item) for item in items)


def _encodes(item: Any, encoder: Callable[[Any], Any]) -> bool:
    try:
        encoder(item)
    except Exception:
        return False
    return True


def get_pickleable_exception(exc: BaseException) -> BaseException:
    """Return an exception that survives pickling: this one, or what stands for it."""
    if _encodes(exc, lambda exc: pickle.loads(pickle.dumps(exc))):  # noqa: S301 - what was just written
        return exc
    return UnpickleableExceptionWrapper.from_exception(exc)


def get_pickled_exception(exc: BaseException) -> BaseException:
    """Return the exception that another one stands for."""
    return exc.restore() if isinstance(exc, UnpickleableExceptionWrapper) else exc


def jsonify(
    obj: Any,
    builtin_types: tuple[type, ...] = _PLAIN,
    key: str | None = None,
    keyfilter: Callable[[str], bool] | None = None,
    unknown_type_filter: Callable[[Any], Any] | None = None,
) -> Any:
    """Return a value that JSON can say: dates and durations as text.

    Raises:
        ValueError: there is something else in it, and no ``unknown_type_filter``.
    """

    def inner(value: Any, key: str | None = None) -> Any:
        return jsonify(value, builtin_types, key, keyfilter, unknown_type_filter)

    if hasattr(obj, "__json__"):
        return obj.__json__()
    if isinstance(obj, builtin_types):
        return obj
    if isinstance(obj, Mapping):
        return {k: inner(v, k) for k, v in obj.items() if keyfilter is None or keyfilter(k)}
    if isinstance(obj, list | tuple):
        return [inner(value) for value in obj]
    if isinstance(obj, datetime):
        return obj.isoformat().replace("+00:00", "Z")
    if isinstance(obj, date | time):
        return obj.isoformat()
    if isinstance(obj, timedelta):
        return str(obj)
    if unknown_type_filter is None:
        raise ValueError(f"JSON has nothing for {type(obj).__name__} {safe_repr(obj, 80)} (key {key!r})")
    return unknown_type_filter(obj)
