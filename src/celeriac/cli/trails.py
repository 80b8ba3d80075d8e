"""The tree of a result, in a terminal: what it set off and what it came from.

In a job's life: after it, or while it runs. Parents and children alone do not lead from the end of a workflow to all of it: who
sends one from the command line keeps its shape here, as a saved group with a name of its own. Does not know: how a trail is
followed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from celeriac.app.app import Celery
from celeriac.app.drawing.figure import Figure
from celeriac.app.drawing.formats import below, headline
from celeriac.app.drawing.happened import happened
from celeriac.app.drawing.tracing import Trail, trace, understood
from celeriac.app.flows.keeping import stood_for
from celeriac.app.flows.offspring import trimmed
from celeriac.app.result_set import ResultSet
from celeriac.app.results.backend_view import SAVED_LEVELS
from celeriac.cli.output import print_json
from celeriac.core.taskmeta import TaskMeta

_STYLES: Final = {"SUCCESS": "green", "FAILURE": "bold red", "REVOKED": "magenta", "RETRY": "yellow", "STARTED": "blue"}
_WIDEST: Final = 100_000
_AROUND: Final = 50
"""Saved groups around a task that are looked for."""
_SHAPE: Final = ".workflow"
"""After the id of what a workflow ends with: the name under which its shape is kept."""


def keep_shape(app: Celery, result: Any) -> None:
    """Save the groups of a workflow that was sent, each under its id, and the shape of all of it under the id of its end.

    Raises:
        ImproperlyConfigured: the app has no result backend.
    """
    nodes = list(_nodes(result))
    keeps = {node.id: trimmed(node.as_tuple(), SAVED_LEVELS) for node in nodes if _is_group(node)}
    if len(nodes) > 1:
        name = result.id + _SHAPE
        # Flat: parents in parents would be cut where a chain is long.
        keeps[name] = [[name, None], [_told(node) for node in nodes]]
    if keeps:
        app.results.keep_groups(keeps)


def _nodes(result: Any) -> Iterator[Any]:
    """Yield every task and group of a workflow of which this is the result."""
    found, left = set(), [result]
    while left:
        node = left.pop()
        if node.id not in found:
            found.add(node.id)
            yield node
            left += [*(node.results if _is_group(node) else ()), *([node.parent] if node.parent is not None else ())]


def _is_group(node: Any) -> bool:
    return isinstance(node, ResultSet)


def _told(node: Any) -> list[Any]:
    """Return a result in its stored form, with its parent and members by their ids alone."""
    before = None if node.parent is None else _named(node.parent)
    return [[node.id, before], [_named(member) for member in node.results] if _is_group(node) else None]


def _named(node: Any) -> list[Any]:
    return [[node.id, None], [] if _is_group(node) else None]


def trail_of(app: Celery, id: str) -> Trail:
    """Return what is known of the task ``id``, or of the group that was saved under it."""
    metas: dict[str, TaskMeta] = {}

    def load(ids: Sequence[str]) -> list[TaskMeta]:
        missing = [one for one in ids if one not in metas]
        metas.update(zip(missing, app.results.metas(missing), strict=True))
        return [metas[one] for one in ids]

    stored = (app.GroupResult.restore(id) or app.AsyncResult(id)).as_tuple()
    kept = understood(app.results.group(id + _SHAPE))
    saved: list[Any] = list(kept[1] or ()) if kept is not None else []
    looked: set[str] = set()
    trail = trace(stored, load, saved=saved)
    while (groups := [one for one in around(trail) if one not in looked]) and len(looked) < _AROUND:
        looked.update(groups)
        saved += [found.as_tuple() for found in map(app.GroupResult.restore, groups) if found is not None]
        trail = trace(stored, load, saved=saved)
    return trail


def around(trail: Trail) -> list[str]:
    """Return the groups whose members are not known, and that what was asked for, or what came before it, belongs to."""
    found: dict[str | None, None] = {}
    for id in trail.upward():
        meta = trail.metas.get(id)
        # The parent of a body has reported to its chord; it may lie in a group inside of the header.
        caller = None if meta is None or meta.parent_id is None else trail.metas.get(stood_for(meta.parent_id))
        found |= dict.fromkeys([id] if meta is None else [meta.group_id, None if caller is None else caller.group_id])
    return [id for id in found if id is not None and not trail.members.get(id)]


def print_trail(trail: Trail, *, json: bool, color: bool) -> None:
    """Print a tree, a line for each task; or everything as a list in JSON."""
    if json:
        print_json(list(trail.rows()))
        return
    # Late: rich takes longer to load than everything else that this command needs.
    from rich.console import Console
    from rich.tree import Tree

    # A line is a line for whoever reads from a pipe; a terminal wraps it.
    console = Console(no_color=not color, highlight=False, width=None if sys.stdout.isatty() else _WIDEST)
    figure = happened(trail)
    root = Tree(_line(figure))
    stack = [(root, figure)]
    while stack:
        tree, one = stack.pop()
        stack += [(tree.add(_line(inner, why)), inner) for why, inner in below(one)]
    console.print(root)


def _line(figure: Figure, why: str = "") -> Any:
    """Return the line of a figure, in the colour of its state; nothing in it is a command to rich."""
    from rich.text import Text

    text = Text(why + headline(figure))
    if figure.state in _STYLES:
        text.highlight_words([figure.state], _STYLES[figure.state])
    return text
