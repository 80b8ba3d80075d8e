"""Open what a message only refers to: the rest of its chain, the body of its chord.

In a job's life: admission -> here -> the run, and once more when the last part of a chord is in. Messages of long workflows carry
references in the place of what comes later (``app/flows/keeping.py``); here the store is asked for it, before anything is run
for it, so that settlement decides without asking anybody. Does not know: what becomes of a delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from celeriac.abc import ResultBackend
from celeriac.app.blocks import find
from celeriac.app.flows.keeping import stand_in
from celeriac.app.flows.stored import KEPT, Stored, is_kept, kind_of, members_of
from celeriac.core.errors import ContentDisallowed, DecodeError
from celeriac.core.message import Message, Rejected
from celeriac.core.settlement import StoredResult


class Whole(Struct, frozen=True):
    """A message without references in what comes next."""

    message: Message
    spent: StoredResult | None = None
    """To be stored with its end: what was read is not needed much longer."""
    lost: Rejected | None = None
    """Why what comes next cannot be had. In the message something else stands for it, which can fail under its id."""


class Opened(Struct, frozen=True):
    """What a reference stands for, or what needed none."""

    content: Stored
    spent: StoredResult | None = None
    lost: Rejected | None = None
    """Why it cannot be had. Then something stands for it which can fail under its id."""


class Rests:
    """Opens references for one child or node."""

    def __init__(self, backend: ResultBackend, *, accept: frozenset[str], ttl_s: float | None) -> None:
        """``accept``: content types that may be read. ``ttl_s``: how long results are kept."""
        self._backend, self._accept, self._ttl_s = backend, accept, ttl_s

    def of(self, message: Message) -> Whole:
        """Return ``message`` with the next step of its chain.

        Raises:
            OperationalError: the store did not answer.
        """
        if message.task == KEPT:
            return self._called(message)
        chain = message.chain
        if chain and len(chain) == 1 and is_kept(chain[0]):
            return self._chained(message, chain[0], ())
        return Whole(message)

    def body(self, body: Stored) -> Opened:
        """Return the body that a message of a chord's member carries, or refers to.

        Raises:
            OperationalError: the store did not answer.
        """
        return self._find(body) if is_kept(body) else Opened(body)

    def _called(self, message: Message) -> Whole:
        """A reference was sent as the call that it is, by a Celery worker: it goes on with what the reference stands for."""
        options: dict[str, Any] = {"task_id": message.id}
        if message.group is not None:
            options["group_id"] = message.group
        if message.group_index is not None:
            options |= {"group_index": message.group_index, "chord": message.chord}
        reference = {"task": KEPT, "args": (), "kwargs": message.kwargs, "options": options}
        return self._chained(replace(message, chord=None, group=None, group_index=None), reference, message.chain or ())

    def _chained(self, message: Message, reference: Stored, then: Sequence[Stored]) -> Whole:
        found = self._find(reference)
        return Whole(replace(message, chain=[*then, *_reversed(found.content)]), found.spent, found.lost)

    def _find(self, reference: Stored) -> Opened:
        try:
            found = find(self._backend, reference, accept=self._accept, ttl_s=self._ttl_s)
        except LookupError as problem:
            why = str(problem.args[0])
        except (DecodeError, ContentDisallowed) as problem:
            why = f"a part of this workflow that was kept cannot be read: {problem}"[:500]
        else:
            return Opened(found.content, found.spent)
        return Opened(stand_in(reference), lost=Rejected("workflow-lost", why))


def _reversed(content: Stored) -> list[Stored]:
    """Return steps as messages carry them: the next one last."""
    return list(reversed(members_of(content))) if kind_of(content) == "chain" else [content]
