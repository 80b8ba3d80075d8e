"""What of revoking needs to speak with running workers, which this version cannot do yet.

In a job's life: beside it. To revoke a task that has not begun needs the store alone. Does not know: how results are read.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, NoReturn, overload

from celeriac.app.home import Home
from celeriac.core.errors import ImproperlyConfigured

log = logging.getLogger("celeriac.results")

REMEMBERED: Final = 50_000
"""Revoked tasks that every store remembers, the newest."""


@overload
def refuse_control(call: str) -> NoReturn: ...
@overload
def refuse_control(call: str, *, terminate: bool, wait: bool) -> None: ...


def refuse_control(call: str, *, terminate: bool | None = None, wait: bool | None = None) -> None:
    """Raise if what was asked for needs remote control; ``call`` alone always does.

    Raises:
        ImproperlyConfigured: it does.
    """
    if terminate is None and wait is None:
        raise ImproperlyConfigured(f"{call}() needs remote control, which this version does not have yet")
    for name, wanted in (("terminate", terminate), ("wait", wait)):
        if wanted:
            raise ImproperlyConfigured(f"{call}({name}=True) needs remote control, which this version does not have yet")


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
        """See to it that the task does not start. One that runs already goes on.

        Args:
            connection: Without effect: the app's own is used.
            terminate: Also end it when it runs: not in this version.
            signal: With ``terminate``.
            wait: Wait for the workers' answers: not in this version; the store has it when this returns.
            timeout: With ``wait``.

        Raises:
            ImproperlyConfigured: ``terminate`` or ``wait`` was asked for.
        """
        del connection, timeout
        refuse_control("revoke", terminate=terminate or signal is not None, wait=wait)
        self.app.results.revoke([self.id])

    def revoke_by_stamped_headers(
        self,
        headers: Mapping[str, Any],
        connection: Any = None,
        terminate: bool = False,
        signal: str | None = None,
        wait: bool = False,
        timeout: float | None = None,
    ) -> NoReturn:
        """Revoke all tasks with these stamps: not in this version.

        Raises:
            ImproperlyConfigured: always. ``revoke()`` of the results themselves works.
        """
        del headers, connection, terminate, signal, wait, timeout
        refuse_control("revoke_by_stamped_headers")
