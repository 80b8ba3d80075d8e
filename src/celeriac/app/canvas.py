"""Several calls as one: ``group``.

In a job's life: ``group(add.s(i, i) for i in range(10))`` is a Signature of Signatures; sending it is one publish, or where a
generator makes very many of them one for each batch (``stream_sending.py``). Does not know: how calls are sent, how results are
waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, Generic, Self, TypeVar, Unpack

from celeriac.app.applying import Applying, aapplied, applied
from celeriac.app.arguments import arguments_from
from celeriac.app.context import current_context
from celeriac.app.flows.normal import of_a_header
from celeriac.app.flows.shapes import size_of
from celeriac.app.flows.stored import kind_of, members_of, ungrouped
from celeriac.app.flows.vetting import vet
from celeriac.app.freezing import fixed
from celeriac.app.group_result import GroupResult
from celeriac.app.home import Home
from celeriac.app.launching import alaunch, launch
from celeriac.app.names import checked_id
from celeriac.app.options import GroupKeywords, OptionKeywords, options_from
from celeriac.app.plan import Call
from celeriac.app.recorded import without_repeats
from celeriac.app.result import AsyncResult, sent
from celeriac.app.signature import Signature, maybe_signature
from celeriac.app.stamping import StampingVisitor
from celeriac.app.stream_sending import Sending
from celeriac.app.streaming import Streamed, begun
from celeriac.app.twins import Course, Step, atake, take
from celeriac.core.message import Message

R = TypeVar("R")
Chosen = tuple[Sequence[Any], Mapping[str, Any], dict[str, Any], str]
"""What each member is sent with: arguments, keyword arguments, options; and the group's id."""


@Signature.register_type()
class group(Streamed[list[R]], Generic[R]):  # noqa: N801 - Celery's name
    """Calls that run independently of each other; the result has all of theirs, in their order.

    The members of a group in it are its own.

    Example:
        >>> group(add.s(i, i) for i in range(3)).apply_async().get(timeout=1)
        [0, 2, 4]
    """

    def __init__(
        self, *tasks: Signature[R] | Iterable[Signature[R]], app: Home | None = None, **options: Unpack[OptionKeywords]
    ) -> None:
        """Take signatures, or one list or generator of them. Options hold for each of them.

        A generator makes the first 10,000 here. Others are made while the group is sent, see ``apply_async``.
        """
        members: Iterable[Any] = tasks
        if len(tasks) == 1 and not isinstance(tasks[0], Signature):
            members = tasks[0]
        options_from(options)
        stored = {"tasks": begun(members, lambda one: member_from(one, app))}
        super().__init__("celery.group", (), stored, options, subtask_type="group", app=app)

    MEMBERS = "tasks"

    @classmethod
    def from_dict(cls, d: Mapping[str, Any], app: Home | None = None) -> group[Any]:
        """Return the group that a mapping holds."""
        vet(d)
        found: group[Any] = cls((d.get("kwargs") or {}).get("tasks") or [], app=app)
        found.update({**d, "kwargs": {**(d.get("kwargs") or {}), **found._kwargs}, "options": dict(d.get("options") or {})})
        found.args = d.get("args") or ()
        return found

    @property
    def tasks(self) -> list[Signature[R]]:
        """The members."""
        members: list[Signature[R]] = self.kwargs["tasks"]
        return members

    def _led_by(self) -> Signature[R] | None:
        members = self.tasks if self.stream is None else self.stream.first
        return next(filter(has_members, members), None)

    def __len__(self) -> int:
        return len(self.tasks)

    def __bool__(self) -> bool:
        return self.stream is not None or bool(self.tasks)

    def apply_async(  # type: ignore[override]  # a group has a GroupResult
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        add_to_parent: bool = True,
        producer: Any = None,
        link: Any = None,
        link_error: Any = None,
        **options: Unpack[GroupKeywords],
    ) -> GroupResult[R]:
        """Send all members in one publish. Arguments and options given here hold for each of them.

        A group over a generator of more than 10,000 is sent in batches while they are made, and none is kept: not by the group,
        which can be sent once, nor by its result, which knows their ids from their number: but for those of members that have
        a ``task_id`` of their own, of which it keeps each. A ``task_id`` of yours for the group must not have been used before:
        the members' ids follow from it.

        Args:
            args: Go before the arguments of each member.
            kwargs: Are added to those of each member.
            add_to_parent: Inside a task: remember the group among its children.
            producer: As for ``Task.apply_async``.
            link: Refused: it is not clear which end it would wait for.
            link_error: Refused as well.
            options: Of ``Task.apply_async``; ``task_id`` is the group's.

        Raises:
            TypeError: ``link`` or ``link_error`` was given.
            StreamBroken: the generator raised when some were sent, or the broker did not take the others.
            StreamUsed: it was sent while it was generated, and its members are gone.
        """
        return take(self._course(self._chosen(args, kwargs, producer, link or link_error, options), remember=add_to_parent))

    def _course(self, what: Chosen, *, remember: bool) -> Course[GroupResult[R]]:
        """Send it, in the way that its members allow."""
        first, more, chosen, group_id = what
        app = self.app
        if (stream := self._sent_as_stream()) is not None:
            result: GroupResult[R] = yield from Sending(app, group_id, first, more, chosen).course(stream)
        elif self._is_nested():
            told = (app, fixed(app, self, group_id), first, more, chosen)
            result = yield Step(partial(launch, *told), partial(alaunch, *told))
        elif not self._is_one_publish():
            found = []
            for one, said in self._each_said(chosen, group_id):
                found.append(
                    (yield Step(partial(one.apply_async, first, more, **said), partial(one.aapply_async, first, more, **said)))
                )
            result = GroupResult(group_id, found, app=app)
        else:
            calls = [member.call(first, more, chosen) for member in self.tasks]
            sender, sending = app.producer, (calls, group_id, options_from(chosen))
            step = Step(partial(sender.submit_group, *sending), partial(sender.asubmit_group, *sending))
            result = GroupResult(group_id, _sent(app, (yield step) if calls else [], calls), app=app)
        return _remembered(result, remember)

    def _each_said(self, chosen: Mapping[str, Any], group_id: str) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Yield each member that is sent alone, with its options. The group is what a task remembers, not its members."""
        for index, member in enumerate(ungrouped(self.tasks)):
            yield member, {**chosen, "group_id": group_id, "add_to_parent": False, "group_index": index}

    def _is_nested(self) -> bool:
        """Whether a member is a workflow itself, to be sent with the others."""
        return any(kind_of(one) is not None for one in self.tasks) and not self.app.conf.settings().task.always_eager

    def _is_one_publish(self) -> bool:
        """Whether nothing of the user's, and not ``task_always_eager``, has a say in how the members are sent."""
        tasks = self.app.tasks
        known = (tasks.get(name) for name in {one["task"] for one in self.tasks})
        return all(task is None or task.is_sent_plainly for task in known)

    async def aapply_async(  # type: ignore[override]
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        add_to_parent: bool = True,
        producer: Any = None,
        link: Any = None,
        link_error: Any = None,
        **options: Unpack[GroupKeywords],
    ) -> GroupResult[R]:
        """The twin of ``apply_async`` for event loops."""
        return await atake(
            self._course(self._chosen(args, kwargs, producer, link or link_error, options), remember=add_to_parent)
        )

    def delay(self, *args: Any, **kwargs: Any) -> GroupResult[R]:  # type: ignore[override]
        """Send all members; arguments given here go before their own."""
        return self.apply_async(args, kwargs)

    async def adelay(self, *args: Any, **kwargs: Any) -> GroupResult[R]:  # type: ignore[override]
        """The twin of ``delay`` for event loops."""
        return await self.aapply_async(args, kwargs)

    def _chosen(
        self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, producer: Any, link: Any, options: Mapping[str, Any]
    ) -> Chosen:
        vet(self)
        chosen: dict[str, Any] = {**self.options, **options}
        if producer is not None:
            chosen["producer"] = producer
        if link or chosen.get("link") or chosen.get("link_error"):
            raise TypeError("a group has no end to link to: link its members")
        given = chosen.pop("task_id", None)
        group_id = chosen.pop("group_id", None) if given is None else checked_id(given)
        group_id = group_id or self.app.runtime.new_id()
        return *arguments_from(args, kwargs), chosen, group_id

    def apply(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> GroupResult[R]:
        """Run all members here and now, one after the other."""
        result: GroupResult[R] = applied(self._applying(args, kwargs, options))
        return result

    async def aapply(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> GroupResult[R]:
        """The twin of ``apply`` for event loops: coroutines run on this one, one after the other."""
        result: GroupResult[R] = await aapplied(self._applying(args, kwargs, options))
        return result

    def _applying(self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: Mapping[str, Any]) -> Applying:
        first, more, chosen, group_id = self._chosen(args, kwargs, None, None, options)
        app, found = self.app, []
        members: Iterable[Any] = self.tasks if self.stream is None else chain.from_iterable(self.stream.batches())
        for index, one in enumerate(ungrouped(members)):
            found.append((yield one, first, more, {**chosen, "group_id": group_id, "group_index": index}))
        return GroupResult(group_id, found, app=app)

    def clone(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> Self:
        """Return a copy, with copies of all members; these arguments are added to each of them."""
        copy = super().clone(None, None, **options)  # vets it
        copy.kwargs["tasks"] = [member.clone(args, kwargs) for member in self.tasks]
        return copy

    def freeze(
        self,
        _id: str | None = None,
        group_id: str | None = None,
        chord: Mapping[str, Any] | None = None,
        root_id: str | None = None,
        parent_id: str | None = None,
        group_index: int | None = None,
    ) -> GroupResult[R]:
        """Fix the ids of all members, and return the result of the group; see ``Signature.freeze``.

        ``chord``: a body that waits for each of the members.
        """
        vet(self)
        id = self.options.setdefault("task_id", _id or self.app.runtime.new_id())
        place, found = group_index or 0, []
        for member in list[Any](ungrouped(self.tasks)):
            outer = (None, None, None) if chord is None else (group_id, chord, place)
            found.append(member.freeze(None, outer[0], outer[1], root_id, parent_id, outer[2]))
            place += size_of(member)
        return GroupResult(id, found, app=self.app)

    _freeze = freeze

    def stamp(self, visitor: StampingVisitor | None = None, append_stamps: bool = False, **headers: Any) -> Self:
        """Stamp every member, with the same stamps or with those that ``visitor`` says. See ``Signature.stamp``."""
        vet(self)
        said = None if visitor is None else visitor.on_group_start(self, **headers)
        stamps = self._stamps(said, headers, append_stamps)
        self.stamp_links(visitor, append_stamps, **stamps)
        if (stream := self.stream) is not None:
            self._kwargs["tasks"] = stream.changed(lambda member: member.stamp(visitor, append_stamps, **stamps))
        else:
            for member in self.tasks:
                member.stamp(visitor, append_stamps, **stamps)
        if visitor is not None:
            visitor.on_group_end(self, **stamps)
        return self

    def set_immutable(self, immutable: bool) -> None:
        """Let nothing be added to the arguments of its members, or let it again."""
        vet(self)
        for task in self.tasks:
            task.set_immutable(immutable)

    def link(self, sig: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send ``sig`` when the first member has succeeded, with nothing added: Celery's meaning. Returns what was linked."""
        vet(self)
        return self.tasks[0].link(maybe_signature(sig, self._app).clone().set(immutable=True))

    def link_error(self, sig: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:  # type: ignore[override]
        """Let ``sig`` hear of each member that fails: Celery's meaning. Returns what was linked."""
        vet(self)
        found = maybe_signature(sig, self._app)
        return tuple(one.link_error(found.clone()) for one in self.tasks)

    def skew(self, start: float = 1.0, stop: float | None = None, step: float = 1.0) -> Self:
        """Start its members one after the other: give them countdowns from ``start`` on, ``step`` seconds apart.

        ``stop``: the largest countdown, seconds, which all further members have; ``None`` or 0: none. Source: Celery's reference.
        """
        at = start * 1.0
        for task in self.tasks:
            if stop and at > stop:
                at -= step
                stop, step = None, 0.0  # all others have the last one
            task.set(countdown=at)
            at += step
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> GroupResult[R]:
        """Send all members, as Celery's groups do when they are called."""
        return self.apply_async(args, kwargs)

    def __or__(self, other: Any) -> Any:
        """``group | a``: a chord, however few members there are. Source: Celery's guide, "Canvas", "Groups"."""
        if not isinstance(other, Mapping) or "task" not in other:
            return super().__or__(other)
        if kind_of(other) == "group" and not members_of(other):
            return self
        make: Any = self.TYPES["chord"]
        return make(self, other, app=self._app, **of_a_header({**self.options, "task_id": None}))  # which knows its frozen id

    def _shown(self) -> str:
        if self.stream is None:
            return without_repeats(self.tasks[0]["task"], f"group({self.tasks!r})") if self.tasks else "group(<empty>)"
        return f"group([{', '.join(map(repr, self.stream.first[:3]))}, ... and others, which are made when they are sent])"


def _sent(app: Home, messages: Sequence[Message], calls: Sequence[Call]) -> list[AsyncResult[Any]]:
    pairs = zip(messages, calls, strict=True)
    return [sent(app, message, remember=False, backend=call.recipe.backend) for message, call in pairs]


def _remembered(result: GroupResult[R], remember: bool) -> GroupResult[R]:
    context = current_context() if remember else None
    if context is not None and not context.called_directly:
        context.add_child(result)
    return result


def has_members(signature: Signature[Any]) -> bool:
    """Say whether this is no chain or group without members, which cannot tell whose it is."""
    return bool(signature) if kind_of(signature) == "group" else kind_of(signature) != "chain" or bool(members_of(signature))


def member_from(one: Any, app: Home | None) -> Signature[Any]:
    """Return ``one`` as a Signature, or say that it is none."""
    if not isinstance(one, Mapping) or "task" not in one:
        raise TypeError(f"a group takes signatures, such as add.s(2, 2), not {one!r}")
    return one if isinstance(one, Signature) else Signature.from_dict(one, app)
