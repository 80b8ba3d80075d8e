"""What is known about several tasks together: have they ended, how many well, which failed first.

In a job's life: the end of several; the part of a result set that only looks. Members are asked for a block at a time, and of a
group that is known by its number alone a block that has ended is summed up and not asked for again: to follow a million members
costs what is still open of them. Does not know: waiting.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from celeriac.app.results.result_states import ResultBase, as_mapping, exception_of
from celeriac.app.results.results import Results
from celeriac.core.states import FAILURE, PROPAGATE_STATES, READY_STATES, SUCCESS
from celeriac.core.taskmeta import TaskMeta


class Tally(Struct, frozen=True):
    """A block of members, summed up."""

    size: int
    """How many tasks there are in it."""
    open: int
    """How many have not ended, as far as their results are stored at all."""
    succeeded: int
    failed: int
    error: TaskMeta | None
    """Of the first that failed or was revoked."""


class SetStates(ResultBase):
    """Several tasks, as their task metas show them. Source of the names: Celery's reference of ``ResultSet``."""

    results: Any
    """One result for each member: a list of them, or a ``Numbered`` that makes them when they are asked for."""
    _ended: dict[int, Tally]
    """Number of a block that has ended -> what became of it."""

    def _block_count(self) -> int:
        return 1 if isinstance(self.results, list) else self.results.block_count

    def _block(self, number: int) -> Sequence[Any]:
        """Return the members that are handled together: all, if they are here anyway, or some that are made for it."""
        return self.results if isinstance(self.results, list) else self.results.block(number)

    def _blocks(self) -> Iterator[Sequence[Any]]:
        return map(self._block, range(self._block_count()))

    def _leaves(self) -> Iterator[Any]:
        """Yield the results of single tasks, those of member groups among them."""
        return (leaf for block in self._blocks() for leaf in leaves_of(block))

    def _tallies(self) -> Iterator[Tally]:
        """Yield what has become of each block. Of one that has ended, and is not here, that is remembered."""
        remembers = not isinstance(self.results, list)
        for number in range(self._block_count()):
            tally = self._ended.get(number)
            if tally is None:
                tally = _tally(asked(self._block(number)))
                if remembers and not tally.open:
                    self._ended[number] = tally
            yield tally

    def _metas(self) -> Iterator[TaskMeta]:
        """Yield the metas of those that have ended."""
        return (result.meta() for leaves in map(asked, self._blocks()) for result in leaves if result.finished)

    def _iter_meta(self, **_kwargs: Any) -> Iterator[dict[str, Any]]:
        return (as_mapping(meta) for meta in self._metas())

    def _failed_join_report(self) -> Iterator[Any]:
        for leaves in map(asked, self._blocks()):
            yield from (result for result in leaves if result.finished and result.state in PROPAGATE_STATES)

    def ready(self) -> bool:
        """Say whether all have ended."""
        return not any(tally.open for tally in self._tallies())

    def successful(self) -> bool:
        """Say whether all have ended well."""
        return all(tally.succeeded == tally.size for tally in self._tallies())

    def failed(self) -> bool:
        """Say whether any has failed."""
        return any(tally.failed for tally in self._tallies())

    def failure(self) -> BaseException | None:
        """Return the exception of the first that has failed or was revoked; ``None``: none has."""
        return next((exception_of(tally.error) for tally in self._tallies() if tally.error is not None), None)

    def waiting(self) -> bool:
        """Say whether any has not ended."""
        return not self.ready()

    def completed_count(self) -> int:
        """Return how many have ended well."""
        return sum(tally.succeeded for tally in self._tallies())

    def maybe_throw(self, callback: Callable[[str, Any], object] | None = None, propagate: bool = True) -> None:
        """Raise the first failure, if there is one by now; ``callback`` is called with id and value of each before it."""
        for leaves in map(asked, self._blocks()):
            for result in leaves:
                result.maybe_throw(propagate=propagate, callback=callback)

    maybe_reraise = maybe_throw

    def raise_known_failure(self) -> None:
        """Raise the exception of a member of which it is known here that it failed; the store is not asked."""
        if isinstance(self.results, list):
            for result in self._leaves():
                result.raise_known_failure()


def leaves_of(members: Iterable[Any]) -> Iterator[Any]:
    """Yield the results of single tasks, those of member groups among them."""
    for member in members:
        if isinstance(member, SetStates):
            yield from member._leaves()
        else:
            yield member


def unfinished(leaves: Iterable[Any], propagate: bool = False) -> dict[str, list[Any]]:
    """Return those whose end is not known here, by id: one task may be a member twice.

    ``propagate``: raise the exception of one of which it is known that it failed.
    """
    found: dict[str, list[Any]] = {}
    for result in leaves:
        if propagate:
            result.raise_known_failure()
        if not result.ignored and not result.finished:
            found.setdefault(result.id, []).append(result)
    return found


def by_place(waited: Mapping[str, Sequence[Any]]) -> list[tuple[Results, list[str]]]:
    """Return the ids by the place where their results are."""
    places: dict[int, tuple[Results, list[str]]] = {}
    for id, (first, *_) in waited.items():
        place = first.place
        places.setdefault(builtins.id(place), (place, []))[1].append(id)
    return list(places.values())


def asked(members: Iterable[Any]) -> list[Any]:
    """Return the leaves of these members when the store has been asked once for those that have not ended."""
    leaves = list(leaves_of(members))
    waited = unfinished(leaves)
    for place, ids in by_place(waited):
        for id, meta in zip(ids, place.metas(ids), strict=True):
            if meta.status in READY_STATES:
                for result in waited[id]:
                    result.accept(meta)
    return leaves


def _tally(leaves: Sequence[Any]) -> Tally:
    metas = [result.meta() for result in leaves if result.finished]
    return Tally(
        size=len(leaves),
        open=sum(not result.ignored and not result.finished for result in leaves),
        succeeded=sum(meta.status == SUCCESS for meta in metas),
        failed=sum(meta.status == FAILURE for meta in metas),
        error=next((meta for meta in metas if meta.status in PROPAGATE_STATES), None),
    )
