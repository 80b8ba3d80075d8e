"""Revoking: see to it that the task of a result does not run, or runs no longer.

In a job's life: beside it. That a task is revoked is kept in the store, so one that has not begun will not; that one is to end
that runs is said to the nodes. Does not know: how results are read.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from celeriac.app.home import Home

log = logging.getLogger("celeriac.results")

REMEMBERED: Final = 50_000
"""Revoked tasks that every store remembers, the newest."""


def warn_of_many(count: int) -> None:
    """Say that not all of so many revoked tasks will be remembered."""
    if count > REMEMBERED:
        text = "%d tasks are revoked at once, and a store remembers %d: the first of them may run all the same, unless you purge"
        log.warning(f"{text} their queue", count, REMEMBERED)


class Revocable:
    """The part of a result that sees to it that its task does not run."""

    id: str
    app: Home

    def revoke(
        self,
        connection: Any = None,
        terminate: bool = False,
        signal: str | None = None,
        wait: bool = False,
        timeout: float | None = None,
    ) -> None:
        """See to it that the task does not start. One that runs already goes on, unless it is to be terminated.

        Args:
            connection: As of ``Control.broadcast``.
            terminate: Also end it when it runs.
            signal: With ``terminate``: the signal that ends it, such as ``"SIGKILL"``. ``None``: ``SIGTERM``.
            wait: Return when the nodes have answered, or the time is over; otherwise when the store has it and they were told.
            timeout: With ``wait``: seconds. ``None``: 1.
        """
        self.app.control.revoke(self.id, **_how(connection, terminate, signal, wait, timeout))

    def revoke_by_stamped_headers(
        self,
        headers: Mapping[str, Any],
        connection: Any = None,
        terminate: bool = False,
        signal: str | None = None,
        wait: bool = False,
        timeout: float | None = None,
    ) -> None:
        """See to it that no task with one of these stamps starts: header -> value, or several. The rest: as ``revoke``."""
        how = {"connection": connection, "terminate": terminate, "signal": signal, "wait": wait, "timeout": timeout}
        revoke_stamped(self.app, headers, how)


def revoke_all(app: Home, ids: list[str], options: Mapping[str, Any]) -> None:
    """Revoke many; ``options``: the arguments of ``Revocable.revoke``."""
    app.control.revoke(ids, **_how(**options))


def revoke_stamped(app: Home, headers: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Revoke the tasks with these stamps; ``options`` as above."""
    app.control.revoke_by_stamped_headers(headers, **_how(**options))


def _how(
    connection: Any = None,
    terminate: bool = False,
    signal: str | None = None,
    wait: bool = False,
    timeout: float | None = None,
) -> dict[str, Any]:
    """Return what ``Control`` calls these."""
    how: dict[str, Any] = {"connection": connection, "terminate": terminate, "reply": wait}
    if signal is not None:
        how["signal"] = signal
    if timeout is not None:
        how["timeout"] = timeout
    return how
