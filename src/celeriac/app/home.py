"""What tasks, signatures and results ask of the app they belong to.

A Protocol, so that they can be read and tested without the app; ``app.py`` fulfils it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from celeriac.abc import Runtime, Store
from celeriac.app.once import Once
from celeriac.app.plan import Recipe, Surroundings
from celeriac.app.producer import Producer
from celeriac.app.results.backend_view import BackendView
from celeriac.app.results.results import Results
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

    def results_at(self, place: Any) -> Results:
        """Return the Results in another place: a URL, a BackendView, a ResultBackend; ``None``: those of the app."""

    def backend_at(self, place: Any) -> BackendView:
        """Return the same place as programs see it."""

    def result_from_tuple(self, r: Any) -> Any:
        """Return the result that its ``as_tuple`` described."""

    @property
    def store(self) -> Store:
        """Where messages and results are."""

    @property
    def keeps_results(self) -> bool:
        """Whether there is a result backend."""

    @property
    def here(self) -> Surroundings:
        """Where calls are made: clock, ids, zone."""

    @property
    def tasks(self) -> Mapping[str, Any]:
        """Name -> task."""

    @property
    def events(self) -> Any:
        """Tells monitors what happens."""

    @property
    def control(self) -> Any:
        """Speaks to running workers: a ``control.client.Control``."""

    once: Once
    """What it warns of once."""

    strict_typing: bool
    """Whether tasks that say nothing about it check their arguments when they are called."""

    own_send_task: Callable[..., Any]
    """``send_task`` as it was before anybody put another one in its place."""

    def send_task(self, name: str, args: Any = None, kwargs: Any = None, *positional: Any, **options: Any) -> Any:
        """Send a task by its name."""

    def recipe_of(self, name: str) -> Recipe:
        """Return what holds for every call of the task ``name``, known here or not."""

    def run_here(self, name: str, args: Any, kwargs: Any) -> Any:
        """Call the task ``name`` as a function."""
