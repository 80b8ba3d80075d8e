"""Send the members of a group, or of a chord's header, while they are generated: batch by batch, keeping none.

In a job's life: between ``apply_async`` of such a group and the producer. The members' ids follow from the group's, so what is
left in the end is one id and a number; and a result for each member that has an id of its own or is sent in a way of its own. A
chord is opened before its last batch is sent: not before it is known how many there are, and before all of them can have ended.
Does not know: the classes of signatures, how a publish is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from msgspec import Struct

from celeriac.app.blocks import keep_body, require_joins
from celeriac.app.context import current_context
from celeriac.app.flows.frozen import handle_of
from celeriac.app.flows.numbering import member_id
from celeriac.app.flows.offspring import offspring
from celeriac.app.flows.shapes import with_shape
from celeriac.app.flows.stored import Stored, kind_of
from celeriac.app.freezing import linked_to
from celeriac.app.group_result import GroupResult
from celeriac.app.home import Home
from celeriac.app.launching import result_of
from celeriac.app.numbered import Numbered
from celeriac.app.options import options_from
from celeriac.app.plan import Call
from celeriac.app.result import AsyncResult
from celeriac.app.signature import Signature
from celeriac.app.streaming import Stream
from celeriac.app.twins import Course, Step, in_a_thread
from celeriac.core.errors import OperationalError
from celeriac.core.settlement import Opening
from celeriac.core.stream_errors import StreamBroken

Placed = list[tuple[int, Call]]
Others = list[tuple[int, Signature[Any]]]
_MANY: Final = 100
"""Members whose messages are weighed, to see whether a body is kept once instead of being carried by each."""
_USUAL: Final = (None, False)
"""Where results are and whether there are none: where the app's are, and there are."""


class Batch(Struct, frozen=True):
    """Members that are sent together."""

    first: int
    """Place of the first of them."""
    calls: Placed
    """Those that travel in one publish."""
    others: Others
    """Those that are sent in a way of their own, after that."""
    last: bool
    """Whether it is the last one."""

    @property
    def end(self) -> int:
        """Place behind the last of them."""
        return self.first + len(self.calls) + len(self.others)

    def sent_before(self, accepted: int) -> int:
        """Return the place before which all members are known to be in, when so many of the calls were taken."""
        return min([place for place, _ in (*self.calls[accepted:], *self.others)], default=self.end)


class Sending:
    """A group on its way: how its members are sent, and what has been sent so far."""

    def __init__(
        self, app: Home, group_id: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any]
    ) -> None:
        """Send with these arguments and options, given to each member."""
        self._app, self._id, self._args, self._kwargs, self._said = app, group_id, args, kwargs, options
        self._options = options_from(options)
        self._count = 0  # members that are known to be in
        self._like: tuple[Any, bool] | None = None
        self._odd: dict[int, Any] = {}

    def course(self, stream: Stream, body: Stored | None = None) -> Course[GroupResult[Any]]:
        """Send all members, and return their result.

        Args:
            stream: These. It is used up then.
            body: What is called with their values, frozen, if they are the header of a chord. ``None``: they are a group.

        Raises:
            StreamBroken: the generator raised, or a later batch could not be sent. What goes wrong before anything was sent
                is raised as it is.
            TypeError: a member of a header is a workflow.
        """
        chord: Stored | None = None
        if body is not None:
            require_joins(self._app)
            thin, kept = keep_body(self._app, body, _MANY)
            chord = carried(thin, self._id)
            if kept:
                yield in_a_thread(lambda: self._app.store.store_results(kept))
        try:
            for members, last in _with_last(stream.batches()):
                batch = self._parted(members, last, in_header=chord is not None)
                if last and chord is not None:
                    yield in_a_thread(partial(self._open, batch.end))
                yield from self._sent(batch, chord)
        except Exception as error:
            if not self._count:
                raise
            raise self._broken(error, stream) from error
        return self._result(stream)

    def _parted(self, members: Sequence[Signature[Any]], last: bool, *, in_header: bool) -> Batch:
        """Return the members that travel together, as calls, and those which are sent in a way of their own."""
        calls: Placed = []
        others: Others = []
        tasks = self._app.tasks
        own_way = {name for name in {one["task"] for one in members} if (task := tasks.get(name)) and not task.is_sent_plainly}
        for place, member in enumerate(members, self._count):
            if kind_of(member) is None and (in_header or member["task"] not in own_way):
                calls.append((place, member.call(self._args, self._kwargs, self._said)))
            elif not in_header:
                others.append((place, member))
            else:
                raise TypeError(
                    f"member {place} of this header is a {kind_of(member)}, and the first members have been sent as single "
                    "tasks: a header that holds workflows beyond its first members must be a list"
                )
        return Batch(self._count, calls, others, last)

    def _sent(self, batch: Batch, chord: Stored | None) -> Course[None]:
        """Send a batch, and take note of what is in: all of it, or as much as is known when something goes wrong."""
        if batch.calls:
            told, sender = (batch.calls, self._id, chord, self._options), self._app.producer
            try:
                yield Step(partial(sender.submit_numbered, *told), partial(sender.asubmit_numbered, *told))
            except OperationalError as error:
                self._note(batch.calls[: error.accepted])
                self._count = batch.sent_before(error.accepted)
                raise
            self._note(batch.calls)
        for place, member in batch.others:
            self._count = place
            said = self._said_to(member, place)
            more = (self._args, self._kwargs)
            self._odd[place] = yield Step(partial(member.apply_async, *more, **said), partial(member.aapply_async, *more, **said))
        self._count = batch.end

    def _said_to(self, member: Signature[Any], place: int) -> dict[str, Any]:
        """Return the options of a member that is sent in its own way. The group is what a task remembers, not its members."""
        id = member.options.get("task_id") or member_id(self._id, place)
        return {**self._said, "task_id": id, "group_id": self._id, "group_index": place, "add_to_parent": False}

    def _open(self, size: int) -> None:
        ttl_s = self._app.conf.settings().result.chord_ttl_s
        self._app.store.open_chords([Opening(self._id, size, ttl_s)])

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

    def _result(self, stream: Stream) -> GroupResult[Any]:
        """Return the results of what has been sent so far."""
        backend, ignored = self._like or _USUAL
        like: AsyncResult[Any] | None = None
        if (backend, ignored) != _USUAL:
            like = AsyncResult(member_id(self._id, 0), backend, app=self._app, ignored=ignored)
        odd = {place: result for place, result in self._odd.items() if place < self._count}
        members = Numbered(self._id, self._count, self._app, like, odd)
        return GroupResult(self._id, list(members) if stream.is_list else members, app=self._app)

    def _broken(self, error: Exception, stream: Stream) -> StreamBroken:
        broken = StreamBroken(self._id, self._count, f"{type(error).__name__}: {error}")
        broken.result = self._result(stream)
        return broken


def carried(body: Stored, group_id: str) -> Stored:
    """Return a frozen body as the members of its chord carry it: knowing which chord that is."""
    options = body["options"]
    if kind_of(body) is None:
        body = {**body, "options": {**options, "group_id": options.get("group_id") or group_id}}
    return with_shape(body, ())  # single tasks, all of them


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
