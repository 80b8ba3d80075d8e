"""Task: a function that can be called here, or sent to run elsewhere.

In a job's life: its beginning: ``delay`` and all other ways to call it. What is the same for each call is resolved once and kept
until a setting or an attribute changes. Names and meanings: Celery's guide, "Tasks" and "Calling Tasks". Does not know:
queues, bytes, stores.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, Generic, ParamSpec, Self, TypeVar, Unpack, overload

from msgspec.structs import replace

from celeriac.app import eager, handlers
from celeriac.app.annotating import annotate
from celeriac.app.arguments import Parameters, arguments_from
from celeriac.app.attributes import RECIPE, take_in, warn_of_celerys_own
from celeriac.app.checking.validation import Validation
from celeriac.app.composing import Composing
from celeriac.app.conduct import NAMES as CONDUCT
from celeriac.app.context import Context, current_context, enter, leave
from celeriac.app.current import task_again
from celeriac.app.eager_result import EagerResult
from celeriac.app.execution import EXPECTS_CALL
from celeriac.app.home import Home
from celeriac.app.options import NO_OPTIONS, ApplyKeywords, OptionKeywords, options_from
from celeriac.app.plan import Call, Recipe
from celeriac.app.producer import Producer
from celeriac.app.recipes import delivery_mode_from, recipe_from
from celeriac.app.result import AsyncResult, sent
from celeriac.app.signature import Signature, signature
from celeriac.core.errors import Retry

P = ParamSpec("P")
# Covariant, since what an ``async def`` returns is a subclass of the Coroutine that the overloads below name.
R = TypeVar("R", covariant=True)
V = TypeVar("V")
Coro = Coroutine[Any, Any, V]
"""What calling an ``async def`` task returns; its result is the ``V``: the first of each pair of overloads below."""
_WATCHED: Final = frozenset({*handlers.NAMES, "shadow_name", "apply_async", "pydantic"})


class Task(Composing, Generic[P, R]):
    """One task of one app. ``@app.task`` makes it; a subclass may be its ``base``."""

    __name__: str
    __qualname__: str
    __wrapped__: Callable[P, R]
    __header__: Callable[..., Any]
    __bound__: bool = False
    """It belongs to an app."""
    __trace__: Any = None
    __v2_compat__: bool = False
    _recipe: Recipe
    _producer: Producer
    _revision: int = -1
    """Revision of the settings that ``_recipe`` and ``_producer`` were made for."""
    _eager: bool = False

    def bind(self, app: Home) -> Self:
        """Make this the task of ``app``."""
        self.app = app
        take_in(self)
        warn_of_celerys_own(self, self.name)
        if self.typing is None:
            self.typing = app.strict_typing
        self._parameters = Parameters(self.run, bound=False)
        if self.pydantic:
            self.validation = self._validation()
        self.__bound__ = True
        self._look()
        self.on_bound(app)
        return self

    def _validation(self) -> Validation:
        return Validation.of(
            self.run,
            name=self.name,
            strict=self.pydantic_strict,
            context=self.pydantic_context,
            dump_kwargs=self.pydantic_dump_kwargs,
            app=self.app,
        )

    def _look(self) -> None:
        """See what of the user's has a part in calls and runs."""
        overridden = any(handlers.overridden(self, name) for name in (*handlers.NAMES, "shadow_name"))
        self.has_own_call = type(self).__call__ is not Task.__call__
        self.plain = not (overridden or self.has_own_call or "apply_async" in vars(self) or self.validation or not self.trail)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name in RECIPE or name in CONDUCT:
            self._revision = self._conducted_at = -1
        elif name in _WATCHED and self.__bound__:
            self._look()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if self.__bound__:
            self._revision = self._conducted_at = -1
            self._look()

    def run(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do the work. ``@app.task`` puts the function here; a class-based task defines it."""
        raise NotImplementedError(f"task {self.name} has no run()")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, here and now: inside of it ``self.request.called_directly`` holds."""
        context = current_context()
        expected = context is not None and vars(context).pop(EXPECTS_CALL, None) is self
        run = self.run if self.validation is None or expected else self.validation.around(self.run)
        if expected:
            return run(*args, **kwargs)
        directly = Context(args=args, kwargs=kwargs)
        directly.within, directly.called = context, self
        token = enter(directly)
        try:
            return run(*args, **kwargs)
        finally:
            leave(token)

    def recipe(self) -> Recipe:
        """Return what holds for every call; computed again when a setting or an attribute has changed."""
        if self._revision != self.app.conf.revision:
            self._resolve()
        return self._recipe

    def annotate(self) -> None:
        """Set the attributes that ``task_annotations`` gives to this task."""
        annotate(self, self.app.conf.task_annotations)

    def _resolve(self) -> None:
        if not self.__bound__:  # another instance of a class that has an app: it need not be registered to be called
            self.bind(self.app)
        self.annotate()
        revision = self.app.conf.revision
        settings = self.app.conf.settings().task
        self._recipe, self._eager = self._make_recipe(), settings.always_eager
        if not self._eager:  # a program that sends nothing needs no broker's client either
            self._producer = self.app.producer
        self._revision = revision

    def _make_recipe(self) -> Recipe:
        return replace(
            recipe_from(self.name, self.app.conf.settings().task),
            serializer=self.serializer,
            compression=self.compression,
            delivery_mode=delivery_mode_from(self.delivery_mode),
            ignore_result=self.ignore_result,
            priority=self.priority or 0,
            expires=self.expires,
            time_limit=self.time_limit,
            soft_time_limit=self.soft_time_limit,
            queue=self.queue,
            exchange=self.exchange,
            routing_key=self.routing_key,
            backend=self.own_backend,
            validation=self.validation,
            check=self.typing,
            secrets=self._parameters.secrets,
        )

    @property
    def is_sent_plainly(self) -> bool:
        """Whether a call is one message, and nothing of the user's, nor ``task_always_eager``, has a say in sending it."""
        kind, app = type(self), self.app
        if handlers.overridden(self, "shadow_name") or "apply_async" in vars(self) or kind.apply_async is not _apply_async:
            return False
        return type(app).send_task is type(app).own_send_task and not app.conf.settings().task.always_eager

    @overload
    def delay(self: Task[P, Coro[V]], *args: P.args, **kwargs: P.kwargs) -> AsyncResult[V]: ...
    @overload
    def delay(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]: ...

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Send the task to run with these arguments. Twin: ``adelay``.

        Raises:
            TypeError: the function does not take these arguments.
            OperationalError: the broker did not take the message within its deadline.
            EncodeError: an argument cannot be written.
        """
        app = self.app
        home = type(app)
        if (
            not self.plain
            or self._eager
            or type(self).apply_async is not _apply_async
            or home.send_task is not home.own_send_task
        ):
            # Whoever replaces apply_async or send_task, for all tasks or for this one, means delay, too.
            return self.apply_async(args, kwargs)
        if self.typing and (kwargs or len(args) not in self._parameters.fits):
            self._parameters.check(args, kwargs)
        if self._revision != app.conf.revision:
            self._resolve()
            if self._eager:
                return self.apply_async(args, kwargs)
        return sent(app, self._producer.submit(Call(self._recipe, args, kwargs)), backend=self.own_backend)

    @overload
    def apply_async(
        self: Task[P, Coro[V]],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        task_id: Any = None,
        producer: Any = None,
        link: Any = None,
        link_error: Any = None,
        shadow: str | None = None,
        **options: Unpack[ApplyKeywords],
    ) -> AsyncResult[V]: ...
    @overload
    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        task_id: Any = None,
        producer: Any = None,
        link: Any = None,
        link_error: Any = None,
        shadow: str | None = None,
        **options: Unpack[ApplyKeywords],
    ) -> AsyncResult[R]: ...

    def apply_async(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        task_id: Any = None,
        producer: Any = None,
        link: Any = None,
        link_error: Any = None,
        shadow: str | None = None,
        **options: Unpack[ApplyKeywords],
    ) -> Any:
        """Send the task to run with these arguments, with options. Twin: ``aapply_async``.

        Args:
            args: Positional arguments.
            kwargs: Keyword arguments.
            task_id: Its id; ``None``: a fresh UUID4.
            producer: What ``app.producer_or_acquire`` gave: it is sent over that connection.
            link: Signature, or several, to send with the result.
            link_error: Signature, or several, to send or call after failure.
            shadow: Name that is shown instead of the task's.
            options: Explained at ``CallOptions``: ``countdown``, ``eta``, ``expires``, ``queue``, ``priority``, ...

        Raises:
            TypeError: the function does not take these arguments, or there is no such option.
            ValueError: an option's value cannot be.
            OperationalError, EncodeError: as ``delay``.
        """
        given = _named(task_id, producer, link, link_error, shadow, options)
        call = self._call(args, kwargs, given)
        app = self.app
        if self._eager:
            return eager.send(self, call)
        if type(app).send_task is not type(app).own_send_task:
            if call.options.shadow:
                given["shadow"] = call.options.shadow
            return app.send_task(self.name, call.args, call.kwargs, **given)
        remember = call.options.add_to_parent
        message, kind = self._producer.submit(call), call.options.result_cls
        return sent(app, message, remember=remember, backend=call.recipe.backend, kind=kind)

    @overload
    async def adelay(self: Task[P, Coro[V]], *args: P.args, **kwargs: P.kwargs) -> AsyncResult[V]: ...
    @overload
    async def adelay(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult[R]: ...

    async def adelay(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """The twin of ``delay`` for event loops."""
        return await self.aapply_async(args, kwargs)

    @overload
    async def aapply_async(
        self: Task[P, Coro[V]],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[OptionKeywords],
    ) -> AsyncResult[V]: ...
    @overload
    async def aapply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> AsyncResult[R]: ...

    async def aapply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> Any:
        """The twin of ``apply_async`` for event loops."""
        call = self._call(args, kwargs, options)
        if self._eager:
            return await eager.asend(self, call)
        remember = call.options.add_to_parent
        message, kind = await self._producer.asubmit(call), call.options.result_cls
        return sent(self.app, message, remember=remember, backend=call.recipe.backend, kind=kind)

    def _call(self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: Mapping[str, Any]) -> Call:
        args, kwargs = arguments_from(args, kwargs)
        recipe = self.recipe()
        if self.typing and (kwargs or len(args) not in self._parameters.fits):
            self._parameters.check(args, kwargs)
        if not self.plain and not options.get("shadow") and (shown := self.shadow_name(args, kwargs, options)):
            options = {**options, "shadow": shown}
        return Call(recipe, args, kwargs, options_from(options) if options else NO_OPTIONS)

    def apply(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        link: Any = None,
        link_error: Any = None,
        task_id: Any = None,
        retries: int | None = None,
        throw: bool | None = None,
        logfile: str | None = None,
        loglevel: int | str | None = None,
        headers: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> EagerResult[R]:
        """Run it here and now, as a worker would, and return how it ended: with retries (at once), handlers and signals.

        Args:
            args: Positional arguments.
            kwargs: Keyword arguments.
            link: Signatures to send with the result.
            link_error: Signatures to send or call after failure.
            task_id: Its id.
            retries: Attempts made before this one.
            throw: Raise what the task raised. ``None``: as ``task_eager_propagates`` says.
            logfile, loglevel: The task sees them in its request.
            headers: Headers of the caller's own.
            options: Further ones of ``apply_async``. Source: Celery's reference of ``Task.apply``.
        """
        given = _named(task_id, None, link, link_error, None, {**options, "headers": headers, "retries": retries})
        args, kwargs = arguments_from(args, kwargs)
        call = Call(self.recipe(), args, kwargs, options_from(given))
        return eager.run(self, call, throw=throw, seen={"logfile": logfile, "loglevel": loglevel})

    def _retry_now(self, context: Context, retry: Retry) -> None:
        if not context.is_eager:
            return super()._retry_now(context, retry)
        assert retry.again is not None  # made by plan_retry
        eager.run_message(self, retry.again, throw=True)
        return None

    @overload
    def s(self: Task[P, Coro[V]], *args: Any, **kwargs: Any) -> Signature[V]: ...
    @overload
    def s(self, *args: Any, **kwargs: Any) -> Signature[R]: ...

    def s(self, *args: Any, **kwargs: Any) -> Any:
        """Return a Signature with these arguments."""
        args, kwargs = self._kept(args, kwargs)
        return Signature(self.name, args, kwargs, app=self.app)

    @overload
    def si(self: Task[P, Coro[V]], *args: Any, **kwargs: Any) -> Signature[V]: ...
    @overload
    def si(self, *args: Any, **kwargs: Any) -> Signature[R]: ...

    def si(self, *args: Any, **kwargs: Any) -> Any:
        """Return an immutable Signature with these arguments."""
        args, kwargs = self._kept(args, kwargs)
        return Signature(self.name, args, kwargs, immutable=True, app=self.app)

    def signature(self, args: Sequence[Any] | None = None, *starargs: Any, **starkwargs: Any) -> Signature[R]:
        """Return a Signature with these arguments and options: ``(args, kwargs, options)``, ``immutable=``, ..."""
        return signature(self.name, args, *starargs, app=self.app, **starkwargs)

    def _kept(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Return arguments as a signature keeps them: it may travel inside a message, as plain data."""
        return (args, kwargs) if self.validation is None else (self.validation.plain(args), self.validation.plain(kwargs))

    subtask = signature

    def AsyncResult(self, task_id: str, **kwargs: Any) -> AsyncResult[R]:  # noqa: N802 - Celery's name
        """Return the result of a call of this task by its id."""
        return AsyncResult(task_id, task_name=self.name, app=self.app, **{"backend": self.own_backend, **kwargs})

    def __repr__(self) -> str:
        return f"<@task: {self.name}>" if self.__bound__ else f"<task class {type(self).__name__}, of no app>"

    def __reduce__(self) -> Any:
        return task_again, (self.name, self.__module__, getattr(self.app, "main", None))


_apply_async: Final = Task.apply_async
"""Ours: ``delay`` need not go through it, unless somebody has put another one in its place."""


def _named(
    task_id: Any, producer: Any, link: Any, link_error: Any, shadow: str | None, options: Mapping[str, Any]
) -> dict[str, Any]:
    named = {"task_id": task_id, "producer": producer, "link": link, "link_error": link_error, "shadow": shadow, **options}
    return {name: value for name, value in named.items() if value is not None}
