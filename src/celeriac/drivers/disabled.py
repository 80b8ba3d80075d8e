"""The result backend of an app that has none: what is stored is dropped, asking is an error.

In a job's life: beside a broker whose app configured no result backend, so that ``get()`` says so at once instead of waiting
for what cannot come. Source: Celery's disabled backend.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.settlement import StoredResult


class NoResults:
    """A ``ResultBackend`` that keeps nothing."""

    def store_results(self, results: Sequence[StoredResult]) -> None:
        """Drop them."""

    def load(self, ids: Sequence[str]) -> Sequence[bytes | None]:  # noqa: ARG002
        """Raise: there is nowhere to look."""
        raise no_result_backend()

    def forget(self, ids: Sequence[str]) -> None:  # noqa: ARG002
        """Raise: there is nothing to forget."""
        raise no_result_backend()

    def watch(self, ids: Sequence[str], notify: Callable[[str, bytes], None]) -> None:  # noqa: ARG002
        """Raise: nothing will ever be announced."""
        raise no_result_backend()

    def unwatch(self, ids: Sequence[str]) -> None:
        """Nothing is watched."""

    def close(self) -> None:
        """Nothing is open."""

    def abandon(self) -> None:
        """Nothing is open."""


def no_result_backend() -> ImproperlyConfigured:
    """Return the error that tells the user what to set."""
    return ImproperlyConfigured(
        "no result backend is configured, so this result can never come: give the app backend=..., "
        "such as Celery('name', broker='redis://', backend='redis://')"
    )
