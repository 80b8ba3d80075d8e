"""Send the members of a group, or of a chord's header, while they are generated: batch by batch, keeping none.

In a job's life: between ``apply_async`` of such a group and the producer. The members' ids follow from the group's, so what is
left in the end is one id and a number. A chord is opened before its last batch is sent: not before it is known how many there
are, and before all of them can have ended. Does not know: the classes of signatures, how a publish is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from celeriac.app.blocks import keep_body, require_joins
from celeriac.app.context import current_context
from celeriac.app.freezing import linked_to
from celeriac.app.group_result import GroupResult
from celeriac.app.home import Home
from celeriac.app.launching import result_of
from celeriac.app.numbered import Numbered
from celeriac.app.numbering import member_id
from celeriac.app.offspring import offspring
from celeriac.app.options import options_from
from celeriac.app.plan import Call
from celeriac.app.result import AsyncResult
from celeriac.app.signature import Signature
from celeriac.app.streaming import Stream
from celeriac.app.unrolling import Stored, handle_of, kind_of
from celeriac.core.errors import OperationalError
from celeriac.core.settlement import StoredResult
from celeriac.core.stream_errors import StreamBroken

Placed = list[tuple[int, Call]]
Others = list[tuple[int, Signature[Any]]]
_MANY: Final = 100
"""Members whose messages are weighed, to see whether a body is kept once instead of being carried by each."""
_USUAL: Final = (None, False)
"""Where results are and whether there are none: where the app's are, and there are."""


class Sending:
    """A group on its way: how its members are sent, and what has been sent so far."""

    def __init__(
        self, app: Home, group_id: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any]
    ) -> None:
        """Send with these arguments and options, given to each member."""
        self._app, self._id, self._args, self._kwargs, self._said = app, group_id, args, kwargs, options
        self._options = options_from(options)
        self._body: Stored | None = None
        self._as_list = False
        self._count = self._next = 0
        self._like: tuple[Any, bool] | None = None
        self._odd: dict[int, Any] = {}

    def send(self, stream: Stream, body: Stored | None = None) -> GroupResult[Any]:
        """Send all members.

        Args:
            stream: These. It is used up then.
            body: What is called with their values, frozen, if they are the header of a chord. ``None``: they are a group.

        Raises:
            StreamBroken: the generator raised, or a later batch could not be sent. What goes wrong before anything was sent
                is raised as it is.
            TypeError: a member of a header is a workflow.
        """
        kept = self._reported_to(body)
        self._as_list = stream.is_list
        if kept:
            self._app.store.store_results(kept)
        try:
            for batch, last in _with_last(stream.batches()):
                calls, others = self._parted(batch)
                if last and body is not None:
                    self._open()
                if calls:
                    with self._noting(calls, others):
                        self._app.producer.submit_numbered(calls, self._id, self._body, self._options)
                for place, member in others:
                    self._count = place
                    self._odd[place] = member.apply_async(self._args, self._kwargs, **self._said_to(member, place))
                self._count = self._next
        except Exception as error:
            if not self._count:
                raise
            raise self._broken(error) from error
        return self.result

    async def asend(self, stream: Stream, body: Stored | None = None) -> GroupResult[Any]:
        """The twin of ``send`` for event loops; the generator runs on the loop."""
        from asyncio import to_thread  # late: whoever runs a coroutine has paid for asyncio

        kept = self._reported_to(body)
        self._as_list = stream.is_list
        if kept:
            await to_thread(self._app.store.store_results, kept)
        try:
            for batch, last in _with_last(stream.batches()):
                calls, others = self._parted(batch)
                if last and body is not None:
                    await to_thread(self._open)
                if calls:
                    with self._noting(calls, others):
                        await self._app.producer.asubmit_numbered(calls, self._id, self._body, self._options)
                for place, member in others:
                    self._count = place
                    self._odd[place] = await member.aapply_async(self._args, self._kwargs, **self._said_to(member, place))
                self._count = self._next
        except Exception as error:
            if not self._count:
                raise
            raise self._broken(error) from error
        return self.result

    def _reported_to(self, body: Stored | None) -> Sequence[StoredResult]:
        """Take note of a body as its members carry it; return what is kept of it, to be stored before any of them is sent."""
        if body is None:
            return ()
        require_joins(self._app)
        thin, kept = keep_body(self._app, body, _MANY)
        self._body = carried(thin, self._id)
        return kept

    def _parted(self, batch: Sequence[Signature[Any]]) -> tuple[Placed, Others]:
        """Return the members that travel together, as calls, and those which are sent in a way of their own."""
        calls: Placed = []
        others: Others = []
        tasks = self._app.tasks
        own_way = {name for name in {one["task"] for one in batch} if (task := tasks.get(name)) and not task.is_sent_plainly}
        for place, member in enumerate(batch, self._count):
            if kind_of(member) is None and (self._body is not None or member["task"] not in own_way):
                calls.append((place, member.call(self._args, self._kwargs, self._said)))
            elif self._body is None:
                others.append((place, member))
            else:
                raise TypeError(
                    f"member {place} of this header is a {kind_of(member)}, and the first members have been sent as single "
                    "tasks: a header that holds workflows beyond its first members must be a list"
                )
        self._next = self._count + len(batch)
        return calls, others

    def _said_to(self, member: Signature[Any], place: int) -> dict[str, Any]:
        """Return the options of a member that is sent in its own way. The group is what a task remembers, not its members."""
        id = member.options.get("task_id") or member_id(self._id, place)
        return {**self._said, "task_id": id, "group_id": self._id, "group_index": place, "add_to_parent": False}

    def _open(self) -> None:
        ttl_s = self._app.conf.settings().result.chord_ttl_s
        self._app.store.open_chord(self._id, self._next, ttl_s=ttl_s)

    @contextmanager
    def _noting(self, calls: Placed, others: Others) -> Iterator[None]:
        """Take note of calls that are published here; if not all of them could be, of those that are known to be in."""
        try:
            yield
        except OperationalError as error:
            self._note(calls[: error.accepted])
            self._count = min([place for place, _ in (*calls[error.accepted :], *others)], default=self._next)
            raise
        self._note(calls)

    def _note(self, sent: Placed) -> None:
        for place, call in sent:
            recipe, options = call.recipe, call.options
            ignored = bool(recipe.ignore_result if options.ignore_result is None else options.ignore_result)
            how = (recipe.backend, ignored)
            if self._like is None:
                self._like = how
            if how != self._like or options.task_id is not None:
                id = options.task_id or member_id(self._id, place)
                self._odd[place] = AsyncResult(id, recipe.backend, recipe.name, self._app, ignored=ignored)

    @property
    def remembered(self) -> bool:
        """Whether the task that sends this remembers it among its children."""
        return self._options.add_to_parent

    @property
    def result(self) -> GroupResult[Any]:
        """The results of what has been sent so far."""
        backend, ignored = self._like or _USUAL
        like: AsyncResult[Any] | None = None
        if (backend, ignored) != _USUAL:
            like = AsyncResult(member_id(self._id, 0), backend, app=self._app, ignored=ignored)
        odd = {place: result for place, result in self._odd.items() if place < self._count}
        members = Numbered(self._id, self._count, self._app, like, odd)
        return GroupResult(self._id, list(members) if self._as_list else members, app=self._app)

    def _broken(self, error: Exception) -> StreamBroken:
        broken = StreamBroken(self._id, self._count, f"{type(error).__name__}: {error}")
        broken.result = self.result
        return broken


def carried(body: Stored, group_id: str) -> Stored:
    """Return a frozen body as the members of its chord carry it: knowing which chord that is."""
    options = body["options"]
    return body if kind_of(body) else {**body, "options": {**options, "group_id": options.get("group_id") or group_id}}


def result_of_chord(header: GroupResult[Any], body: Stored, *, remember: bool) -> Any:
    """Return the result of a frozen body, after that of its header.

    Args:
        header: The result of the members.
        body: What was sent with them.
        remember: Inside a task: take note of both among its children.
    """
    app = header.app
    result = linked_to(result_of(app, handle_of(body)), header)
    context = current_context() if remember else None
    if context is not None and not context.called_directly:
        context.add_child(header)
        for handle in offspring(body):
            context.add_child(result_of(app, handle))
    return result


def _with_last(batches: Iterator[list[Signature[Any]]]) -> Iterator[tuple[list[Signature[Any]], bool]]:
    """Yield each batch, and whether it is the last."""
    ready = next(batches, None)
    while ready is not None:
        batch, ready = ready, next(batches, None)
        yield batch, ready is None
