"""Notice: what is said to whoever listens just now, as opposed to a message, which waits for somebody.

Commands to running workers, their answers, and events travel as notices. Frozen data, and who listens to what; does not know:
what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

from celeriac.core.message import Parcel

EVERYTHING = ("#",)
"""The patterns of somebody who listens to all of an exchange."""


class Notice(Struct, frozen=True, gc=False):
    """A Parcel, and where it is said. Names are Celery's: wire documents of pidbox and of events."""

    exchange: str
    """Such as ``celery.pidbox``, ``celeryev``, ``reply.celery.pidbox``."""
    routing_key: str
    """``""`` where everybody hears everything; ``task.succeeded`` of an event; the key of a mailbox."""
    parcel: Parcel


def fits(patterns: Iterable[str], routing_key: str) -> bool:
    """Say whether a routing key fits one of these patterns of a topic exchange.

    >>> fits(["task.*"], "task.failed"), fits(["task.*"], "task.a.b"), fits(["task.#"], "task"), fits(["#"], "")
    (True, False, True, True)
    """
    words = f".{routing_key}" if routing_key else ""
    return any(_compiled(pattern).fullmatch(words) is not None for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Turn a pattern into a regular expression over words that have a dot before each."""
    parts: list[str] = []
    for word in pattern.split(".") if pattern else ():
        match word:
            case "#" if parts and parts[-1] == _ANY_NUMBER:
                continue  # twice any number is any number, and two of them in a row take long to fail
            case "#":
                parts.append(_ANY_NUMBER)
            case "*":
                parts.append(r"\.[^.]+")
            case literal:
                parts.append(rf"\.{re.escape(literal)}")
    return re.compile("".join(parts))


_ANY_NUMBER = r"(?:\.[^.]*)*"
