"""Signature: one call, as data, that can be kept, changed, sent, and put into messages.

In a job's life: ``add.s(2)`` makes one, ``delay`` or ``apply_async`` sends it; callbacks travel as Signatures. It is the
mapping that Celery writes (``task``, ``args``, ``kwargs``, ``options``, ``subtask_type``, ``immutable``), so JSON needs no
translation. Does not know: how a call is sent; its task does, or its app where the task is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, Unpack, overload

from msgspec.structs import replace

from celeriac.app.arguments import arguments_from
from celeriac.app.flows.stored import chain_of, kind_of, members_of
from celeriac.app.flows.vetting import vet
from celeriac.app.freezing import Freezable
from celeriac.app.home import Home
from celeriac.app.options import OptionKeywords, SignatureKeywords, options_from, options_from_wire
from celeriac.app.plan import Call
from celeriac.app.recorded import Recorded
from celeriac.app.result import AsyncResult, sent
from celeriac.core.representation import safe_repr

R = TypeVar("R")
_OWN: Final = frozenset({"args", "kwargs", "options", "type", "subtask_type", "immutable", "app"})
"""Parameters of a Signature that are no options."""
_KEYS: Final = frozenset({"task", "args", "kwargs", "options", "subtask_type", "immutable"})
"""What a stored signature has."""
S = TypeVar("S", bound="type[Signature[Any]]")


class Signature(Freezable[R], Generic[R]):
    """A task's name, arguments and options.

    Example:
        >>> add.s(2).delay(4)          # add(4, 2): what is given later goes first
        >>> add.si(2, 2).apply_async() # immutable: nothing is added
    """

    __slots__ = ()
    TYPES: ClassVar[dict[str, type[Signature[Any]]]] = {}
    """``subtask_type`` -> class."""

    def __init__(
        self,
        task: Any = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        type: Any = None,
        subtask_type: str | None = None,
        immutable: bool = False,
        app: Home | None = None,
        **ex: Any,
    ) -> None:
        """Describe a call.

        Args:
            task: Name, or the task itself; or a stored signature, of which this is a copy.
            args: Positional arguments.
            kwargs: Keyword arguments.
            options: Of ``apply_async``.
            type: The task, if ``task`` is its name, and the app may not know it.
            subtask_type: ``group`` and the like; ``None``: one call.
            immutable: Nothing is added to its arguments.
            app: Who sends it; ``None``: the task's app, else the current one.
            ex: More options.

        Raises:
            TypeError: ``args`` is no list, or ``kwargs`` no mapping.
        """
        given = type if isinstance(task, str | Mapping) else task
        self._app = app if app is not None else getattr(task if isinstance(task, Recorded) else given, "app", None)
        self._type = given if hasattr(given, "apply_async") else None
        if isinstance(task, Mapping):
            missing: dict[str, Any] = {"args": (), "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False}
            super().__init__({**missing, **task})
            return
        args, kwargs = arguments_from(args, kwargs)
        super().__init__(
            task=task if isinstance(task, str) else getattr(task, "name", task),
            args=tuple(args),
            kwargs=dict(kwargs),
            options={**(options or {}), **ex},
            subtask_type=subtask_type,
            immutable=immutable,
        )

    @classmethod
    def register_type(cls, name: str | None = None) -> Callable[[S], S]:
        """Return a class decorator: signatures that are stored with this ``subtask_type`` are made into that class again."""

        def register(kind: S) -> S:
            cls.TYPES[name or kind.__name__] = kind
            return kind

        return register

    @classmethod
    def from_dict(cls, d: Mapping[str, Any], app: Home | None = None) -> Signature[Any]:
        """Return the Signature that a mapping holds, of the class that its ``subtask_type`` says; keys may be missing.

        Raises:
            TypeError, WorkflowTooDeep: it holds none; see ``vetting.vet``.
        """
        vet(d)
        kind = cls.TYPES.get(d.get("subtask_type") or "")
        return from_stored(d, app) if kind is None or kind is cls else kind.from_dict(d, app)

    @property
    def type(self) -> Any:
        """The task.

        Raises:
            NotRegistered: its app knows none of this name.
        """
        tasks = self.app.tasks
        return tasks[self["task"]] if self._type is None else tasks.get(self["task"], self._type)

    # ---- sending -----------------------------------------------------------------------------------------------

    def delay(self, *args: Any, **kwargs: Any) -> AsyncResult[R]:
        """Send it; arguments given here go before its own."""
        return self.apply_async(args, kwargs)

    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        route_name: str | None = None,
        **options: Unpack[SignatureKeywords],
    ) -> AsyncResult[R]:
        """Send it; arguments given here go before its own, options win over its own.

        It goes the way of its task: checks, a replaced ``apply_async``, ``task_always_eager`` hold here, too.
        """
        said = {**options, "route_name": route_name} if route_name else options
        all_args, all_kwargs, chosen = self._merge(*arguments_from(args, kwargs), said)
        app = self.app
        task = app.tasks.get(self["task"], self._type)
        result: AsyncResult[R]
        if task is None:
            result = app.send_task(self["task"], all_args, all_kwargs, **chosen)
        else:
            result = task.apply_async(all_args, all_kwargs, **chosen)
        return result

    async def adelay(self, *args: Any, **kwargs: Any) -> AsyncResult[R]:
        """The twin of ``delay`` for event loops."""
        return await self.aapply_async(args, kwargs)

    async def aapply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> AsyncResult[R]:
        """The twin of ``apply_async`` for event loops."""
        all_args, all_kwargs, chosen = self._merge(*arguments_from(args, kwargs), options)
        app = self.app
        task = app.tasks.get(self["task"], self._type)
        if task is not None:
            result: AsyncResult[R] = await task.aapply_async(all_args, all_kwargs, **chosen)
            return result
        call = Call(app.recipe_of(self["task"]), all_args, all_kwargs, options_from(chosen))
        message = await app.producer.asubmit(call)
        return sent(app, message, remember=call.options.add_to_parent, kind=call.options.result_cls)

    def apply(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> Any:
        """Run it here and now, as ``Task.apply`` does.

        Raises:
            NotRegistered: its app knows no task of this name.
        """
        vet(self)
        all_args, all_kwargs, chosen = self._merge(*arguments_from(args, kwargs), options)
        return self.type.apply(all_args, all_kwargs, **chosen)

    async def aapply(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> Any:
        """The twin of ``apply`` for event loops: a coroutine runs on this one."""
        vet(self)
        all_args, all_kwargs, chosen = self._merge(*arguments_from(args, kwargs), options)
        return await self.type.aapply(all_args, all_kwargs, **chosen)

    def __invert__(self) -> R:
        """``~add.s(2, 2)``: send it, wait, and return the value."""
        value: R = self.apply_async().get()
        return value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the task as a function, here and now."""
        all_args, all_kwargs, _ = self._merge(args, kwargs)
        return self.app.run_here(self.task, all_args, all_kwargs)

    def election(self) -> AsyncResult[R]:
        """Send it, to be run by one worker; with the id that it has, if it is frozen.

        Celery lets its workers elect the one that is to run it. Here the broker hands every call to one worker.
        """
        return self.clone(task_id=self.id or self.app.runtime.new_id()).apply_async()

    def call(self, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None, options: Any = None) -> Call:
        """Return what is to be sent when these are added."""
        all_args, all_kwargs, chosen = self._merge(args, kwargs, options)
        return Call(self.app.recipe_of(self["task"]), all_args, all_kwargs, options_from(chosen))

    # ---- changing ----------------------------------------------------------------------------------------------

    def clone(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> Self:
        """Return a copy, with these arguments and options added."""
        vet(self)
        options_from(options)
        copy = self._copy()
        all_args, all_kwargs, chosen = self._merge(*arguments_from(args, kwargs), options)
        own = self["options"]  # its links are signatures, which may be changed; what is given may be anything
        kept = {name: deepcopy(value) if own.get(name) is value else value for name, value in chosen.items()}
        copy.update(args=tuple(all_args), kwargs=dict(all_kwargs), options=kept)
        return copy

    partial = clone

    def replace(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return a copy with other arguments or options in the place of its own; ``None``: its own."""
        copy = self.clone()
        if args is not None:
            copy["args"] = tuple(arguments_from(args, None)[0])
        if kwargs is not None:
            copy["kwargs"] = dict(kwargs)
        if options is not None:
            options_from(options)
            copy["options"] = dict(options)
        return copy

    def _copy(self) -> Self:
        copy = self.__class__.__new__(self.__class__)
        dict.__init__(copy, self)
        copy._app, copy._type = self._app, self._type
        return copy

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        vet(self)
        copy = self._copy()
        memo[id(self)] = copy
        for key, value in self.items():
            copy[key] = deepcopy(value, memo)
        return copy

    def _as_signature(self, stored: Any) -> Any:
        return maybe_signature(stored, self._app)

    def _set(self, options: Mapping[str, Any]) -> Self:
        chosen: Any = options
        return self.set(**chosen)

    def set(self, immutable: bool | None = None, **options: Unpack[OptionKeywords]) -> Self:
        """Change options; returns itself."""
        options_from(options)  # refuse a misspelt one here, where it was written
        if immutable is not None:
            self.set_immutable(immutable)
        self["options"].update(options)
        return self

    def set_immutable(self, immutable: bool) -> None:
        """Let nothing be added to its arguments, or let it again."""
        self["immutable"] = immutable

    def __or__(self, other: Any) -> Any:
        """``a | b``: first ``a``, then ``b`` with its value."""
        if not isinstance(other, Mapping) or "task" not in other:  # a dict's own ``|`` would merge the two without a word
            raise TypeError(f"a signature is followed by a signature, such as add.s(2), not by {other!r}")
        if kind_of(other) == "group" and not members_of(other):  # skipped when sent; but what is put behind it is a chord's body
            return self.TYPES["chain"].from_dict(chain_of([self, other]), self._app)
        return self._chained(self, other)

    def _chained(self, *steps: Any) -> Any:
        return self.TYPES["chain"](*steps)

    def __ror__(self, other: Any) -> Any:
        if not isinstance(other, Mapping) or "task" not in other:
            raise TypeError(f"a signature follows a signature, such as add.s(2), not {other!r}")
        return self._chained(other, self)

    def __ior__(self, other: Any) -> Any:  # a dict's would merge
        return self | other

    @property
    def AsyncResult(self) -> Callable[..., AsyncResult[R]]:  # noqa: N802 - Celery's name
        """What makes the result of a call, from its id."""
        task = self.app.tasks.get(self["task"], self._type)
        found: Callable[..., AsyncResult[R]] = task.AsyncResult if task is not None else partial(AsyncResult, app=self.app)
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        vet(self)
        return signature, (dict(self),)


@overload
def signature(varies: Mapping[str, Any], *, app: Home | None = None) -> Signature[Any]: ...
@overload
def signature(
    varies: Any,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    type: Any = None,
    subtask_type: str | None = None,
    app: Home | None = None,
    immutable: bool = False,
    **more: Unpack[OptionKeywords],
) -> Signature[Any]: ...


def signature(varies: Any, *args: Any, **kwargs: Any) -> Signature[Any]:
    """Return a Signature: of a task or its name, of a stored mapping, or a copy of another Signature.

    Args:
        varies: One of these.
        args: Arguments, keyword arguments and options of the call, as ``Signature`` takes them.
        kwargs: The same by name, ``immutable``, ``app``, and any option.

    Raises:
        TypeError: there is no such option.
    """
    if isinstance(varies, Signature):
        return varies.clone()
    if isinstance(varies, Mapping):
        return Signature.from_dict(varies, kwargs.get("app"))
    options_from({name: value for name, value in kwargs.items() if name not in _OWN})
    return Signature(varies, *args, **kwargs)


subtask = signature


def maybe_signature(d: Any, app: Home | None = None, clone: bool = False) -> Any:
    """Return the Signature that ``d`` is or holds; ``None`` stays ``None``, and a Signature itself unless it is to be cloned.

    Args:
        d: A Signature, a mapping that holds one, a list of such, or ``None``.
        app: Who sends it, if it does not know.
        clone: Return a copy.
    """
    if isinstance(d, Signature):
        found = d.clone() if clone else d
        if app is not None and found._app is None:
            found._app = app
        return found
    if isinstance(d, Mapping):
        return Signature.from_dict(d, app)
    return [maybe_signature(each, app, clone) for each in d] if isinstance(d, list | tuple) else d


maybe_subtask = maybe_signature


def from_stored(stored: Mapping[str, Any], app: Home | None = None) -> Signature[Any]:
    """Return the Signature that a message holds; keys may be missing, and those that are not ours stay.

    Raises:
        TypeError: it is no signature: no task is named, or its arguments are none.
    """
    if not isinstance(stored.get("task"), str):
        raise TypeError(f"a stored signature names its task, as in {{'task': 'proj.add'}}; this is none: {safe_repr(stored)}")
    found: Signature[Any] = Signature(
        stored["task"],
        stored.get("args"),
        stored.get("kwargs"),
        stored.get("options"),
        immutable=bool(stored.get("immutable")),
        subtask_type=stored.get("subtask_type"),
        app=app,
    )
    if not stored.keys() <= _KEYS:
        found.update((key, value) for key, value in stored.items() if key not in _KEYS)
    return found


def call_from_stored(stored: Mapping[str, Any], first: Sequence[Any], app: Home) -> Call:
    """Return the call that a callback in a message asks for, with ``first`` before its own arguments."""
    found = from_stored(stored, app)
    args = found.args if found.immutable else (*first, *found.args)
    recipe = app.recipe_of(found.task)
    if recipe.validation is not None:
        # Its arguments are plain data, and whoever runs it says what is wrong with them: here its caller's result is at stake.
        recipe = replace(recipe, validation=None)
    return Call(recipe, args, found.kwargs, options_from_wire(found.options))
