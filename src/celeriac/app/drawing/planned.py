"""Draw a signature: what a workflow will do when it is sent.

In a job's life: before it. The normal form is drawn, so that one sees what is really run: chains in chains are flat, and a group
that is followed by something is a chord. Much is cut short: of a large group a few members, of a deep one the upper levels.
Pure. Does not know: apps, tasks; how a call is shown is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from celeriac.app.drawing.figure import Figure, Role
from celeriac.app.flows.normal import chained
from celeriac.app.flows.stored import Stored, kind_of, members_of, ungrouped
from celeriac.app.flows.vetting import vet
from celeriac.core.representation import safe_repr

MEMBERS: Final = 10
"""Members of a group that are drawn."""
STEPS: Final = 50
"""Steps of a chain that are drawn."""
DEPTH: Final = 20
"""Levels that are drawn."""
MOST: Final = 2000
"""Tasks that are drawn in all."""
_LONGEST: Final = 60
"""Characters of arguments."""
_MAPS: Final = {"celery.map": "map", "celery.starmap": "starmap", "celery.chunks": "chunks"}

Shown = Callable[[Stored], str]
"""Says how a call is written."""


def shown(call: Stored) -> str:
    """Return a single task as a call: ``add(2, 2)``. ``argsrepr`` and ``kwargsrepr`` stand for what is not to be seen."""
    name, kwargs, options = str(call["task"]), call.get("kwargs") or {}, call.get("options") or {}
    if name in _MAPS and isinstance(kwargs.get("task"), Mapping) and isinstance(kwargs.get("it"), Sequence):
        each = f", {kwargs['n']}" if "n" in kwargs else ""
        return f"{kwargs['task'].get('task')}.{_MAPS[name]}({len(kwargs['it'])} items{each})"
    args: Any = options.get("argsrepr") or _inside(safe_repr(tuple(call.get("args") or ()), _LONGEST))
    parts = [str(args)]
    if options.get("kwargsrepr"):
        parts.append(f"**{options['kwargsrepr']}")
    else:
        parts += [f"{key}={safe_repr(value, _LONGEST)}" for key, value in islice(kwargs.items(), MEMBERS)]
        parts += ["..."] if len(kwargs) > MEMBERS else []
    return f"{name}({', '.join(filter(None, parts))})"


def _inside(text: str) -> str:
    return text[1:-1].removesuffix(",") if text.startswith("(") and text.endswith(")") else text


def planned(signature: Stored, *, shown: Shown = shown, members: int = MEMBERS, depth: int = DEPTH) -> Figure:
    """Return the figure of a signature.

    Args:
        signature: Of any kind.
        shown: Writes a single call.
        members: Draw so many members of each group.
        depth: Draw so many levels.

    Raises:
        WorkflowTooDeep: it could not be sent either.
    """
    vet(signature, links=False)  # links in a circle are drawn until it is enough
    return _Pencil(shown, members, depth).draw(chained([signature]), 0)


class _Pencil:
    def __init__(self, shown: Shown, members: int, depth: int) -> None:
        self._shown, self._members, self._depth = shown, members, depth
        self._left = MOST

    def draw(self, signature: Stored, level: int) -> Figure:
        if level > self._depth:
            return Figure("more", "... deeper")
        if self._left <= 0:
            return Figure("more", "... and more")
        kind = kind_of(signature)
        if kind is None:
            return self._task(signature, level)
        if kind == "group":
            return self._group("group", signature, level)
        steps = list(islice(self._steps(signature, level), MOST))
        match steps:
            case []:
                return Figure("more", "nothing")
            case [(_, only)]:
                return only
        links = self._links(signature, level) if kind == "chain" else ()
        return Figure(
            "chain", f"chain of {sum(count for count, _ in steps):,}", inner=tuple(one for _, one in steps), linked=links
        )

    def _steps(self, signature: Stored, level: int) -> Iterator[tuple[int, Figure]]:
        """Yield what comes one after the other, with how many steps it stands for; a chord is its header and its body."""
        match kind_of(signature):
            case "chain":
                steps = members_of(signature)
                hidden = max(0, len(steps) - STEPS)
                for step in steps[: len(steps) - hidden - 1]:
                    yield from self._steps(step, level)
                if hidden:
                    yield hidden, _more(hidden)
                for step in steps[-1:]:
                    yield from self._steps(step, level)
            case "chord":
                yield 1, self._group("chord", signature, level + 1)
                body = signature["kwargs"].get("body")
                yield from [(1, Figure("more", "no body yet"))] if body is None else self._steps(chained([body]), level)
            case _:
                yield 1, self.draw(signature, level + 1)

    def _task(self, call: Stored, level: int) -> Figure:
        self._left -= 1  # links may lead in a circle: it ends here
        return Figure("task", self._shown(call), _id(call), linked=self._links(call, level))

    def _links(self, signature: Stored, level: int) -> tuple[tuple[Role, Figure], ...]:
        options = signature.get("options") or {}
        found: list[tuple[Role, Figure]] = []
        roles: tuple[tuple[str, Role], ...] = (("link", "link"), ("link_error", "error"))
        for name, role in roles:
            given = options.get(name) or ()
            links = [one for one in ([given] if isinstance(given, Mapping) else given) if isinstance(one, Mapping)]
            found.extend((role, self.draw(one, level + 1)) for one in links)
        return tuple(found)

    def _group(self, what: str, signature: Stored, level: int) -> Figure:
        members = list(ungrouped(members_of(signature)))
        drawn = [self.draw(chained([one]), level + 1) for one in self._some(members)] if members else []
        if len(members) > len(drawn):
            drawn.append(_more(len(members) - len(drawn)))
        linked = self._links(signature, level)
        return Figure("group", f"{what} of {len(members):,}", _id(signature), inner=tuple(drawn), linked=linked)

    def _some(self, members: Sequence[Stored]) -> Sequence[Stored]:
        # One more than allowed is drawn rather than "1 more".
        most = len(members) if len(members) <= self._members + 1 else self._members
        return members[: max(1, min(most, self._left))]


def _more(count: int) -> Figure:
    return Figure("more", f"... {count:,} more")


def _id(signature: Stored) -> str | None:
    id = (signature.get("options") or {}).get("task_id")
    return id if isinstance(id, str) else None
