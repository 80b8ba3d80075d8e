"""Task: a function that can be called here, or sent to run elsewhere.

In a job's life: its beginning (``delay``) and its middle (``run``, ``retry``, ``update_state``). What is the same for each
call is resolved once and kept until a setting changes. Names and meanings: Celery's guide, "Tasks" and "Calling Tasks". Does
not know: queues, bytes, stores.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, NoReturn, ParamSpec, TypeVar, Unpack, overload

from msgspec.structs import replace

from celeriac.app.arguments import Parameters, arguments_from
from celeriac.app.context import Context, current_context
from celeriac.app.home import Home
from celeriac.app.options import NO_OPTIONS, FurtherKeywords, OptionKeywords, options_from
from celeriac.app.plan import Call, Recipe
from celeriac.app.producer import Producer
from celeriac.app.recipes import delivery_mode_from, recipe_from
from celeriac.app.result import AsyncResult, sent
from celeriac.app.retrying import RetryRules, Wish, plan_retry
from celeriac.app.signature import Signature
from celeriac.core.errors import MaxRetriesExceededError, OperationalError, Retry

P = ParamSpec("P")
R = TypeVar("R")
V = TypeVar("V")
Coro = Coroutine[Any, Any, V]
"""What calling an ``async def`` task returns; its result is the ``V``: the first of each pair of overloads below."""


class FromSettings:
    """A task attribute that, unless the task sets it, is what the settings say at the moment."""

    def __init__(self, field: str) -> None:
        self._field = field

    def __get__(self, task: Task[..., Any] | None, owner: type[Any]) -> Any:
        # Asked of a class there is no app, so nothing is said yet: Celery's answer.
        return None if task is None else getattr(task.app.conf.settings().task, self._field)


class Task(Generic[P, R]):
    """One task of one app. ``@app.task`` makes it; a subclass may be its ``base``."""

    name: str = ""
    """Registered name."""
    bind: bool = False
    """``run`` is handed the task itself first."""
    typing: bool = True
    """Check arguments against the function's signature when the task is called."""
    max_retries: int | None = 3
    """``None``: any number."""
    default_retry_delay: float = 180
    """Seconds before a retry that names no time."""
    autoretry_for: tuple[type[BaseException], ...] = ()
    dont_autoretry_for: tuple[type[BaseException], ...] = ()
    retry_kwargs: Mapping[str, Any] = {}
    retry_backoff: bool | float = False
    """``True`` or a factor: wait 1, 2, 4, ... times so many seconds."""
    retry_backoff_max: float = 600
    """Seconds at most."""
    retry_jitter: bool = True
    throws: tuple[type[BaseException], ...] = ()
    """Exceptions that are no error in the log."""
    serializer: str = FromSettings("serializer")  # type: ignore[assignment]  # here and below: its type for readers
    compression: str | None = FromSettings("compression")  # type: ignore[assignment]
    ignore_result: bool = FromSettings("ignore_result")  # type: ignore[assignment]
    store_errors_even_if_ignored: bool = FromSettings("store_errors_even_if_ignored")  # type: ignore[assignment]
    track_started: bool = FromSettings("track_started")  # type: ignore[assignment]
    acks_late: bool = FromSettings("acks_late")  # type: ignore[assignment]
    acks_on_failure_or_timeout: bool = FromSettings("acks_on_failure_or_timeout")  # type: ignore[assignment]
    acks_on_failure: bool | None = FromSettings("acks_on_failure")  # type: ignore[assignment]
    acks_on_timeout: bool | None = FromSettings("acks_on_timeout")  # type: ignore[assignment]
    reject_on_worker_lost: bool | None = FromSettings("reject_on_worker_lost")  # type: ignore[assignment]
    time_limit: float | None = FromSettings("time_limit")  # type: ignore[assignment]
    soft_time_limit: float | None = FromSettings("soft_time_limit")  # type: ignore[assignment]
    priority: int | None = FromSettings("default_priority")  # type: ignore[assignment]
    delivery_mode: int | str = FromSettings("default_delivery_mode")  # type: ignore[assignment]
    expires: Any = None
    """Seconds, or a date, after which a call is not started."""
    queue: Any = None
    """Where calls go unless the caller says otherwise; ``None``: as ``task_routes`` says."""
    exchange: Any = None
    routing_key: str | None = None

    MaxRetriesExceededError: ClassVar[type[Exception]] = MaxRetriesExceededError
    OperationalError: ClassVar[type[Exception]] = OperationalError

    app: Home
    """The app that it belongs to."""
    __wrapped__: Callable[P, R]
    _parameters: Parameters
    _recipe: Recipe
    _producer: Producer
    _revision: int = -1
    """Revision of the settings that ``_recipe`` and ``_producer`` were made for."""

    def attach(self, app: Home, function: Callable[..., Any] | None = None) -> None:
        """Make this the task of ``app``; ``function`` is what it runs, unless its class has a ``run`` of its own."""
        self.app = app
        if function is not None:
            self.__wrapped__ = function
            self.__doc__, self.__module__ = function.__doc__, function.__module__
            self.__name__ = getattr(function, "__name__", self.name)
            self.__qualname__ = getattr(function, "__qualname__", self.name)
            self.run = function.__get__(self) if self.bind else function  # type: ignore[method-assign]
        self._parameters = Parameters(function or self.run, bound=function is not None and self.bind)

    def run(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do the work. ``@app.task`` puts the function here; a class-based task defines it."""
        raise NotImplementedError(f"task {self.name} has no run()")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, here and now."""
        return self.run(*args, **kwargs)

    def recipe(self) -> Recipe:
        """Return what holds for every call; computed again when a setting has changed."""
        if self._revision != self.app.conf.revision:
            self._resolve()
        return self._recipe

    def _resolve(self) -> None:
        revision = self.app.conf.revision
        self._recipe, self._producer = self._make_recipe(), self.app.producer
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
        )

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
        if self.typing and (kwargs or len(args) not in self._parameters.fits):
            self._parameters.check(args, kwargs)
        if self._revision != self.app.conf.revision:
            self._resolve()
        return sent(self.app, self._producer.submit(Call(self._recipe, args, kwargs)))

    @overload
    def apply_async(
        self: Task[P, Coro[V]],
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[OptionKeywords],
    ) -> AsyncResult[V]: ...
    @overload
    def apply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> AsyncResult[R]: ...

    def apply_async(
        self, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Unpack[OptionKeywords]
    ) -> Any:
        """Send the task to run with these arguments, with options. Twin: ``aapply_async``.

        Args:
            args: Positional arguments.
            kwargs: Keyword arguments.
            options: Explained at ``CallOptions``: ``countdown``, ``eta``, ``expires``, ``queue``, ``priority``, ...

        Raises:
            TypeError: the function does not take these arguments, or there is no such option.
            ValueError: an option's value cannot be.
            OperationalError, EncodeError: as ``delay``.
        """
        call = self._call(args, kwargs, options)
        return sent(self.app, self.app.producer.submit(call), remember=call.options.add_to_parent)

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
        return sent(self.app, await self.app.producer.asubmit(call), remember=call.options.add_to_parent)

    def _call(self, args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None, options: OptionKeywords) -> Call:
        args, kwargs = arguments_from(args, kwargs)
        if self.typing and (kwargs or len(args) not in self._parameters.fits):
            self._parameters.check(args, kwargs)
        return Call(self.recipe(), args, kwargs, options_from(options) if options else NO_OPTIONS)

    @overload
    def s(self: Task[P, Coro[V]], *args: Any, **kwargs: Any) -> Signature[V]: ...
    @overload
    def s(self, *args: Any, **kwargs: Any) -> Signature[R]: ...

    def s(self, *args: Any, **kwargs: Any) -> Any:
        """Return a Signature with these arguments."""
        return Signature(self.name, args, kwargs, app=self.app)

    @overload
    def si(self: Task[P, Coro[V]], *args: Any, **kwargs: Any) -> Signature[V]: ...
    @overload
    def si(self, *args: Any, **kwargs: Any) -> Signature[R]: ...

    def si(self, *args: Any, **kwargs: Any) -> Any:
        """Return an immutable Signature with these arguments."""
        return Signature(self.name, args, kwargs, immutable=True, app=self.app)

    def signature(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        immutable: bool = False,
        **options: Unpack[OptionKeywords],
    ) -> Signature[R]:
        """Return a Signature with these arguments and options."""
        options_from(options)
        return Signature(self.name, args, kwargs, options, immutable=immutable, app=self.app)

    subtask = signature

    def AsyncResult(self, id: str) -> AsyncResult[R]:  # noqa: N802 - Celery's name
        """Return the result of a call of this task by its id."""
        return AsyncResult(id, task_name=self.name, app=self.app)

    @property
    def request(self) -> Context:
        """The call that runs here; an empty one when the task was called as a function."""
        context = current_context()
        return Context() if context is None else context

    def retry(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        exc: BaseException | None = None,
        throw: bool = True,
        eta: datetime | str | None = None,
        countdown: float | None = None,
        max_retries: int | None = None,
        **options: Unpack[FurtherKeywords],
    ) -> Retry:
        """Run again later, under the same id. Write ``raise self.retry(...)``: nothing after it runs.

        Args:
            args: Other positional arguments; ``None``: the same.
            kwargs: Other keyword arguments; ``None``: the same.
            exc: Why; is raised when there are no retries left.
            throw: Raise Retry. Otherwise the retry is sent at once and returned, and the run goes on.
            eta: When.
            countdown: After how many seconds; by default ``default_retry_delay``.
            max_retries: Another limit for this time; ``None``: the task's.
            options: Of ``apply_async``.

        Raises:
            Retry: always, unless ``throw`` is false.
            MaxRetriesExceededError: there are no retries left, and no ``exc`` was given.
        """
        context = self.request
        if context.called_directly:
            _raise_directly(exc)
        wish = Wish(
            args=args,
            kwargs=kwargs,
            exc=exc,
            eta=eta,
            countdown=self.default_retry_delay if eta is None and countdown is None else countdown,
            limit=self.max_retries if max_retries is None else max_retries,
            options=options_from(options),
        )
        retry = plan_retry(context, wish, self._parameters, self.app.producer.here)
        if throw:
            raise retry
        self.app.producer.submit_again(context, retry)
        return retry

    def retry_by_rule(self, context: Context, error: BaseException) -> None:
        """Raise Retry if ``autoretry_for`` says so of a run that ended with ``error``; otherwise return.

        Raises:
            Retry: it is to run again.
            Exception: what the caller is to see, when there are no retries left.
        """
        rules = self._rules()
        if context.called_directly or not rules.holds_for(error):
            return
        wanted: dict[str, Any] = dict(rules.kwargs)
        delay = rules.delay_s(context.retries, self.app.runtime.random())
        if delay is not None:
            wanted["countdown"] = delay
        elif "countdown" not in wanted and "eta" not in wanted:
            wanted["countdown"] = self.default_retry_delay
        wish = Wish(
            args=wanted.pop("args", None),
            kwargs=wanted.pop("kwargs", None),
            exc=error,
            eta=wanted.pop("eta", None),
            countdown=wanted.pop("countdown", None),
            limit=wanted.pop("max_retries", self.max_retries),
            options=options_from(wanted),
        )
        raise plan_retry(context, wish, self._parameters, self.app.producer.here)

    def _rules(self) -> RetryRules:
        return RetryRules(
            classes=tuple(self.autoretry_for),
            excluded=tuple(self.dont_autoretry_for),
            kwargs=self.retry_kwargs,
            backoff=self.retry_backoff,
            backoff_max_s=self.retry_backoff_max,
            jitter=self.retry_jitter,
        )

    def update_state(self, task_id: str | None = None, state: str | None = None, meta: Any = None) -> None:
        """Store a state of one's own, such as ``PROGRESS``, for whoever looks or waits.

        Args:
            task_id: ``None``: the call that runs here.
            state: Its name.
            meta: What ``result.info`` is to be.
        """
        context = self.request
        id = task_id or context.id
        if id is None:
            return  # called as a function: there is nobody to tell
        if state is None:
            raise ValueError("update_state needs a state, such as state='PROGRESS'")
        self.app.results.store_state(id, state, meta, context.message if id == context.id else None)

    def __repr__(self) -> str:
        return f"<@task: {self.name}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"task {self.name} cannot be pickled: send its name, or a signature")


def _raise_directly(exc: BaseException | None) -> NoReturn:
    """Called as a function there is no message to send again: the caller sees the error itself."""
    current = sys.exc_info()[1]
    if exc is not None and current is not None and exc is not current:
        raise exc from current
    raise exc or current or Retry("Task can be retried")
