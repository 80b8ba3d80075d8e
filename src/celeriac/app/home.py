"""What tasks, signatures and results ask of the app they belong to.

A Protocol, so that they can be read and tested without the app; ``app.py`` fulfils it.
"""

from __future__ import annotations

from typing import Any, Protocol

from celeriac.abc import Runtime
from celeriac.app.plan import Recipe
from celeriac.app.producer import Producer
from celeriac.app.results import Results
from celeriac.config.settings import Conf


class Home(Protocol):
    """An app, as its parts see it."""

    @property
    def conf(self) -> Conf:
        """Its settings."""

    @property
    def runtime(self) -> Runtime:
        """Clock, ids, chance."""

    @property
    def producer(self) -> Producer:
        """Sends calls."""

    @property
    def results(self) -> Results:
        """Reads results."""

    def recipe_of(self, name: str) -> Recipe:
        """Return what holds for every call of the task ``name``, known here or not."""

    def run_here(self, name: str, args: Any, kwargs: Any) -> Any:
        """Call the task ``name`` as a function."""
