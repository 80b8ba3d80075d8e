"""The result backend of an app that has none: what is stored is dropped, asking is an error.

In a job's life: beside a broker whose app configured no result backend, so that ``get()`` says so at once instead of waiting
for what cannot come. Source: Celery's disabled backend.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from celeriac.core.errors import NoResultBackend
from celeriac.core.settlement import Join, Opening, StoredResult


class NoResults:
    """A ``JoiningBackend`` that keeps nothing."""

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

    def open_chords(self, openings: Sequence[Opening]) -> None:  # noqa: ARG002
        """Raise: nobody would bring its parts together."""
        raise no_result_backend()

    def parts(self, chord: str) -> Sequence[bytes] | None:  # noqa: ARG002
        """There are none."""
        return ()

    def join(self, join: Join, *, claimant: str) -> bool:  # noqa: ARG002
        """Drop the part: of a chord that somebody else has opened elsewhere."""
        return False

    def open_if_new(self, opening: Opening) -> None:  # noqa: ARG002
        """Raise: nobody would bring its parts together."""
        raise no_result_backend()

    def close_chord(self, chord: str) -> None:
        """There is nothing to close."""

    def close(self) -> None:
        """Nothing is open."""

    def abandon(self) -> None:
        """Nothing is open."""


def no_result_backend() -> NoResultBackend:
    """Return the error that tells the user what to set."""
    return NoResultBackend(
        "no result backend is configured, so this result can never come: give the app backend=..., "
        "such as Celery('name', broker='redis://', backend='redis://')"
    )
