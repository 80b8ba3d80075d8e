"""Small works on functions and sequences, by the names of Celery and kombu."""

from __future__ import annotations

import inspect
from collections import OrderedDict, UserList
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain as chained
from itertools import islice
from threading import RLock
from typing import Any, Final, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
F = TypeVar("F", bound=Callable[..., Any])

_NO_LISTS: Final = (Mapping, str, bytes)


class LRUCache(OrderedDict[K, T]):
    """A mapping that forgets what was not used for longest, when there are more than ``limit``. Safe in any thread."""

    def __init__(self, limit: int | None = None) -> None:
        super().__init__()
        self.limit = limit
        self.mutex = RLock()

    def __getitem__(self, key: K) -> T:
        with self.mutex:
            self.move_to_end(key)
            return super().__getitem__(key)

    def __setitem__(self, key: K, value: T) -> None:
        with self.mutex:
            super().__setitem__(key, value)
            while self.limit and len(self) > self.limit:
                del self[next(iter(self))]

    def incr(self, key: K, delta: int = 1) -> int:
        """Add to a number."""
        with self.mutex:
            value: Any = int(self[key]) + delta  # type: ignore[call-overload]
            self[key] = value
            return int(value)


def memoize(maxsize: int | None = 100, keyfun: Callable[..., Hashable] | None = None) -> Callable[[F], Callable[..., Any]]:
    """Remember what a function returned; a decorator. ``keyfun`` says which calls are the same."""

    def decorate(function: F) -> Callable[..., Any]:
        if keyfun is None:
            return lru_cache(maxsize)(function)
        known: LRUCache[Hashable, Any] = LRUCache(maxsize)

        def call(*args: Any, **kwargs: Any) -> Any:
            key = keyfun(args, kwargs)
            if key not in known:
                known[key] = function(*args, **kwargs)
            return known[key]

        return call

    return decorate


class lazy:  # noqa: N801 - Celery's name
    """A call that is made whenever its value is asked for."""

    def __init__(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self._fun: Callable[..., Any] = partial(fun, *args, **kwargs)

    def __call__(self) -> Any:
        """Return the value."""
        return self.evaluate()

    def evaluate(self) -> Any:
        """Return the value."""
        return self._fun()

    def __str__(self) -> str:
        return str(self())

    def __repr__(self) -> str:
        return repr(self())

    def __eq__(self, other: object) -> bool:
        return bool(self() == other)

    def __hash__(self) -> int:
        return id(self)


class mlazy(lazy):  # noqa: N801 - Celery's name
    """A call that is made once."""

    evaluated = False
    _value: Any = None

    def evaluate(self) -> Any:
        """Return the value, computed at the first time."""
        if not self.evaluated:
            self._value, self.evaluated = super().evaluate(), True
        return self._value


def maybe_evaluate(value: Any) -> Any:
    """Return the value of a ``lazy``; anything else as it is."""
    return value.evaluate() if isinstance(value, lazy) else value


def is_list(obj: object, scalars: tuple[type, ...] = _NO_LISTS, iters: tuple[type, ...] = (Iterable,)) -> bool:
    """Say whether it is something to go through, and neither a text nor a mapping."""
    return isinstance(obj, iters) and not isinstance(obj, scalars)


def maybe_list(obj: Any, scalars: tuple[type, ...] = _NO_LISTS) -> Any:
    """Return ``None`` and what ``is_list`` as they are, a list of anything else."""
    return obj if obj is None or is_list(obj, scalars) else [obj]


def dictfilter(d: Mapping[str, Any] | None = None, **kw: Any) -> dict[str, Any]:
    """Return what is not ``None``."""
    return {key: value for key, value in {**(d or {}), **kw}.items() if value is not None}


def noop(*args: Any, **kwargs: Any) -> None:
    """Do nothing."""


def first(predicate: Callable[[T], object] | None, it: Iterable[T]) -> T | None:
    """Return the first of which the predicate holds; without one, the first that is not ``None``."""
    holds = predicate if predicate is not None else lambda value: value is not None
    return next((value for value in it if holds(value)), None)


def firstmethod(method: str, on_call: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Return a function that asks objects one after the other, until an answer is not ``None``."""

    def ask(objects: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        for one in objects:
            bound = getattr(maybe_evaluate(one), method)
            answer = on_call(bound, *args, **kwargs) if on_call else bound(*args, **kwargs)
            if answer is not None:
                return answer
        return None

    return ask


def chunks(it: Iterator[T], n: int) -> Iterator[list[T]]:
    """Yield lists of ``n``; the last one may be shorter."""
    while part := list(islice(it, n)):
        yield part


def padlist(container: Sequence[T], size: int, default: T | None = None) -> list[T | None]:
    """Return the first ``size``, filled up with ``default``."""
    return list(islice(chained(container, [default] * size), size))


def mattrgetter(*attrs: str) -> Callable[[object], dict[str, Any]]:
    """Return a function that returns these attributes of an object, ``None`` where there is none."""
    return lambda obj: {attr: getattr(obj, attr, None) for attr in attrs}


def uniq(it: Iterable[K]) -> Iterator[K]:
    """Yield each but once, in order."""
    return iter(dict.fromkeys(it))


class _Kept(UserList[T]):
    """What a generator yields, read when it is first needed, and kept."""

    def __init__(self, it: Iterable[T]) -> None:
        self._it: Iterable[T] | None = it

    @property
    def data(self) -> list[T]:  # type: ignore[override]
        if self._it is not None:
            self._read, self._it = list(self._it), None
        return self._read

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (self.data,)


def regen(it: Iterable[T]) -> Sequence[T]:
    """Return a list or tuple as it is, and a list of a generator's items otherwise, which can be read again."""
    if isinstance(it, list | tuple):
        return it
    return _Kept(it)


def maybe(typ: Callable[[Any], T], val: Any) -> T | None:
    """Return ``typ(val)``; nothing of nothing."""
    return None if val is None else typ(val)


def fun_accepts_kwargs(fun: Callable[..., Any]) -> bool:
    """Say whether it takes any keyword."""
    return any(one.kind is one.VAR_KEYWORD for one in inspect.signature(fun).parameters.values())


def head_from_fun(fun: Callable[..., Any], bound: bool = False) -> Callable[..., None]:
    """Return a function with these parameters that does nothing: it raises ``TypeError`` where ``fun`` would.

    Args:
        fun: A function, or an object that can be called.
        bound: It is handed its first argument by somebody else.
    """
    signature = inspect.signature(fun)
    if bound:
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])

    def head(*args: Any, **kwargs: Any) -> None:
        signature.bind(*args, **kwargs)

    head.__signature__ = signature  # type: ignore[attr-defined]
    head.__name__ = getattr(fun, "__name__", type(fun).__name__)
    return head
