"""The contract of a store in executable form: every sentence of ``celeriac.abc``, as tests for any driver.

Give it a Subject, and the tests are yours:

    # tests/test_my_store.py
    import pytest
    from celeriac.testing.conformance import Conformance, Subject

    class TestMyStore(Conformance):
        @pytest.fixture
        def subject(self) -> Iterator[Subject]:
            store = MyStore(...)                    # with empty storage
            yield Subject(store=store, ...)
            store.close()

Time: a store that takes its clock from the Runtime alone runs under a ``VirtualRuntime``, and ``advance`` moves it. One
that lives by a real clock, such as a server's, gets ``advance=time.sleep`` and a ``lease_s`` of about 0.3: then leases,
lives and dates are that short, and a test really waits for them. No test asserts that something happened fast.

For readable failures say ``pytest.register_assert_rewrite("celeriac.testing.conformance")`` in ``conftest.py``.
A driver that is only a broker, or only a result backend, is tested as one half of a ``drivers.pair.Pair``, with a memory
store as the other. Does not know: drivers.
"""

from celeriac.testing.conformance.crowds import Crowds
from celeriac.testing.conformance.joining import Joining
from celeriac.testing.conformance.leases import Leases
from celeriac.testing.conformance.likeness import Likeness
from celeriac.testing.conformance.notices import Notices
from celeriac.testing.conformance.pausing import PausedQueues, PausedTasks
from celeriac.testing.conformance.publishing import Publishing
from celeriac.testing.conformance.records import DeadLettersAndPurges, Revoking
from celeriac.testing.conformance.results import Results
from celeriac.testing.conformance.ruling import Ruling, Throttling
from celeriac.testing.conformance.searching import Searching
from celeriac.testing.conformance.settling import Settling
from celeriac.testing.conformance.subject import Contract, Subject
from celeriac.testing.conformance.timetables import KeepingTimetables
from celeriac.testing.conformance.waiting import Waiting


class Conformance(
    Publishing,
    Leases,
    Settling,
    Joining,
    DeadLettersAndPurges,
    Revoking,
    PausedQueues,
    PausedTasks,
    Throttling,
    Ruling,
    Searching,
    Results,
    Waiting,
    Notices,
    Crowds,
    Likeness,
):
    """All chapters but ``KeepingTimetables``, which is for those that keep timetables."""


__all__ = [
    "Conformance",
    "Contract",
    "Crowds",
    "DeadLettersAndPurges",
    "Joining",
    "KeepingTimetables",
    "Leases",
    "Likeness",
    "Notices",
    "PausedQueues",
    "PausedTasks",
    "Publishing",
    "Results",
    "Revoking",
    "Ruling",
    "Searching",
    "Settling",
    "Subject",
    "Throttling",
    "Waiting",
]
