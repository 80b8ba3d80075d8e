"""Do these arguments fit that function? Asked at the call, so that a mistake surfaces on the line that made it.

In a job's life: the first step of ``delay``. ``inspect.Signature.bind`` would tell as well and costs ten times as much as all
else that a call does; here a call that fits is recognised by counting. Does not know: tasks, messages.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from celeriac.app.checking.annotations import signature_of
from celeriac.app.checking.secrets import Secrets

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def arguments_from(args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """Return the arguments that a program gave to ``apply_async`` or ``send_task``; ``None`` and empty ones are none.

    Raises:
        TypeError: a lone value or a text where a list of arguments belongs, or no mapping of names.
    """
    if args is not None and not isinstance(args, tuple | list):
        raise TypeError(f"args must be a list or tuple, not {args!r}")
    if kwargs is not None and not isinstance(kwargs, Mapping):
        raise TypeError(f"kwargs must be a mapping of names to values, not {kwargs!r}")
    return args or (), kwargs or {}


class Parameters:
    """What a function takes."""

    def __init__(self, function: Callable[..., Any], *, bound: bool) -> None:
        """Read the signature of ``function``; ``bound``: its first parameter is the task itself, not the caller's."""
        try:
            parameters = list(signature_of(function).parameters.values())
        except (TypeError, ValueError):  # written in C, without a signature: anything fits
            parameters = [
                inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
                inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
            ]
            bound = False
        if bound and parameters and parameters[0].kind in _POSITIONAL:
            parameters = parameters[1:]
        self.name: str = getattr(function, "__name__", repr(function))
        self._function = function
        self.signature: inspect.Signature = inspect.Signature(parameters)
        positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
        self.positional: tuple[str, ...] = tuple(parameter.name for parameter in positional)
        """Names of those that may be given by position."""
        self.fits: range = self._numbers(parameters, positional)
        """So many positional arguments, and nothing else, are right: asked before ``check``, which costs more."""

    @cached_property
    def secrets(self) -> Secrets | None:
        """Those that are not to be shown; ``None``: all may be. Read when asked: annotations may name what comes later."""
        return Secrets.of(self._function, self.signature)

    def _numbers(self, parameters: list[inspect.Parameter], positional: list[inspect.Parameter]) -> range:
        if any(one.kind is one.KEYWORD_ONLY and one.default is one.empty for one in parameters):
            return range(0)
        least = sum(one.default is one.empty for one in positional)
        any_number = any(one.kind is one.VAR_POSITIONAL for one in parameters)
        return range(least, sys.maxsize if any_number else len(positional) + 1)

    def check(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Raise the ``TypeError`` that calling the function would raise; return if there is none."""
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}() {self._worded(str(error), args)}") from None

    def _worded(self, text: str, args: Sequence[Any]) -> str:
        if text.startswith("too many positional"):
            return f"takes {len(self.positional)} positional arguments but {len(args)} were given"
        return text
