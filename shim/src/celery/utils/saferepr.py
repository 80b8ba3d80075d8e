"""A bounded repr of anything, under Celery's path."""

from typing import Any

from celeriac.core.representation import safe_repr


def saferepr(o: Any, maxlen: int | None = None, maxlevels: int = 3, seen: set[int] | None = None) -> str:
    """Return ``o`` as text; ``None``: however long it is. ``seen`` is not needed: what contains itself is noticed."""
    del seen
    return safe_repr(o, 2**63 if maxlen is None else maxlen, maxlevels)
