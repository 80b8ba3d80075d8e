"""Signature: one call, as data, that can be kept, changed, sent, and put into messages.

In a job's life: ``add.s(2)`` makes one, ``delay`` or ``apply_async`` sends it; callbacks travel as Signatures. It is the
mapping that Celery writes (``task``, ``args``, ``kwargs``, ``options``, ``subtask_type``, ``immutable``), so JSON needs no
translation. Does not know: how a call is sent; its app does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Generic, NoReturn, Self, TypeVar, Unpack

from celeriac.app.arguments import arguments_from
from celeriac.app.current import current_app
from celeriac.app.home import Home
from celeriac.app.options import OptionKeywords, options_from, options_from_wire
from celeriac.app.plan import Call
from celeriac.app.result import AsyncResult, sent

R = TypeVar("R")


class Signature(dict[str, Any], Generic[R]):
    """A task's name, arguments and options.

    Example:
        >>> add.s(2).delay(4)          # add(4, 2): what is given later goes first
        >>> add.si(2, 2).apply_async() # immutable: nothing is added
    """

    __slots__ = ("_app",)

    def __init__(
        self,
        task: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        immutable: bool = False,
        subtask_type: str | None = None,
        app: Home | None = None,
    ) -> None:
        args, kwargs = arguments_from(args, kwargs)
        super().__init__(
            task=task,
            args=tuple(args),
            kwargs=dict(kwargs),
            options=dict(options or {}),
            subtask_type=subtask_type,
            immutable=immutable,
        )
        self._app = app

    @property
    def app(self) -> Home:
        """Who sends it."""
        return self._app if self._app is not None else current_app()

    @property
    def task(self) -> str:
        """Name of the task."""
        name: str = self["task"]
        return name

    @property
    def args(self) -> tuple[Any, ...]:
        """Positional arguments."""
        return tuple(self["args"])

    @property
    def kwargs(self) -> dict[str, Any]:
        """Keyword arguments."""
        kwargs: dict[str, Any] = self["kwargs"]
        return kwargs

    @property
    def options(self) -> dict[str, Any]:
        """Options of ``apply_async``."""
        options: dict[str, Any] = self["options"]
        return options

    @property
    def immutable(self) -> bool:
        """Nothing is added to its arguments."""
        return bool(self.get("immutable"))

    def delay(self, *args: Any, **kwargs: Any) -> AsyncResult[R]:
        """Send it; arguments given here go before its own."""
        return self.apply_async(args, kwargs)

    def apply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> AsyncResult[R]:
        """Send it; arguments given here go before its own, options win over its own."""
        call = self.call(*arguments_from(args, kwargs), options)
        app = self.app
        return sent(app, app.producer.submit(call), remember=call.options.add_to_parent)

    async def adelay(self, *args: Any, **kwargs: Any) -> AsyncResult[R]:
        """The twin of ``delay`` for event loops."""
        return await self.aapply_async(args, kwargs)

    async def aapply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> AsyncResult[R]:
        """The twin of ``apply_async`` for event loops."""
        call = self.call(*arguments_from(args, kwargs), options)
        app = self.app
        return sent(app, await app.producer.asubmit(call), remember=call.options.add_to_parent)

    def call(self, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None, options: Any = None) -> Call:
        """Return what is to be sent when these are added."""
        own: dict[str, Any] = self["options"]
        chosen = options_from({**own, **options}) if options else options_from(own)
        own_args, own_kwargs = tuple(self["args"]), self["kwargs"]
        if not self["immutable"]:
            own_args = (*args, *own_args) if args else own_args
            own_kwargs = {**own_kwargs, **kwargs} if kwargs else own_kwargs
        return Call(self.app.recipe_of(self["task"]), own_args, own_kwargs, chosen)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the task as a function, here and now."""
        call = self.call(args, kwargs)
        return self.app.run_here(self.task, call.args, call.kwargs)

    def clone(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> Self:
        """Return a copy, with these arguments and options added."""
        copy = self._copy()
        call = self.call(args or (), kwargs or {})
        copy.update(args=tuple(call.args), kwargs=dict(call.kwargs), options={**deepcopy(self.options), **options})
        return copy

    def _copy(self) -> Self:
        copy = self.__class__.__new__(self.__class__)
        dict.__init__(copy, self)
        copy._app = self._app
        return copy

    def set(self, immutable: bool | None = None, **options: Unpack[OptionKeywords]) -> Self:
        """Change options; returns itself."""
        options_from(options)  # refuse a misspelt one here, where it was written
        if immutable is not None:
            self["immutable"] = immutable
        self["options"].update(options)
        return self

    def link(self, callback: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send ``callback`` with the result after success; returns ``callback``."""
        return self._link("link", callback)

    def link_error(self, errback: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send ``errback`` after failure; returns ``errback``."""
        return self._link("link_error", errback)

    def on_error(self, errback: Mapping[str, Any]) -> Self:
        """Do what ``link_error`` does, and return itself."""
        self.link_error(errback)
        return self

    def _link(self, option: str, signature: Mapping[str, Any]) -> Mapping[str, Any]:
        known = self["options"].get(option) or []
        linked = [known] if isinstance(known, Mapping) else list(known)
        if signature not in linked:
            linked.append(signature)
        self["options"][option] = linked
        return signature

    def __or__(self, other: object) -> NoReturn:
        # A dict's own ``|`` would merge two signatures without a word.
        raise TypeError("chains (task | task) are not part of this version")

    __ror__ = __or__

    def __repr__(self) -> str:
        shown = [*map(repr, self["args"]), *(f"{name}={value!r}" for name, value in self["kwargs"].items())]
        return f"{self['task']}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return signature, (dict(self),)


def signature(
    varies: str | Mapping[str, Any],
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    app: Home | None = None,
    immutable: bool = False,
    **more: Unpack[OptionKeywords],
) -> Signature[Any]:
    """Return a Signature: of a task's name, of a stored mapping, or a copy of another Signature."""
    if isinstance(varies, Signature):
        return varies.clone()
    if isinstance(varies, Mapping):
        return from_stored(varies, app=app)
    options_from(more)
    return Signature(varies, args, kwargs, {**(options or {}), **more}, immutable=immutable, app=app)


def from_stored(stored: Mapping[str, Any], app: Home | None = None) -> Signature[Any]:
    """Return the Signature that a message holds; keys may be missing."""
    return Signature(
        stored["task"],
        stored.get("args"),
        stored.get("kwargs"),
        stored.get("options"),
        immutable=bool(stored.get("immutable")),
        subtask_type=stored.get("subtask_type"),
        app=app,
    )


def call_from_stored(stored: Mapping[str, Any], first: Sequence[Any], app: Home) -> Call:
    """Return the call that a callback in a message asks for, with ``first`` before its own arguments."""
    found = from_stored(stored, app)
    args = found.args if found.immutable else (*first, *found.args)
    return Call(app.recipe_of(found.task), args, found.kwargs, options_from_wire(found.options))
