"""The validators of one task's arguments and result, made with pydantic from its annotations.

In a job's life: behind ``validation.py``, which loads this module when it is first needed. A value is read as pydantic reads
Python data, and failing that as it reads JSON: what has crossed the wire is a list where the annotation says tuple, and text
where it says date. Does not know: tasks, messages, where values come from.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Final, Unpack, get_args, get_origin

from msgspec import Struct
from pydantic import PlainSerializer, PydanticUserError, TypeAdapter, ValidationError, WrapSerializer
from pydantic.errors import PydanticSchemaGenerationError
from pydantic.fields import FieldInfo
from pydantic_core import to_json

from celeriac.app.checking.annotations import RESULT, Unreadable, annotations_of
from celeriac.app.checking.dumping import Dumping
from celeriac.core.errors import ImproperlyConfigured, InvalidArguments, InvalidResult
from celeriac.core.typedjson import is_plain

log = logging.getLogger("celeriac.app")

MOST_PROBLEMS: Final = 20
"""Told in one error."""
Problem = tuple[str, str]
"""Where, and what is wrong: ``("order.items[0].price", "Input should be a valid number")``."""
_IMPORT_IT: Final = "import what it names where the task is defined, not only for type checkers"
_BY_NAME: Final = {"mode": "json", "by_alias": False, "round_trip": True}
"""How models that travel are dumped. By the names of fields: an alias for reading need not be the one for writing."""


class Reading(Struct, frozen=True):
    """How values are read; the same for all of a task."""

    strict: bool
    context: dict[str, Any]

    def read(self, adapter: TypeAdapter[Any], value: Any) -> Any:
        """Return ``value`` as the adapter's type. Raises pydantic's ValidationError."""
        said: dict[str, Any] = {"context": self.context, "by_alias": True, "by_name": True}
        # Not strict is None, not False: models that are strict by themselves stay so.
        strict = True if self.strict else None
        try:
            return adapter.validate_python(value, strict=strict, **said)
        except ValidationError:
            if not is_plain(value):
                raise
        return adapter.validate_json(to_json(value), strict=strict, **said)


class Schema:
    """Validators of one function's parameters and result."""

    def __init__(
        self,
        function: Callable[..., Any],
        signature: inspect.Signature,
        *,
        task: str,
        strict: bool,
        context: dict[str, Any],
        dump_kwargs: dict[str, Any],
    ) -> None:
        """Read the annotations.

        Raises:
            ImproperlyConfigured: one of them names what is not there.
        """
        self._task, self._signature = task, signature
        self._reading, self._lenient = Reading(strict, context), Reading(False, context)
        self._sending = Dumping(reveal=True, context=context, options=_BY_NAME)
        self._returning = Dumping(reveal=False, context=context, options=dump_kwargs)
        said = annotations_of(function, signature)
        self._checks = {
            name: check
            for name, annotation in said.items()
            if name != RESULT and (check := _check_of(task, name, annotation, signature.parameters[name])) is not None
        }
        self._defaults = dict(_fields(signature))
        self._result = adapter_of(task, "what it returns", said[RESULT]) if RESULT in said else None
        self._dump_result = self._result if _says_how_to_write(said.get(RESULT)) else None
        self._dump_kwargs = dump_kwargs

    def arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments as their annotations say."""
        return self._read(args, kwargs, self._reading)

    def plain_arguments(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], *, check: bool
    ) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """Return the arguments as plain data; with ``check``, only if the worker can read them."""
        plain_args, plain_kwargs = self._sending.plain(tuple(args)), self._sending.plain(dict(kwargs))
        if check:
            if not (is_plain(args) and is_plain(kwargs)):
                # A model of another class may have the right fields by chance: ask for the class before it is plain data.
                self._read(args, kwargs, self._lenient)
            self._read(plain_args, plain_kwargs, self._reading)
        return plain_args, plain_kwargs

    def plain(self, value: Any) -> Any:
        """Return ``value`` as plain data."""
        return self._sending.plain(value)

    def result(self, value: Any) -> Any:
        """Return what the function returned as plain data, if it is what the annotation says."""
        if self._result is not None:
            try:
                value = self._result.validate_python(
                    value, strict=self._reading.strict or None, context=self._reading.context, by_alias=True, by_name=True
                )
            except ValidationError as error:
                raise InvalidResult(self._task, _first(list(_problems(error, "result")))) from None
        if self._dump_result is not None:
            return self._dump_result.dump_python(value, **{"context": self._reading.context, **self._dump_kwargs})
        return self._returning.plain(value)

    def _read(self, args: Sequence[Any], kwargs: Mapping[str, Any], reading: Reading) -> tuple[tuple[Any, ...], dict[str, Any]]:
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError:
            return tuple(args), dict(kwargs)  # whoever calls the function with them is told, in Python's words
        problems: list[Problem] = []
        for name, value in bound.arguments.items():
            check = self._checks.get(name)
            if check is not None:
                bound.arguments[name] = check.read(value, reading, problems)
        for name, field in self._defaults.items():
            if name not in bound.arguments:
                if field.is_required():
                    problems.append((name, "Field required"))
                bound.arguments[name] = field.get_default(call_default_factory=True, validated_data={})
        if problems:
            # Not chained: pydantic's own text quotes the values, and this one is stored and logged.
            raise InvalidArguments(self._task, _first(problems)) from None
        return bound.args, bound.kwargs


class Check(Struct, frozen=True):
    """What is demanded of one parameter."""

    name: str
    kind: Any
    """Kind of the parameter; a keyword-only one may also stand for the whole of ``**kwargs``."""
    adapter: TypeAdapter[Any]

    def read(self, value: Any, reading: Reading, problems: list[Problem]) -> Any:
        """Return the value as the annotation says; add to ``problems`` what is wrong with it."""
        if self.kind is inspect.Parameter.VAR_POSITIONAL:
            return tuple(self._one(item, f"{self.name}[{index}]", reading, problems) for index, item in enumerate(value))
        if self.kind is inspect.Parameter.VAR_KEYWORD:
            return {name: self._one(item, name, reading, problems) for name, item in value.items()}
        return self._one(value, self.name, reading, problems)

    def _one(self, value: Any, place: str, reading: Reading, problems: list[Problem]) -> Any:
        try:
            return reading.read(self.adapter, value)
        except ValidationError as error:
            problems.extend(_problems(error, place))
            return value


def load(value: Any, annotation: Any) -> Any:
    """Return plain data as what ``annotation`` says."""
    try:
        return Reading(False, {}).read(_adapter_for(annotation), value)
    except ValidationError as error:
        raise InvalidResult("", _first(list(_problems(error, "result")))) from None
    except PydanticUserError as error:
        raise TypeError(f"model={annotation!r}: it is no type that pydantic can read values as") from error


def _adapter_for(annotation: Any) -> TypeAdapter[Any]:
    try:
        return _loader_of(annotation)
    except TypeError:  # what stands in an Annotated or a Literal need not be hashable
        return TypeAdapter(annotation)


@lru_cache(maxsize=256)
def _loader_of(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


def _check_of(task: str, name: str, annotation: Any, parameter: inspect.Parameter) -> Check | None:
    kind = parameter.kind
    if kind is inspect.Parameter.VAR_KEYWORD and get_origin(annotation) is Unpack:
        [annotation] = get_args(annotation)  # a TypedDict that describes all of them
        kind, name = inspect.Parameter.KEYWORD_ONLY, ""
    if isinstance(parameter.default, FieldInfo):
        annotation = Annotated[annotation, parameter.default]
    adapter = adapter_of(task, f"parameter {name or parameter.name}", annotation)
    return None if adapter is None else Check(name, kind, adapter)


def adapter_of(task: str, what: str, annotation: Any) -> TypeAdapter[Any] | None:
    """Return the validator for ``annotation``; ``None`` where pydantic has none, since anything is right there.

    Raises:
        ImproperlyConfigured: the annotation cannot be read here.
    """
    if isinstance(annotation, Unreadable):
        raise _unreadable(task, what, annotation.text, f"{annotation.why}; {_IMPORT_IT}")
    if annotation is Any:
        return None
    try:
        adapter = TypeAdapter(annotation)
        adapter.rebuild(raise_errors=True)
    except PydanticSchemaGenerationError:
        log.warning("task %s: %s is not validated: pydantic knows nothing of %r", task, what, annotation)
        return None
    except (PydanticUserError, NameError) as problem:
        raise _unreadable(task, what, repr(annotation), str(problem).partition("\n")[0]) from problem
    return adapter


def _unreadable(task: str, what: str, text: str, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"task {task}: the annotation {text} of {what} cannot be read: {why}")


def _says_how_to_write(annotation: Any) -> bool:
    """Say whether the annotation itself tells how the value is to be written."""
    return get_origin(annotation) is Annotated and any(
        isinstance(said, PlainSerializer | WrapSerializer) for said in get_args(annotation)[1:]
    )


def _fields(signature: inspect.Signature) -> Iterator[tuple[str, FieldInfo]]:
    """Give the defaults that are written as ``Field(...)``."""
    for name, parameter in signature.parameters.items():
        if isinstance(parameter.default, FieldInfo):
            yield name, parameter.default


def _first(problems: list[Problem]) -> list[Problem]:
    """Return as many as somebody reads: a list may hold a million wrong values, and the error is stored."""
    more = len(problems) - MOST_PROBLEMS
    return problems if more <= 0 else [*problems[:MOST_PROBLEMS], ("", f"and {more} more")]


def _problems(error: ValidationError, place: str) -> Iterator[Problem]:
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in found["loc"])
        yield (place + "".join(steps)).lstrip("."), found["msg"]
