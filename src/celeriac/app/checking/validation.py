"""Arguments and results of tasks declared with ``pydantic=True``: models in the program, plain data on the wire.

In a job's life: at the call, arguments are checked and become plain data; in the worker, plain data becomes what the
annotations say, and what the function returns becomes plain data again. Both sides read the same annotations, once, at the
first use. pydantic is loaded then, and not before. Names and meanings: Celery's guide, "Tasks", section "Argument validation
with Pydantic"; beyond it, any annotation that pydantic understands is honoured. Does not know: tasks, messages.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Self

from celeriac.app.arguments import Parameters
from celeriac.core.errors import ImproperlyConfigured

if TYPE_CHECKING:
    from celeriac.app.checking.schema import Schema


class Validation:
    """What one task's annotations demand of its arguments and its result. Made at once, read at the first use."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        bound: bool = False,
        strict: bool = False,
        context: Mapping[str, Any] | None = None,
        dump_kwargs: Mapping[str, Any] | None = None,
        app: Any = None,
        name: str = "",
    ) -> None:
        """Remember what is to be read.

        Args:
            function: What the task runs.
            bound: Its first parameter is the task itself, which nobody checks.
            strict: ``pydantic_strict``: nothing is converted, but for what JSON has no form of its own for.
            context: ``pydantic_context``: for validators, beside ``celery_app`` and ``celery_task_name``.
            dump_kwargs: ``pydantic_dump_kwargs``: how a model that was returned is dumped.
            app: The app of the task.
            name: Of the task.
        """
        self._function, self._bound, self._name = function, bound, name
        self._strict, self._dump_kwargs = strict, {"mode": "json", **(dump_kwargs or {})}
        self._context = {**(context or {}), "celery_app": app, "celery_task_name": name}

    @classmethod
    def of(cls, function: Callable[..., Any], *, name: str = "", **said: Any) -> Self:
        """Return the Validation of a task that is being declared. Arguments are those of the constructor.

        Raises:
            ImproperlyConfigured: pydantic is not installed.
            TypeError: an option is no mapping.
        """
        for option in ("context", "dump_kwargs"):
            if not isinstance(said.get(option), Mapping | None):
                kind = type(said[option]).__name__
                raise TypeError(f"task {name}: pydantic_{option} is a mapping, not of type {kind}")
        if not _installed():
            raise ImproperlyConfigured(
                f"task {name}: pydantic=True needs an extra that is not installed: pip install 'celeriac[pydantic]'"
            )
        return cls(function, name=name, **said)

    @cached_property
    def _schema(self) -> Schema:
        from celeriac.app.checking.schema import Schema  # late: pydantic costs an importing program 100 ms, and is an extra

        return Schema(
            self._function,
            Parameters(self._function, bound=self._bound).signature,
            task=self._name,
            strict=self._strict,
            context=self._context,
            dump_kwargs=self._dump_kwargs,
        )

    def for_sending(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], *, check: bool = True
    ) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """Return these arguments as plain data, which the worker will make the same models of.

        Args:
            args: Positional arguments; models, plain data, or both.
            kwargs: Keyword arguments.
            check: Refuse what the worker would refuse.

        Raises:
            InvalidArguments: a value is not what its annotation says; the message names the place.
        """
        return self._schema.plain_arguments(args, kwargs, check=check)

    def plain(self, value: Any) -> Any:
        """Return ``value`` as plain data, unchecked: arguments that are not all there yet, and nothing at all."""
        return self._schema.plain(value)

    def for_running(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what the function is to be called with: each argument as its annotation says.

        Arguments that it does not take are returned as they are: calling it tells.

        Raises:
            InvalidArguments: a value is not what its annotation says; the message names the place.
        """
        return self._schema.arguments(args, kwargs)

    def result(self, value: Any) -> Any:
        """Return what the function returned as plain data.

        Raises:
            InvalidResult: it is not what the annotation says.
        """
        return self._schema.result(value)

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return what calls ``function`` here as a worker would: arguments read, what it returns (or awaits) plain data."""

        def called(*args: Any, **kwargs: Any) -> Any:
            found_args, found_kwargs = self.for_running(args, kwargs)
            value = function(*found_args, **found_kwargs)
            return self._awaited(value) if type(value) is CoroutineType else self.result(value)

        return called

    async def _awaited(self, value: Coroutine[Any, Any, Any]) -> Any:
        return self.result(await value)


def load(value: Any, annotation: Any) -> Any:
    """Return plain data, such as a stored result, as what ``annotation`` says: ``load({"id": 1}, Order)``.

    Raises:
        InvalidResult: it is something else.
        TypeError: ``annotation`` is nothing that pydantic can read values as.
        ImproperlyConfigured: pydantic is not installed.
    """
    if not _installed():
        raise ImproperlyConfigured("model= needs an extra that is not installed: pip install 'celeriac[pydantic]'")
    from celeriac.app.checking.schema import load as load_with_pydantic  # late: see above

    return load_with_pydantic(value, annotation)


def _installed() -> bool:
    try:
        return find_spec("pydantic") is not None
    except ValueError:  # somebody has forbidden to import it
        return False
