"""The tree of a result, in a terminal: what it set off and what it came from.

In a job's life: after it, or while it runs. Does not know: how a trail is followed.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from celeriac.app.app import Celery
from celeriac.app.drawing.figure import Figure
from celeriac.app.drawing.formats import below, headline
from celeriac.app.drawing.happened import happened
from celeriac.app.drawing.tracing import Trail, trace
from celeriac.cli.output import print_json

_STYLES: Final = {"SUCCESS": "green", "FAILURE": "bold red", "REVOKED": "magenta", "RETRY": "yellow", "STARTED": "blue"}
_WIDEST: Final = 100_000
_AROUND: Final = 5
"""Saved groups around a task that are looked for."""


def trail_of(app: Celery, id: str) -> Trail:
    """Return what is known of the task ``id``, or of the group that was saved under it."""
    stored = (app.GroupResult.restore(id) or app.AsyncResult(id)).as_tuple()
    saved: dict[str, Any] = {}
    trail = trace(stored, app.results.metas)
    while len(saved) < _AROUND:
        group = around(trail)
        found = None if group is None or group in saved else app.GroupResult.restore(group)
        if group is None or found is None:
            break
        saved[group] = found.as_tuple()
        trail = trace(stored, app.results.metas, saved=list(saved.values()))
    return trail


def around(trail: Trail) -> str | None:
    """Return the group that what came first belongs to, if it may have been saved and nobody has led to it."""
    *_, top = trail.line(trail.asked)
    group = trail.metas[top].group_id if top in trail.metas else None
    return None if group in trail.members else group


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
