"""``chord``: a group, and what is called with the values of all of its members.

In a job's life: ``chord(header)(body)``, or a group that is followed by something. Names and meanings: Celery's guide, "Canvas",
"Chords". Does not know: what is sent when (``workflows.py``, ``flows``), how members are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Self, TypeVar, Unpack

from celeriac.app.applying import Applying, applied
from celeriac.app.arguments import arguments_from
from celeriac.app.canvas import group, member_from
from celeriac.app.flows.normal import chained
from celeriac.app.flows.shapes import size_of
from celeriac.app.flows.stored import Stored, header_id, is_frozen, kind_of, members_of, several
from celeriac.app.flows.vetting import vet
from celeriac.app.freezing import fixed, linked_to
from celeriac.app.headers import alike, chords_heard_by, header_from, hear_of, heard_by, stamped, with_arguments
from celeriac.app.home import Home
from celeriac.app.options import ChordKeywords, OptionKeywords, options_from
from celeriac.app.polling import told_of_polling, without_polling
from celeriac.app.recorded import without_repeats
from celeriac.app.signature import Signature, maybe_signature
from celeriac.app.stamping import StampingVisitor
from celeriac.app.stream_sending import Sending, result_of_chord
from celeriac.app.streaming import Stream, Streamed
from celeriac.app.twins import atake, take
from celeriac.app.workflows import Workflow, built, members_from

R = TypeVar("R")
_POLLING: Final = {"interval": None, "countdown": 1, "max_retries": None}
"""What ``run`` takes of that (``polling.py``), and what it is where nobody says anything."""


@Signature.register_type()
class chord(Streamed[R], Workflow[R]):  # noqa: N801 - Celery's name
    """A group, its *header*, and a *body* that is called with the list of its members' values when all of them have ended.

    Example:
        >>> chord([add.s(i, i) for i in range(3)])(total.s()).get(timeout=1)
        6
    """

    MEMBERS = "header"

    def __init__(
        self: chord[Any],
        header: Iterable[Any],
        body: Any = None,
        task: str = "celery.chord",
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        app: Home | None = None,
        **options: Any,
    ) -> None:
        """Take the members, and what is called with their values.

        Args:
            header: Signatures, or a group of them. A generator makes the first 10,000 here, and others while they are sent.
            body: Signature; may be given when the chord is called.
            task: Celery's name for it.
            args: Go before the arguments of each member.
            kwargs: Are added to those of each member.
            app: Who sends it.
            options: Of ``apply_async``.
        """
        options_from(without_polling(options))
        if isinstance(header, Mapping) and kind_of(header) == "group" and (known := header["options"].get("task_id")):
            options.setdefault("group_id", known)  # it was frozen
        found = header_from(header, app)
        if args or kwargs:
            found = with_arguments(found, args, kwargs)
        stored: dict[str, Any] = {"header": found, "body": None if body is None else member_from(body, app), "kwargs": {}}
        Signature.__init__(self, task, (), stored, options, subtask_type="chord", app=app)

    @classmethod
    def from_dict(cls, d: Mapping[str, Any], app: Home | None = None) -> Any:
        """Return the chord that a mapping holds."""
        vet(d)
        kwargs, body = d.get("kwargs") or {}, (d.get("kwargs") or {}).get("body")
        header = kwargs.get("header") or ()
        parts = {"header": members_from(header, app), "body": None if body is None else member_from(body, app)}
        made = built(cls, d, {"kwargs": {}, **kwargs, **parts}, app)
        known = isinstance(header, Mapping) and (header.get("options") or {}).get("task_id")
        if known and not header_id(made["options"], made.body):
            made["options"]["group_id"] = known
        return made

    @property
    def tasks(self) -> list[Signature[Any]]:
        """The members of its header."""
        members: list[Signature[Any]] = self.kwargs["header"]
        return members

    @tasks.setter
    def tasks(self, members: Any) -> None:
        self.kwargs["header"] = members_from(members, self._app)

    @property
    def header(self) -> group[Any]:
        """The members of its header, as a group."""
        return group(self._kwargs["header"], app=self._app)

    @property
    def body(self) -> Any:
        """What is called with their values."""
        return self._kwargs["body"]

    @body.setter
    def body(self, body: Any) -> None:
        self._kwargs["body"] = None if body is None else member_from(body, self._app)

    def _led_by(self) -> Signature[Any] | None:
        return self.stream.first[0] if self.stream is not None else super()._led_by()

    def __or__(self, other: Any) -> Any:
        """``chord | a``: a chord, with ``a`` behind its body; with a chain or a group of several: a chain of that chord.

        Source: Celery's ``chord``.
        """
        made = super().__or__(other)
        kind = kind_of(other)
        several_ends = kind == "chain" or (kind == "group" and len(members_of(other)) != 1)
        return made if several_ends or kind_of(made) != "chain" else made.tasks[0]

    def __call__(self, body: Any = None, **options: Any) -> Any:
        """Send it, with this body if one is given."""
        return self.apply_async((), {"body": body} if body is not None else {}, **options)

    def apply_async(  # type: ignore[override]
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        task_id: Any = None,
        producer: Any = None,
        publisher: Any = None,
        connection: Any = None,
        router: Any = None,
        result_cls: Any = None,
        **options: Unpack[ChordKeywords],
    ) -> Any:
        """Send the members; the body follows by itself.

        Args:
            args: Go before the arguments of each member.
            kwargs: Are added to those; but ``body`` is the body.
            task_id: Of the body.
            producer, publisher, connection, router: As of ``Task.apply_async``.
            result_cls: Class of the body's result; ``None``: as its task says.
            options: Of the members; ``link`` and ``link_error`` of the body; ``interval`` and ``max_retries`` as of ``run``.

        Returns:
            The result of the body; its ``parent`` is that of the header.

        Raises:
            StreamBroken, StreamUsed: of a header over a generator, as of a group (``group.apply_async``); the body will not run.
        """
        given = {
            "task_id": task_id, "producer": producer, "publisher": publisher, "connection": connection, "router": router,
            "result_cls": result_cls,
        }  # fmt: skip
        chosen = told_of_polling(self.app, {**{name: value for name, value in given.items() if value is not None}, **options})
        sent, more = self._with_body(kwargs)
        if (stream := sent._sent_as_stream()) is not None:
            sending, stream, body = sent._begun(stream, args, more, chosen)
            return result_of_chord(take(sending.course(stream, body)), body, remember=sending.remembered)
        return super(chord, sent).apply_async(args, more, **chosen)

    async def aapply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> Any:
        """The twin of ``apply_async`` for event loops."""
        sent, more = self._with_body(kwargs)
        chosen = told_of_polling(self.app, options)
        if (stream := sent._sent_as_stream()) is not None:
            sending, stream, body = sent._begun(stream, args, more, chosen)
            return result_of_chord(await atake(sending.course(stream, body)), body, remember=sending.remembered)
        return await super(chord, sent).aapply_async(args, more, **chosen)

    def run(
        self,
        header: Any,
        body: Any,
        partial_args: Sequence[Any],
        app: Home | None = None,
        interval: float | None = None,
        countdown: float = 1,
        max_retries: int | None = None,
        eager: bool = False,
        task_id: str | None = None,
        kwargs: Mapping[str, Any] | None = None,
        header_delay: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Send a chord of this header and body, with the options of this one: ``apply_async`` under Celery's older name.

        Args:
            header: The members.
            body: What is called with their values.
            partial_args: Go before the arguments of each member.
            app: Who sends it.
            interval, countdown, max_retries: Of polling, which no store here needs; the log says so once.
            eager: Run it here and now.
            task_id: Of the body.
            kwargs: Are added to those of each member.
            header_delay: ``countdown`` and ``eta`` of the members.
            options: Of the members.
        """
        told_of_polling(self.app, {"interval": interval, "countdown": countdown, "max_retries": max_retries}, _POLLING)
        made: chord[R] = chord(header, body, app=app or self._app, **self.options)
        chosen: dict[str, Any] = {**options, **(header_delay or {}), **({"task_id": task_id} if task_id else {})}
        return made.apply(partial_args, kwargs, **chosen) if eager else made.apply_async(partial_args, kwargs, **chosen)

    def freeze(
        self,
        _id: str | None = None,
        group_id: str | None = None,
        chord: Mapping[str, Any] | None = None,
        root_id: str | None = None,
        parent_id: str | None = None,
        group_index: int | None = None,
    ) -> Any:
        """Fix the ids of members and body, and return the result of the body; see ``Signature.freeze``."""
        vet(self)
        options = self.options
        id = header_id(options, self.body) or self.app.runtime.new_id()
        header = self.header.freeze(id, root_id=root_id, parent_id=parent_id)
        if self.body is None:
            options["group_id"] = id
            return None
        result = self.body.freeze(options.get("task_id") or _id, group_id, chord, root_id, None, group_index)
        options.pop("group_id", None)
        options["task_id"] = id
        return linked_to(result, header)

    _freeze = freeze

    def stamp(self, visitor: StampingVisitor | None = None, append_stamps: bool = False, **headers: Any) -> Self:
        """Stamp the members and the body. See ``Signature.stamp``."""
        vet(self)
        said = None if visitor is None else visitor.on_chord_header_start(self, **headers)
        stamps = self._stamps(said, headers, append_stamps)
        self.stamp_links(visitor, append_stamps, **stamps)
        self._kwargs["header"] = stamped(self._kwargs["header"], visitor, append_stamps, stamps)
        if visitor is not None:
            visitor.on_chord_header_end(self, **stamps)
        if self.body is not None:
            said = None if visitor is None else visitor.on_chord_body(self, **stamps)
            self.body.stamp(visitor, append_stamps, **self._stamps(said, stamps, append_stamps))
        return self

    def link(self, callback: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send ``callback`` with the body's value; returns ``callback``."""
        if self.body is None:
            return super().link(callback)
        self.body.link(callback)
        return callback

    def link_error(self, errback: Mapping[str, Any]) -> Mapping[str, Any]:
        """Let ``errback`` hear if the body fails, or does not run because a member has failed; returns ``errback``.

        Of a member that is a chord it hears in the same way. With the setting ``task_allow_error_cb_on_chord_header`` it hears of
        each member that fails, too; the setting is read here, when the errback is linked, as by Celery, and not when the chord is
        sent. Source: Celery's guide, "Canvas", "Chords", "Error handling".
        """
        if self.body is None:
            return super().link_error(errback)
        vet(self)
        hear_of(self.tasks, errback, self)
        self.body.link_error(errback)
        return errback

    def set_immutable(self, immutable: bool) -> None:
        """Let nothing be added to the arguments of the members, or let it again; the body stays as it is."""
        vet(self)
        for member in self.tasks:
            member.set_immutable(immutable)

    def apply(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        propagate: bool = True,
        body: Any = None,
        **options: Unpack[OptionKeywords],
    ) -> Any:
        """Run members and body here and now.

        Args:
            args: Go before the arguments of each member.
            kwargs: Are added to those; but ``body`` is the body.
            propagate: Raise what a member has raised. Otherwise the body is called with the exception among the values.
            body: In the place of its own.
            options: ``link``, ``link_error`` and ``task_id`` of the body, all others of the members.
        """
        return applied(self._applying(args, kwargs, {**options, "propagate": propagate, "body": body}))

    def _applying(self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: Mapping[str, Any]) -> Applying:
        vet(self)
        chosen: dict[str, Any] = {**self._own_options(), **told_of_polling(self.app, options)}
        propagate, body, task_id = chosen.pop("propagate", True), chosen.pop("body", None), chosen.pop("task_id", None)
        sent, more = self._with_body({**(kwargs or {}), **({} if body is None else {"body": body})})
        called = sent._body_with(chosen)
        known = header_id(self.options, self.body)
        found = yield sent.header, args, more, {**chosen, **({"task_id": known} if known else {})}
        result = yield called, (found.get(propagate=propagate),), None, {"task_id": task_id} if task_id else {}
        return linked_to(result, found)

    def _with_body(self, kwargs: Mapping[str, Any] | None) -> tuple[Self, dict[str, Any]]:
        """Return the chord that is to be sent, and the keyword arguments of its members: ``body`` among them is its body."""
        vet(self)
        more = {**(self._kwargs.get("kwargs") or {}), **(arguments_from(None, kwargs)[1])}
        body = more.pop("body", None)
        if body is None:
            return self, more
        copy = self._copy()
        copy["kwargs"] = {**self._kwargs, "body": member_from(body, self._app)}
        return copy, more

    def _body_with(self, options: dict[str, Any]) -> Any:
        """Take the links out of ``options``, and return a copy of the body that has them.

        Raises:
            TypeError: it has none.
        """
        if self.body is None:
            raise TypeError("a chord needs a body: chord(header)(body), or group | body")
        callbacks, errbacks = options.pop("link", None), options.pop("link_error", None)
        if not callbacks and not errbacks:
            return self.body
        body = self.body.clone()
        for each in several(callbacks):
            body.link(each)
        for each in several(errbacks):
            body.link_error(each)
        return body

    def _frozen(self, args: Any, kwargs: Any, options: Mapping[str, Any]) -> Any:
        if options.get("result_cls") is not None:
            self.app.once.warn("result_cls has no effect on a chord: it ends with the result of its body")
        return super()._frozen(args, kwargs, options)

    def _sent_as_stream(self) -> Stream | None:
        if self.body is None or self.app.conf.settings().task.always_eager:
            return None
        return alike(self.tasks) if self.stream is None else super()._sent_as_stream()

    def _begun(
        self, stream: Stream, args: Sequence[Any] | None, kwargs: Mapping[str, Any], options: Mapping[str, Any]
    ) -> tuple[Sending, Any, Stored]:
        """Return how the members are sent, they themselves, and the frozen body."""
        options_from(options)
        app = self.app
        chosen: dict[str, Any] = {**self._own_options(), **options}
        id, group_id = chosen.pop("task_id", None), header_id(self.options, self.body) or app.runtime.new_id()
        members: Any = stream
        if chosen.get("link_error") and app.conf.settings().task.allow_error_cb_on_chord_header:
            members = heard_by(stream, several(chosen["link_error"]))
        body = self._body_with(chosen)
        body = fixed(app, body if kind_of(body) == "group" else chained([body]), id)
        first, more = ((), {}) if self.immutable else arguments_from(args, kwargs)
        return Sending(app, group_id, (*first, *self.args), more, chosen), members, body

    def _own_options(self) -> dict[str, Any]:
        # Its group_id is that of its own header, and not of a group that it is a member of; so is its id once it is frozen.
        of_header = ("group_id", "task_id") if is_frozen(self.body) else ("group_id",)
        return {name: value for name, value in told_of_polling(self.app, self.options).items() if name not in of_header}

    def _linked(self, links: Mapping[str, Any]) -> Stored:
        members: Any = self.tasks
        if links.get("link_error"):
            all_members = self.app.conf.settings().task.allow_error_cb_on_chord_header
            members = (heard_by if all_members else chords_heard_by)(members, several(links["link_error"]))
        own = {"group_id": known} if (known := header_id(self.options, self.body)) else {}
        parts = {"header": members, "body": self._body_with(dict(links)), "kwargs": {}}
        return chained([{**self, "kwargs": parts, "options": own}])

    def _copy_members(self, copy: Signature[Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        copy.kwargs["header"] = [member.clone(args, kwargs) for member in self.tasks]
        copy.kwargs["body"] = None if self.body is None else self.body.clone()

    @classmethod
    def _descend(cls, sig_obj: Any) -> int:
        """Return how many parts a member of a header brings."""
        return size_of(maybe_signature(sig_obj))

    def __length_hint__(self) -> int:
        """Return how many parts its body waits for."""
        return sum(map(size_of, self.tasks))

    def _shown(self) -> str:
        body, members = self.body, self.tasks if self.stream is None else self.stream
        if body is None:
            return f"<chord without body: {members!r}>"
        if kind_of(body) != "chain":
            return f"%{without_repeats(body['task'], body.reprcall(members))}"
        first, *rest = body.tasks
        return without_repeats(first["task"], f"%({' | '.join([first.reprcall(members), *map(repr, rest)])})")
