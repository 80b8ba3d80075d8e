"""Look at a signature before anything is done with it: is it one, does it end, is it flat enough to be walked through?

In a job's life: before a signature is read, copied, frozen, stamped, run or sent. Whoever walks through one later calls itself
for what lies in it, and relies on this: nothing here does so, hence no signature meets Python's own limit, however deep, and
one that holds itself is told instead of followed for ever. What a program has made with our classes is looked at for its nesting;
a plain mapping may be a stranger's, and its types are looked at, too. Pure. Does not know: apps, tasks, what is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count, repeat
from typing import Any, Final

from celeriac.app.flows.stored import DEEPEST
from celeriac.core.embedded import fault_of_call
from celeriac.core.errors import WorkflowTooDeep
from celeriac.core.representation import safe_repr

_LINKS: Final = ("link", "link_error", "chain", "chord")
_MEMBERS: Final[Mapping[Any, tuple[str, ...]]] = {
    "chain": ("tasks",),
    "group": ("tasks",),
    "chord": ("header", "body"),
    "xmap": ("task",),
    "xstarmap": ("task",),
    "chunks": ("task",),
}
"""Where the members of a signature of each kind are, among its keyword arguments."""
_CALLS: Final = 1_000_000
_COPIES: Final = 100
"""What is linked in several places is sent in each of them. More calls than this, each so often on average, are no workflow that
anybody has meant: forty tasks, each linked twice to the next, are a million million calls."""


_Part = tuple[str, int | None, Any]
"""Where it lies in the signature that holds it, its place in a list there, and what lies there."""


class _Seen:
    """A signature on the way: where it lies, what is left to be looked at in it, what it comes to so far."""

    __slots__ = ("calls", "height", "parts", "signature", "where")

    def __init__(self, signature: Any, where: str, parts: Iterator[_Part]) -> None:
        self.signature, self.where, self.parts = signature, where, parts
        self.calls, self.height = 1, 0


def vet(signature: Any, *, links: bool = True) -> None:
    """Say what is wrong with a signature, if anything is.

    Args:
        signature: One of our classes, or a mapping that somebody else has written.
        links: Look at what is linked to it, and to everything in it, too.

    Raises:
        TypeError: it is none, or something in it is none; the text says where and why.
        WorkflowTooDeep: it holds itself, is nested in more than ``DEEPEST`` levels, or stands for more calls than can be meant.
    """
    if not _is_leaf(signature):
        _Walk(links).through(signature)


def is_too_deep(signature: Any) -> bool:
    """Say whether a signature cannot be walked through; what else may be wrong with it does not matter."""
    try:
        vet(signature)
    except WorkflowTooDeep:
        return True
    except TypeError:
        return False
    return False


class _Walk:
    """One walk through a signature, depth first: each part once, however many hold it."""

    def __init__(self, links: bool) -> None:
        self._links = links
        self._line: list[_Seen] = []
        """From the outside to where we are."""
        self._open: set[int] = set()
        """Ids of the objects in that line."""
        self._known: dict[int, tuple[int, int]] = {}
        """Heights and calls of those that were looked into, by the ids of the objects."""
        self._met = 1

    def through(self, signature: Any) -> None:
        self._enter(signature, "")
        while self._line:
            last = self._line[-1]
            if self._goes_deeper(last):
                continue
            self._line.pop()
            self._open.discard(id(last.signature))
            self._known[id(last.signature)] = last.height, last.calls
            if self._line:
                self._add(self._line[-1], last.height, last.calls)
            elif last.calls > _CALLS and last.calls > _COPIES * self._met:
                many = float(min(last.calls, 10**300))
                raise WorkflowTooDeep(
                    f"this workflow stands for {many:.1e} calls, since the same signatures are held by or linked to many others: "
                    "link each once, or let a task send what follows it"
                )

    def _goes_deeper(self, last: _Seen) -> bool:
        """Look at the parts of ``last`` until one of them is to be looked into; ``False``: none is left."""
        for where, place, part in last.parts:
            self._met += 1
            if _is_leaf(part):
                last.calls += 1
                if not last.height:
                    self._add(last, 0, 0)
            elif (known := self._known.get(id(part))) is not None:
                self._add(last, *known)
            else:
                shown = where if place is None else f"{where}[{place}]"
                if id(part) in self._open:
                    raise WorkflowTooDeep(self._circle(part, shown))
                self._enter(part, shown)
                return True
        return False

    def _add(self, holder: _Seen, height: int, calls: int) -> None:
        holder.calls += calls
        if height >= holder.height:
            holder.height = height + 1
            if len(self._line) + height > DEEPEST:
                raise _too_deep()

    def _enter(self, signature: Any, where: str) -> None:
        if len(self._line) > DEEPEST:
            raise _too_deep()
        if not _is_ours(signature) and (fault := fault_of_call(signature)) is not None:
            place = "".join(one.where for one in self._line) + where
            raise TypeError(f"a stored signature{place}{fault}: one names its task, as in {{'task': 'proj.add', 'args': [2, 2]}}")
        self._line.append(_Seen(signature, where, _parts(signature, links=self._links)))
        self._open.add(id(signature))

    def _circle(self, again: Any, where: str) -> str:
        first = next(place for place, one in enumerate(self._line) if one.signature is again)
        round_ = "".join(one.where for one in self._line[first + 1 :]) + where
        shown = round_ if len(round_) <= _SHOWN else f"{round_[:_SHOWN]}..."
        return (
            f"{again['task']} leads back to itself, by way of {shown}: a workflow must end; "
            "let a task send the next round, or put a copy there (clone())"
        )


_SHOWN: Final = 200


def _too_deep() -> WorkflowTooDeep:
    return WorkflowTooDeep(f"this workflow is nested more than {DEEPEST} levels deep: build it flat or in parts")


def _is_ours(signature: Any) -> bool:
    """Whether a program has made it with our classes."""
    return isinstance(signature, dict) and hasattr(type(signature), "subtask_type")


def _is_leaf(signature: Any) -> bool:
    """Whether it is one of ours, nothing is in it, and nothing is linked to it."""
    if not _is_ours(signature) or dict.get(signature, "subtask_type") is not None:
        return False
    options = dict.get(signature, "options")
    return not options or options.keys().isdisjoint(_LINKS)


def _parts(signature: Mapping[str, Any], *, links: bool) -> Iterator[_Part]:
    """Yield what is in it and what is linked to it, each with where it lies.

    Raises:
        TypeError: something has the wrong type.
    """
    # Asked as a dict: a group over a generator would make its members if it were asked in another way.
    get: Any = dict.get if isinstance(signature, dict) else type(signature).get
    kind, kwargs, options = get(signature, "subtask_type"), get(signature, "kwargs") or {}, get(signature, "options") or {}
    if not isinstance(options.get("stamped_headers") or (), list | tuple | set | frozenset):
        raise TypeError(f"stamped_headers={options['stamped_headers']!r} must be a list")
    if kind == "chord" and not isinstance(kwargs.get("kwargs") or {}, Mapping):
        raise TypeError(f"a stored chord has a mapping as its kwargs.kwargs, not {safe_repr(kwargs['kwargs'])}")
    if kind in _NEEDED and not isinstance(kwargs.get("it"), list | tuple):
        raise TypeError(
            f"a stored {kind} has a list of what to call with, 'it', among its kwargs, not {safe_repr(kwargs.get('it'))}"
        )
    for name in _MEMBERS.get(kind, ()):
        if (found := kwargs.get(name)) is None and kind in _NEEDED:
            raise TypeError(f"a stored {kind} has {name!r} among its kwargs, and this one has none")
        yield from _each(f".kwargs.{name}", found)
    if links:
        for name in _LINKS:
            if (found := options.get(name)) is not None:
                yield from _each(f".options.{name}", found)


_NEEDED: Final = frozenset({"xmap", "xstarmap", "chunks"})


def _each(where: str, found: Any) -> Iterator[_Part]:
    if isinstance(found, list | tuple):
        yield from zip(repeat(where), count(), found, strict=False)
    elif found is not None and (isinstance(found, Mapping) or not hasattr(found, "batches")):
        yield where, None, found  # members that are yet to be made are looked at when they are
