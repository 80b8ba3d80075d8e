"""Show any value as a short text, whatever it is.

In a job's life: the producer writes ``argsrepr`` and ``kwargsrepr`` with it, logs and events show them. A value may be
huge, contain itself, or raise when asked for its repr: the text is bounded, and so is the time. The form is Celery's: what is
too deep or too long is ``...``. Does not know: messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

MAX_LENGTH: Final = 1024
MAX_LEVELS: Final = 3
_CUT: Final = "..."
_SHORT: Final = frozenset({int, bool, float, type(None)})
_ENDS: Final[dict[type, tuple[str, str]]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    dict: ("{", "}"),
}
_SCALARS: Final = _SHORT | {str}
_TEXT: Final = frozenset({str})
_FEW: Final = 10
_BIG_INT: Final = 10**1000


class _Hidden:
    """Stands for a value that is not to be shown."""

    def __repr__(self) -> str:
        return "***"


HIDDEN: Final = _Hidden()


def safe_repr(value: Any, maxlen: int = MAX_LENGTH, maxlevels: int = MAX_LEVELS) -> str:
    """Return ``value`` as text of about ``maxlen`` characters at most, ``maxlevels`` containers deep. Never raises."""
    text = _everyday(value)
    if text is not None and len(text) <= maxlen:
        return text
    writer = _Writer(maxlen, maxlevels)
    writer.show(value, 0)
    return writer.text()


def _everyday(value: Any) -> str | None:
    """Return the repr of a few numbers and short texts; it is what ``_Writer`` would say, for a third of the price."""
    if value is None or type(value) is bool or (type(value) is int and -_BIG_INT < value < _BIG_INT):
        return repr(value)
    if not value and (type(value) is dict or type(value) is tuple):
        return "{}" if type(value) is dict else "()"
    if type(value) is tuple:
        items: Iterable[Any] = value
    elif type(value) is dict and _TEXT.issuperset(map(type, value)):
        items = value.values()
    else:
        return None
    if len(value) > _FEW or not _SCALARS.issuperset(map(type, items)):
        return None
    for item in items:
        if type(item) is str and len(item) > MAX_LENGTH:
            return None
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        return None
    return None if '"' in text or "\\" in text else text  # quoted otherwise than Celery does


class _Writer:
    """Collects pieces of text until there are enough of them."""

    def __init__(self, maxlen: int, maxlevels: int) -> None:
        self._pieces: list[str] = []
        self._left = maxlen
        self._maxlevels = maxlevels
        self._inside: set[int] = set()

    def text(self) -> str:
        return "".join(self._pieces)

    def _say(self, piece: str) -> None:
        self._pieces.append(piece)
        self._left -= len(piece)

    def show(self, value: Any, level: int) -> None:
        kind = type(value)
        if kind is str:
            self._say("'" + _cut(value, self._left).replace("'", "\\'") + "'")
        elif kind in _SHORT:
            self._say(_number(value))
        elif kind is bytes:
            self._say("b'" + _cut(_bytes(value[: max(self._left, 0) + 1]), self._left) + "'")
        elif kind in _ENDS:
            self._container(value, kind, level)
        else:
            self._say(_cut(_foreign(value, self._left), self._left))

    def _container(self, value: Any, kind: type, level: int) -> None:
        start, end = _ENDS[kind]
        if not value and kind in (set, frozenset):
            self._say(f"{kind.__name__}()")
        elif level >= self._maxlevels or id(value) in self._inside:
            self._say(start + _CUT + end)
        else:
            self._inside.add(id(value))
            self._say(start)
            if kind is dict:
                self._items(value.items(), lambda item: self._pair(item, level + 1))
            else:
                self._items(value, lambda item: self.show(item, level + 1))
            self._pieces.append(",)" if kind is tuple and len(value) == 1 else end)
            self._inside.discard(id(value))

    def _pair(self, item: tuple[Any, Any], level: int) -> None:
        self.show(item[0], level)
        self._say(": ")
        self.show(item[1], level)

    def _items(self, items: Iterable[Any], show: Callable[[Any], None]) -> None:
        for index, item in enumerate(_steady(items, self._left)):
            if index:
                self._say(", ")
            if self._left <= 0:
                self._pieces.append(_CUT)
                return
            show(item)


def _steady(items: Iterable[Any], count: int) -> Iterator[Any]:
    """Yield some of the items; each takes one character at least, so more cannot be shown.

    A list of them first: another thread may change the container meanwhile.
    """
    try:
        return iter(list(islice(items, max(count, 0) + 1)))
    except RuntimeError:
        return iter([_CUT])


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(length, 0)] + _CUT


def _number(value: Any) -> str:
    if type(value) is int and not -_BIG_INT < value < _BIG_INT:
        return "<int, " + str(value.bit_length()) + " bits>"  # its digits would cost quadratic time
    return repr(value)


def _bytes(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()


def _foreign(value: Any, room: int) -> str:
    """Return the repr of an object of any class; its author's code runs here."""
    try:
        for kind in (str, bytes, list, tuple, set, frozenset, dict):
            # Of subclasses, too: their repr may be as long as they are.
            if isinstance(value, kind) and len(value) > max(room, 0):
                return f"<{type(value).__name__}, {len(value)} items>"
        return repr(value)
    except Exception as problem:
        return f"<{type(value).__name__}: no repr, {type(problem).__name__}>"
