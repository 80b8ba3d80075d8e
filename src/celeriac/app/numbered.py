"""The results of a group's members as a number: a sequence that makes each of them when it is asked for.

In a job's life: what the GroupResult holds of a group that was sent while it was generated. A million of them are one id and one
number, here and pickled. Does not know: how the group was sent, how results are waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, overload

from celeriac.app.flows.numbering import count_of, member_id, place_of
from celeriac.app.home import Home
from celeriac.app.result import AsyncResult

BLOCK: Final = 10_000
"""Results that are waited for, or looked at, together: so many are here at a time."""
_NONE: Final[Mapping[int, Any]] = MappingProxyType({})


class Numbered(Sequence[Any]):
    """Results in the order of their places. They are made anew each time: what one of them has learnt, the next has not."""

    def __init__(
        self, group_id: str, size: int, app: Home | None, like: AsyncResult[Any] | None = None, odd: Mapping[int, Any] = _NONE
    ) -> None:
        """Hold ``size`` results.

        Args:
            group_id: Their ids follow from it.
            size: How many there are.
            app: Whose they are. ``None``: the current one, whenever one of them is made.
            like: Says where their results are, and whether there are any. ``None``: where the app's are.
            odd: Place -> result of a member that is not like the others: a workflow, or one with an id of its own.
        """
        self.group_id, self.app, self.odd = group_id, app, odd
        self._size, self._like = size, like

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self._at(place) for place in range(*index.indices(self._size))]
        place = index + self._size if index < 0 else index
        if not 0 <= place < self._size:
            raise IndexError(f"group {self.group_id} has {self._size} members, and none at {index}")
        return self._at(place)

    def _at(self, place: int) -> Any:
        if self.odd and place in self.odd:
            return self.odd[place]
        id, like = member_id(self.group_id, place), self._like
        return AsyncResult(id, app=self.app) if like is None else like.beside(id, self.app)

    def __iter__(self) -> Iterator[Any]:
        return map(self._at, range(self._size))

    @property
    def block_count(self) -> int:
        """How many blocks of ``BLOCK`` members they make."""
        return -(-self._size // BLOCK)

    def block(self, number: int) -> list[Any]:
        """Make the members of one block, the first of which is number 0."""
        return self[number * BLOCK : (number + 1) * BLOCK]

    def __contains__(self, result: object) -> bool:
        return self._place_of(result) is not None

    def index(self, result: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the place of a result, or of the one with this id.

        Raises:
            ValueError: it is none of them.
        """
        place = self._place_of(result)
        if place is None or place not in range(*slice(start, stop).indices(self._size)):
            raise ValueError(f"{result} is no member of group {self.group_id}")
        return place

    def _place_of(self, result: object) -> int | None:
        odd = next((place for place, one in self.odd.items() if one == result), None)
        if odd is not None:
            return odd
        place = place_of(self.group_id, str(result))
        return place if place is not None and place < self._size and place not in self.odd else None

    def count(self, result: Any) -> int:
        """Return 1 for a member, 0 for anything else."""
        return int(result in self)

    @property
    def ends(self) -> list[Any] | None:
        """The first and the last, from which all can be told; ``None``: there are odd ones, or fewer than three."""
        return [self[0], self[-1]] if self._size > 2 and not self.odd else None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Numbered):
            return (self.group_id, self._size, self.odd) == (other.group_id, other._size, other.odd)
        if not isinstance(other, list):
            return NotImplemented
        return len(other) == self._size and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((self.group_id, self._size))

    def __repr__(self) -> str:
        return f"<{self._size} results of group {self.group_id}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.group_id, self._size, self._like, dict(self.odd))


def _restore(group_id: str, size: int, like: AsyncResult[Any] | None, odd: Mapping[int, Any]) -> Numbered:
    return Numbered(group_id, size, None, like, odd)


def numbered_from(group_id: str, ids: Sequence[str], app: Home) -> Numbered | None:
    """Return the results of which ``ends`` has told the ids; ``None``: these are two members as any others."""
    count = count_of(group_id, ids)
    return None if count is None else Numbered(group_id, count, app)
