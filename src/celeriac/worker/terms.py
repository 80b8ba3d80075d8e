"""What a child settles by: the same for every delivery.

In a job's life: made when the child is put together. Does not know: how anything is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from celeriac.app.context import Context
from celeriac.core.message import Address, Message, Outgoing
from celeriac.core.settlement import Following


class Again(Protocol):
    """Encodes a message that was planned before: a retry, or one that waits for its date."""

    def __call__(self, message: Message, queue: str, address: Address | None = None, *, announce: bool = False) -> Outgoing:
        """``queue``: where it came from, and where it goes unless ``address`` says otherwise.

        ``announce``: tell the user's receivers that it is sent; only where the user's code runs.
        """


class Tell(Protocol):
    """Encodes what an errback hears."""

    def __call__(
        self,
        errback: Mapping[str, Any],
        request: Context,
        error: BaseException,
        text: str | None,
        announce: bool = False,
        dependency: str | None = None,
    ) -> Outgoing | None:
        """See ``errbacks.outgoing``. ``None``: it cannot be made."""


def _is_sent(_errback: Mapping[str, Any]) -> bool:
    """Every errback is sent."""
    return False


def _nowhere_else(_task: str) -> None:
    """Every result is where results are kept."""


class Terms(Struct, frozen=True, kw_only=True):
    """What a child settles by; the same for every delivery."""

    ttl_s: float | None
    """How long results are kept, seconds; ``None``: for ever."""
    chord_ttl_s: float | None
    """How long the parts of a chord are kept after the last one came, seconds; ``None``: for ever."""
    failure_ttl_s: float | None
    """How long failures are kept, seconds; ``None``: for ever."""
    serializer: str
    """Of results."""
    compression: str | None = None
    """Of results; ``None``: none."""
    extended: bool = False
    """Whether results tell of the call, too."""
    hostname: str
    """Name of the node."""
    stores_results: bool
    """``False``: there is no result backend."""
    again: Again
    follow: Callable[[Mapping[str, Any], Sequence[Any], Message], Following]
    """Unroll, plan, route and encode what comes next: its signature, the arguments that go first, the message of the task that it
    comes after."""
    tell: Tell | None = None
    """Plan, route and encode what an errback hears."""
    calls: Callable[[Mapping[str, Any]], bool] = _is_sent
    """Whether this errback is one that is called where the task ran, and not sent."""
    place_of: Callable[[str], Any] = _nowhere_else
    """What the task of this name has as its own result backend; ``None``: none."""
