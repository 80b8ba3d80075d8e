"""Which arguments of a task are secrets, and how its calls are shown without them.

In a job's life: the plan of a call writes ``argsrepr`` and ``kwargsrepr`` from what this module leaves of the arguments. Which
they are is read from the annotations, once for each task. A secret is kept from what people read; the message itself carries
it, or the task could not run. Does not know: messages, where the text is shown.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Annotated, Any, Final, Self, TypeVar, get_args, get_origin, get_type_hints, is_typeddict

from msgspec import Struct

from celeriac.app.checking.annotations import RESULT, Unreadable, annotations_of
from celeriac.core.representation import HIDDEN

T = TypeVar("T")


class Hidden(Struct, frozen=True):
    """The mark inside ``Secret[...]``."""


Secret = Annotated[T, Hidden()]
"""``Secret[str]``: a text that is never shown in the ``repr`` of a call. To the function it is a plain ``str``.

Example:
    >>> @app.task
    ... def login(user: str, password: Secret[str]) -> bool: ...
    >>> login.delay("ann", "hunter2")  # argsrepr is "('ann', ***)"
"""
_PYDANTICS: Final = ("SecretStr", "SecretBytes", "Secret")
_POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Secrets(Struct, frozen=True):
    """The secret parameters of one function."""

    names: frozenset[str]
    positions: frozenset[int]
    rest_from: int | None
    """``*args`` is secret from this position on; ``None``: it is not."""
    others: frozenset[str] | None
    """``**kwargs`` is secret: every name but these; ``None``: it is not."""

    @classmethod
    def of(cls, function: Callable[..., Any], signature: inspect.Signature) -> Self | None:
        """Return the secrets among the parameters in ``signature``; ``None``: there are none."""
        said = annotations_of(function, signature)
        secret = {name for name, annotation in said.items() if name != RESULT and _is_secret(annotation)}
        if not secret:
            return None
        parameters = signature.parameters
        positional = [name for name, one in parameters.items() if one.kind in _POSITIONAL]
        rest = any(parameters[name].kind is inspect.Parameter.VAR_POSITIONAL for name in secret)
        others = any(parameters[name].kind is inspect.Parameter.VAR_KEYWORD for name in secret)
        return cls(
            names=frozenset(secret),
            positions=frozenset(index for index, name in enumerate(positional) if name in secret),
            rest_from=len(positional) if rest else None,
            others=frozenset(parameters) if others else None,
        )

    def shown(self, args: Sequence[Any], kwargs: Mapping[str, Any], mark: Any = HIDDEN) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments with ``mark`` in the place of each secret; its repr is ``***`` unless another one is given."""
        return (
            tuple(mark if self._hides(index) else value for index, value in enumerate(args)),
            {name: mark if self._hides_name(name) else value for name, value in kwargs.items()},
        )

    def _hides(self, index: int) -> bool:
        return index in self.positions or (self.rest_from is not None and index >= self.rest_from)

    def _hides_name(self, name: str) -> bool:
        return name in self.names or (self.others is not None and name not in self.others)


def _is_secret(annotation: Any) -> bool:
    if isinstance(annotation, Unreadable):
        return "Secret" in annotation.text  # it cannot be asked: rather hide too much
    return holds_secret(annotation)


def holds_secret(annotation: Any) -> bool:
    """Say whether a value of this type is a secret or may have one inside: in a list, in a field of a model."""
    try:
        return _holds_secret(annotation)
    except TypeError:  # not hashable, such as Annotated[int, []]
        return _looks_secret(annotation, frozenset())


@lru_cache(maxsize=1024)
def _holds_secret(annotation: Any) -> bool:
    return _looks_secret(annotation, frozenset())


def _looks_secret(annotation: Any, seen: frozenset[int]) -> bool:
    if id(annotation) in seen:  # a model that has itself for a field
        return False
    seen |= {id(annotation)}
    origin = get_origin(annotation)
    if origin is Annotated and any(isinstance(said, Hidden) for said in get_args(annotation)[1:]):
        return True
    value = getattr(annotation, "__value__", None)  # type X = ...
    inside = [*get_args(annotation), *_fields_of(origin or annotation), *([] if value is None else [value])]
    return _is_pydantics(origin or annotation) or any(_looks_secret(one, seen) for one in inside)


def _is_pydantics(kind: Any) -> bool:
    # Whoever annotates with pydantic's types has imported it; we need not.
    pydantic = sys.modules.get("pydantic")
    known = tuple(getattr(pydantic, name, Hidden) for name in _PYDANTICS) if pydantic is not None else ()
    return isinstance(kind, type) and issubclass(kind, known)


def _fields_of(kind: Any) -> list[Any]:
    """Return the types of the fields of a model, a dataclass or a TypedDict."""
    if not isinstance(kind, type):
        return []
    models = getattr(kind, "__pydantic_fields__", None)
    if isinstance(models, Mapping):
        # What stands in Annotated is kept apart from the type there.
        return [
            Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation for field in models.values()
        ]
    if not (is_dataclass(kind) or is_typeddict(kind)):
        return []
    try:
        return list(get_type_hints(kind, include_extras=True).values())
    except Exception:
        return [field.type for field in fields(kind)] if is_dataclass(kind) else []
