"""Members of a group or of a chord's header that a generator makes while they are sent.

In a job's life: ``group(add.s(i, i) for i in range(1_000_000))`` holds the first of them and the generator. To send it directly
takes the members as they come and keeps none (``stream_sending.py``). Whoever wants more of it than that, a list, a copy, JSON,
has all members made, and has an ordinary group then. Does not know: how members are sent.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, Sized, ValuesView
from itertools import chain, islice
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

from celeriac.app.flows.stored import kind_of
from celeriac.app.signature import Signature
from celeriac.core.stream_errors import StreamUsed

R = TypeVar("R")
STREAMED_FROM: Final = 10_000
"""Members that are made at once, so that what is wrong with them is said where the group is written. More are a stream."""
BATCH: Final = 1_000
"""Members that are sent together."""


class Stream:
    """Members that are yet to be made, and the first of them, which are here."""

    def __init__(self, first: list[Signature[Any]], rest: Iterator[Signature[Any]] | None) -> None:
        """``rest`` makes the others; ``None``: there are none, and all are sent together."""
        self._first, self._rest = first, rest or iter(())
        self._used, self.is_list = False, rest is None
        self._batch = len(first) if rest is None else BATCH

    @property
    def first(self) -> list[Signature[Any]]:
        """Those that are here.

        Raises:
            StreamUsed: they have been sent, or changed.
        """
        if self._used:
            raise StreamUsed(
                "this group was made of a generator, so its members are gone when they have been sent, or are those of a chord "
                "that was changed: make it of a list if you want to use it again"
            )
        return self._first

    def all(self) -> list[Signature[Any]]:
        """Make the rest, and return all.

        Raises:
            StreamUsed: they have been sent.
        """
        self.first.extend(self._rest)
        return self._first

    def batches(self) -> Iterator[list[Signature[Any]]]:
        """Yield all members, so many at a time as are sent together, and forget them.

        Raises:
            StreamUsed: they have been sent.
        """
        members = chain(self.first, self._rest)
        self._first, self._used = [], True
        while batch := list(islice(members, self._batch)):
            yield batch

    def changed(self, change: Callable[[Signature[Any]], Signature[Any]]) -> Stream:
        """Return these members, each as ``change`` returns it. This one is used up: both would take from one generator.

        Raises:
            StreamUsed: they have been sent.
        """
        first = [change(one) for one in self.first]
        self._first, self._used = [], True
        return Stream(first, None if self.is_list else map(change, self._rest))

    def __iter__(self) -> Iterator[Signature[Any]]:
        return iter(self.all())

    def __json__(self) -> list[Signature[Any]]:
        """Return all members, for writers of JSON that ask."""
        return self.all()

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (self.all(),)


def begun(members: Iterable[Any], checked: Callable[[Any], Signature[Any]]) -> list[Signature[Any]] | Stream:
    """Return members as a list; or as a Stream, if there are many and they are made one by one.

    Args:
        members: Signatures.
        checked: Returns each as it is to be, or raises.
    """
    if isinstance(members, Stream):
        return members
    rest = map(checked, members)
    if isinstance(members, Sized):
        return list(rest)
    first = list(islice(rest, STREAMED_FROM + 1))
    return first if len(first) <= STREAMED_FROM else Stream(first, rest)


class Streamed(Signature[R], Generic[R]):
    """A signature with members that may be a Stream. To everybody but itself it is a mapping with a list."""

    MEMBERS: ClassVar[str]
    """Where they stand in ``kwargs``."""

    @property
    def stream(self) -> Stream | None:
        """The members, if they are not all made; ``None``: they are a list."""
        members = self._kwargs.get(self.MEMBERS)
        return members if isinstance(members, Stream) else None

    @property
    def _kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = dict.get(self, "kwargs") or {}
        return kwargs

    def _sent_as_stream(self) -> Stream | None:
        """Return the members if they are sent while they are made; ``None``: they are a list, or have to be one."""
        stream = self.stream
        if stream is None or self.app.conf.settings().task.always_eager or any(map(kind_of, stream.first)):
            return None
        return stream

    def _copy(self) -> Self:
        copy = self.__class__.__new__(self.__class__)
        dict.__init__(copy, dict.items(self))
        copy._app = self._app
        return copy

    def _make_all(self) -> None:
        if (stream := self.stream) is not None:
            self._kwargs[self.MEMBERS] = stream.all()

    # Every way to ``kwargs`` leads to a list: also those of C code, which asks a mapping that iterates in its own way for
    # its keys and items.

    def __getitem__(self, key: str) -> Any:
        if key == "kwargs":
            self._make_all()
        return dict.__getitem__(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a part of it, as of any mapping."""
        if key == "kwargs":
            self._make_all()
        return dict.get(self, key, default)

    def __iter__(self) -> Iterator[str]:
        self._make_all()
        return dict.__iter__(self)

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]  # dict's own view is a class of its own
        """Return the parts with their names, as of any mapping."""
        self._make_all()
        return dict.items(self)

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """Return the parts, as of any mapping."""
        self._make_all()
        return dict.values(self)

    def __eq__(self, other: object) -> bool:
        self._make_all()
        if isinstance(other, Streamed):
            other._make_all()
        return dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]  # as of any mapping
