"""GroupResult: the results of a group, under the group's id.

In a job's life: what ``group(...).apply_async()`` returns. Its ids can be stored and restored by another process. Names and
meanings: Celery's reference of ``GroupResult``. Does not know: how the group was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, TypeVar, Unpack

from celeriac.app.current import get_current_app
from celeriac.app.home import Home
from celeriac.app.numbered import Numbered, numbered_from
from celeriac.app.result import AsyncResult
from celeriac.app.result_set import ResultSet
from celeriac.app.results.backend_view import BackendView
from celeriac.app.results.promise import Promise
from celeriac.app.results.result_graph import ResultGraph
from celeriac.app.results.result_states import ResultBase

R = TypeVar("R")


class SetKeywords(TypedDict, total=False):
    """What a group hands on to the set that it is."""

    app: Home | None
    ready_barrier: Promise | None


class GroupResult(ResultSet[R], ResultGraph):
    """Results in the order of the group's members."""

    def __init__(
        self,
        id: str | None = None,
        results: Iterable[Any] | None = None,
        parent: Any = None,
        **kwargs: Unpack[SetKeywords],
    ) -> None:
        """Hold the results of group ``id``.

        Args:
            id: Of the group.
            results: Of its members.
            parent: Result of what went before it in a chain.
            kwargs: ``app`` and ``ready_barrier``, as of ``ResultSet``.
        """
        super().__init__(() if results is None else results, **kwargs)
        self.id = id
        self.parent = parent

    @property
    def children(self) -> Any:
        """The members again: a list, or of a group that was sent while it was generated a sequence that makes them."""
        return self.results

    def save(self, backend: Any = None) -> Any:
        """Store the ids, so that ``GroupResult.restore(id)`` finds them as long as results are kept.

        Args:
            backend: Where. ``None``: where the app's results are.
        """
        if not self.id:
            raise ValueError("a GroupResult is stored under its id, and this one has none")
        return self.app.backend_at(backend).save_group(self.id, self)

    def delete(self, backend: Any = None) -> None:
        """Delete what ``save`` stored; the members' results stay."""
        if self.id:
            self.app.backend_at(backend).delete_group(self.id)

    @classmethod
    def restore(cls, id: str, backend: Any = None, app: Home | None = None) -> Any:
        """Return the group that was saved under ``id``; ``None``: there is none, or it has expired.

        Args:
            id: Of the group.
            backend: Where it was saved. ``None``: where the app's results are.
            app: ``None``: that of ``backend``, or the current one.
        """
        known: Any = app
        if known is None:
            known = backend.app if isinstance(backend, BackendView) else get_current_app()
        return known.backend_at(backend).restore_group(id)

    def as_tuple(self) -> tuple[Any, list[Any]]:
        """Return the stored form: ``((id, parent), [members])``.

        Of a group that was sent while it was generated the first and the last member stand for all, since the ids of those in
        between follow: a million are stored in 200 bytes. Celery reads a group of two.
        """
        members = self.results
        if isinstance(members, Numbered) and members.group_id == self.id:
            members = members.ends or members
        return (self.id, self.parent and self.parent.as_tuple()), [result.as_tuple() for result in members]

    def as_list(self) -> list[str]:
        """Return its id and those of its members, each of them, however many there are."""
        return [*([self.id] if self.id else ()), *(id for result in self.results for id in result.as_list())]

    def __bool__(self) -> bool:
        return bool(self.id or self.results)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, GroupResult):
            return self.id == other.id and self.results == other.results and self.parent == other.parent
        return self.id == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def __str__(self) -> str:
        return str(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.id} [{len(self.results)} results]>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.id, self.results, self.parent)


class Groups:
    """``app.GroupResult``: makes and restores group results of one app."""

    def __init__(self, app: Home) -> None:
        self._app = app

    def __call__(self, id: str | None = None, results: Iterable[Any] | None = None, parent: Any = None) -> GroupResult[Any]:
        """Return the results of group ``id``."""
        return GroupResult(id, results, parent, app=self._app)

    def restore(self, id: str, backend: Any = None) -> Any:
        """Return the group that was saved under ``id``; see ``GroupResult.restore``."""
        return GroupResult.restore(id, backend, self._app)


def result_from_tuple(r: Any, app: Home | None = None) -> Any:
    """Return the result that ``as_tuple`` described: an AsyncResult, a GroupResult, or a ResultSet where there was no id.

    Args:
        r: The tuple (or list, after JSON); a result is returned as it is.
        app: ``None``: the current one.

    Raises:
        ValueError: it describes no result.

    Source: Celery's ``result_from_tuple``.
    """
    if isinstance(r, ResultBase):
        return r
    app = app if app is not None else get_current_app()
    try:
        head, members = r
        id, parent = head if isinstance(head, list | tuple) else (head, None)
        if not isinstance(id, str | None) or not isinstance(members, list | tuple | None) or (members is None and not id):
            raise TypeError
    except (TypeError, ValueError):
        raise ValueError(f"not the stored form of a result: {r!r:.200}; it is ((id, parent), members)") from None
    before = result_from_tuple(parent, app) if parent else None
    if members is None:
        return AsyncResult(id or "", app=app, parent=before)
    if id and (numbered := _numbered(id, members, app)) is not None:
        return GroupResult(id, numbered, before, app=app)
    several = [result_from_tuple(member, app) for member in members]
    return GroupResult(id, several, before, app=app) if id else ResultSet(several, app=app)


def _numbered(id: str, members: Sequence[Any], app: Home) -> Numbered | None:
    """Return the members if the first and the last of them stand for all; ``None``: they do not."""
    if len(members) != 2:
        return None
    heads = [member[0] for member in members if isinstance(member, list | tuple) and len(member) == 2]
    found = [head[0] if isinstance(head, list | tuple) and head else head for head in heads]
    return numbered_from(id, [each for each in found if isinstance(each, str)], app)
