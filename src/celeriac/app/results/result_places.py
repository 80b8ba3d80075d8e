"""Where results are: the app's own place, and those that tasks have for themselves (``@app.task(backend=...)``).

In a program's life: a place is opened, not connected, when a task that names it is first sent, asked or run. Places that are one
store are one object here, so that all who wait there share one listener. Does not know: tasks, how a driver works.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any, Final, cast

from celeriac.abc import ResultBackend
from celeriac.app.results.backend_view import BackendView, DisabledView
from celeriac.app.results.results import Results
from celeriac.core.errors import ImproperlyConfigured

_NEEDED: Final = ("store_results", "load", "forget", "watch", "unwatch", "close", "abandon")
"""What a ResultBackend can do."""


class ResultPlaces:
    """The Results of one app, by place: ``None`` is the app's own."""

    def __init__(
        self,
        app: Any,
        own: Results,
        *,
        own_url: Callable[[], str | None],
        open_url: Callable[[str], ResultBackend | None],
        make: Callable[[Callable[[], ResultBackend]], Results],
    ) -> None:
        """Nothing is opened yet.

        Args:
            app: Whose they are.
            own: Results where the app keeps them.
            own_url: Where that is.
            open_url: Opens another place; ``None``: it is the app's own.
            make: Makes Results of what is opened.
        """
        self._app, self._own, self._own_url, self._open, self._make = app, own, own_url, open_url, make
        self._lock = RLock()
        self._by_url: dict[str, Results] = {}
        self._by_backend: list[tuple[ResultBackend, Results]] = []

    def at(self, place: Any) -> Results:
        """Return the Results in ``place``: ``None``, a URL, a BackendView, or a ResultBackend of somebody's own.

        Raises:
            ImproperlyConfigured: it is nothing of these, or a URL that no driver serves.
        """
        if place is None:
            return self._own
        if isinstance(place, BackendView):
            return place.results
        with self._lock:
            if isinstance(place, str):
                return self._at_url(place)
            if all(callable(getattr(place, name, None)) for name in _NEEDED):
                return self._in_object(cast("ResultBackend", place))
        raise ImproperlyConfigured(
            f"a result backend is given as a URL such as 'redis://', as app.backend, or as an object with "
            f"{', '.join(_NEEDED)}; not as {place!r}"
        )

    def _at_url(self, url: str) -> Results:
        found = self._by_url.get(url)
        if found is None:
            backend = self._open(url)
            found = self._by_url[url] = self._own if backend is None else self._make(lambda: backend)
        return found

    def _in_object(self, backend: ResultBackend) -> Results:
        for known, results in self._by_backend:
            if known is backend:
                return results
        self._by_backend.append((backend, self._make(lambda: backend)))
        return self._by_backend[-1][1]

    def view(self, place: Any) -> BackendView:
        """Return the same place as programs see it."""
        if isinstance(place, BackendView):
            return place
        results = self.at(place)
        url = place if isinstance(place, str) else self._own_url() if results is self._own else None
        kind = DisabledView if results is self._own and url is None else BackendView
        return kind(self._app, results, url)

    def elsewhere(self, place: Any) -> ResultBackend | None:
        """Return the backend of ``place`` if it is another than the app's own."""
        results = self.at(place)
        return None if results is self._own else results.backend

    def _others(self) -> list[Results]:
        named = [results for results in self._by_url.values() if results is not self._own]
        return named + [results for _, results in self._by_backend]

    def close(self) -> None:
        """End the threads that wait, close the connections to other places. They may be used again."""
        self._own.close()
        with self._lock:
            others = self._others()
        for results in others:
            results.close()
            results.backend.close()

    def abandon(self) -> None:
        """Forget threads and connections of the process that forked this one."""
        self._lock = RLock()
        self._own.abandon()
        for results in self._others():
            results.abandon()
            results.backend.abandon()
