"""What a function's annotations say, as types.

In a program's life: at the first call or run of a task whose arguments are validated or hold secrets. Each annotation is
read by itself, since one that cannot be read here must not hide the others. Does not know: what is done with them.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from msgspec import Struct

RESULT: Final = "return"
"""The name under which the annotation of the result stands; no parameter can be called so."""


class Unreadable(Struct, frozen=True):
    """Stands for an annotation that cannot be turned into a type, such as a name that only type checkers import."""

    text: str
    why: str


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of ``function``, though an annotation may name what is not there.

    Raises:
        TypeError, ValueError: it has none: it is written in C.
    """
    if sys.version_info >= (3, 14):
        # From there on Python evaluates annotations when it is asked for them, which need not be possible.
        from annotationlib import Format

        return inspect.signature(function, annotation_format=Format.FORWARDREF)
    return inspect.signature(function)


def annotations_of(function: Callable[..., Any], signature: inspect.Signature) -> dict[str, Any]:
    """Return the annotations of the parameters in ``signature``, and of the result: name -> type, or Unreadable.

    What has no annotation is left out. ``Annotated`` and what it holds is kept.
    """
    said = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    try:
        said[RESULT] = signature_of(function).return_annotation
    except (TypeError, ValueError):  # written in C: nothing is said
        return {}
    said = {name: annotation for name, annotation in said.items() if annotation is not inspect.Signature.empty}
    if all(isinstance(annotation, type) for annotation in said.values()):
        return said
    names = _names_around(function)
    try:
        return _read(said, names)
    except Exception:  # an annotation is any expression
        return {name: _read_alone(annotation, names) for name, annotation in said.items()}


def _read(annotations: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    def said() -> None: ...

    said.__annotations__ = annotations
    return typing.get_type_hints(said, globalns=names, include_extras=True)


def _read_alone(annotation: Any, names: dict[str, Any]) -> Any:
    try:
        return _read({RESULT: annotation}, names)[RESULT]
    except Exception as problem:
        return Unreadable(str(annotation), f"{type(problem).__name__}: {problem}")


def _names_around(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the names that the text of an annotation may mean: of the function's module, and what it has enclosed."""
    while isinstance(function, partial):
        function = function.func
    if not hasattr(function, "__code__") and not hasattr(function, "__func__"):
        function = type(function).__call__  # an object that can be called
    function = inspect.unwrap(function)
    function = getattr(function, "__func__", function)
    names = dict(getattr(function, "__globals__", {}))
    free = getattr(getattr(function, "__code__", None), "co_freevars", ())
    for name, cell in zip(free, getattr(function, "__closure__", None) or (), strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return names
