"""The panel: which commands a node knows, by name. Ours, and those of users.

In a command's life: looked up when a node has heard it. In a program's life: filled by the decorators, at import. Does not
know: what a command does, who asks. Names and meanings: Celery's guide, "Writing your own remote control commands".
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])


class CommandInfo(NamedTuple):
    """What is known of a command beside its function."""

    alias: str | None
    """Another name for it."""
    type: str
    """``control``: it changes something. ``inspect``: it only looks."""
    visible: bool
    """Whether the command line lists it."""
    default_timeout: float
    """Seconds that the command line waits for answers."""
    help: str
    signature: str | None
    """Its arguments, for people."""
    args: Sequence[tuple[str, Callable[[str], Any]]] | None
    """Its arguments on the command line, in order, and what turns text into each."""
    variadic: str | None
    """The argument that takes all the further words of the command line."""


class Panel(UserDict[str, Callable[..., Any]]):
    """Commands by name. One for all nodes of a process."""

    data: ClassVar[dict[str, Callable[..., Any]]] = {}  # type: ignore[misc]
    """Name or alias -> function."""
    meta: ClassVar[dict[str, CommandInfo]] = {}
    """Name -> what else is known."""

    @classmethod
    def register(cls, *args: Any, **kwargs: Any) -> Any:
        """Register a function, or return a decorator that does: see ``control_command`` for the keywords."""
        return cls._register(**kwargs)(*args) if args else cls._register(**kwargs)

    @classmethod
    def _register(
        cls,
        name: str | None = None,
        alias: str | None = None,
        type: str = "control",
        visible: bool = True,
        default_timeout: float = 1.0,
        help: str | None = None,
        signature: str | None = None,
        args: Sequence[tuple[str, Callable[[str], Any]]] | None = None,
        variadic: str | None = None,
    ) -> Callable[[F], F]:
        def registered(fun: F) -> F:
            known_as = name or fun.__name__
            text = help or (fun.__doc__ or "").strip().split("\n")[0]
            cls.data[known_as] = fun
            cls.meta[known_as] = CommandInfo(alias, type, visible, default_timeout, text, signature, args, variadic)
            if alias:
                cls.data[alias] = fun
            return fun

        return registered


@overload
def control_command(fun: F, /) -> F: ...
@overload
def control_command(**options: Any) -> Callable[[F], F]: ...


def control_command(*args: Any, **options: Any) -> Any:
    """Make a function a command that changes something in a node.

    It is called in the node's supervisor, with a ``state`` (``app``, ``hostname``, ``consumer``) and the command's arguments by
    name. What it returns is the answer; what it raises is answered as ``{"error": ...}``.

    Args:
        args: The function, when used without parentheses.
        options: ``name``; ``alias``; ``visible`` on the command line; ``default_timeout`` there, seconds; ``help`` and
            ``signature`` for people; ``args``, pairs of argument and type for the command line; ``variadic``, the argument that
            takes the rest.

    Example:
        >>> @control_command(args=[("n", int)], signature="[N=1]")
        ... def prefetch_more(state, n=1):
        ...     return {"ok": f"{n} more"}
    """
    return Panel.register(*args, type="control", **options)


@overload
def inspect_command(fun: F, /) -> F: ...
@overload
def inspect_command(**options: Any) -> Callable[[F], F]: ...


def inspect_command(*args: Any, **options: Any) -> Any:
    """Make a function a command that only looks. As ``control_command``."""
    return Panel.register(*args, type="inspect", **options)


def ok(value: Any) -> dict[str, Any]:
    """Return the answer of a command that was carried out."""
    return {"ok": value}


def nok(value: Any) -> dict[str, Any]:
    """Return the answer of a command that was not."""
    return {"error": value}
