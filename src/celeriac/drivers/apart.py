"""A store some of whose results are kept elsewhere: those of tasks with a result backend of their own.

In a job's life: settle -> **here** -> those results to where they belong, then everything else to the store, in one step as ever.
The order and what it promises are those of ``pair.py``. Does not know: which task is kept where, how a driver works.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import structs

from celeriac.abc import Lessee, ResultBackend, Store
from celeriac.core.settlement import Settled, Settlement, StoredResult
from celeriac.drivers.pair import Pair


class Apart(Pair):
    """A store, and other places for results. For any thread, as they are."""

    def __init__(self, store: Store, find: Callable[[Any], ResultBackend | None]) -> None:
        """``find`` returns the backend that a result's ``place`` names; ``None``: it is ``store``."""
        super().__init__(store, store)
        self._find = find

    def settle(self, settlements: Sequence[Settlement], *, lessee: Lessee) -> Sequence[Settled]:
        """See ``Broker.settle``. What belongs elsewhere is stored there before its delivery is released."""
        found = [self._elsewhere(one.result) for one in settlements]
        if not any(backend is not None for backend in found):
            return self._broker.settle(settlements, lessee=lessee)
        held, left = self._held(lessee), list(settlements)
        for index, (one, backend) in enumerate(zip(settlements, found, strict=True)):
            if backend is None or one.result is None:
                continue
            if one.tag in held:
                backend.store_results([one.result])
            left[index] = structs.replace(one, result=None)
        return self._broker.settle(left, lessee=lessee)

    def store_results(self, results: Sequence[StoredResult]) -> None:
        """See ``ResultBackend.store_results``."""
        here: list[StoredResult] = []
        for result in results:
            backend = self._elsewhere(result)
            if backend is None:
                here.append(result)
            else:
                backend.store_results([result])
        if here:
            self._results.store_results(here)

    def _elsewhere(self, result: StoredResult | None) -> ResultBackend | None:
        return None if result is None or result.place is None else self._find(result.place)

    def close(self) -> None:
        """Close the store. The other places are closed by whoever opened them."""
        self._broker.close()

    def abandon(self) -> None:
        """Abandon the store. See ``Broker.abandon``."""
        self._broker.abandon()
