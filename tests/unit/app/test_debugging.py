"""Memory, threads and what blocks: small works that programs of Celery import."""

from __future__ import annotations

import io
import signal
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from celeriac import Celery
from celeriac.app.borrowed import debugging
from celeriac.app.borrowed.abstract import CallableSignature, CallableTask
from celeriac.app.borrowed.os_signals import signals


@pytest.fixture
def usr1() -> Iterator[None]:
    """Put the handler of SIGUSR1 back."""
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


def test_what_takes_too_long_is_broken_off() -> None:
    with pytest.raises(RuntimeError, match="it took too long"), debugging.blockdetection(0.05):
        time.sleep(30)


def test_what_is_quick_enough_is_left_alone() -> None:
    before = signal.getsignal(signal.SIGALRM)

    with debugging.blockdetection(30):
        pass

    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0]) == (before, 0.0)


def test_every_thread_is_heard() -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="somebody", daemon=True)
    thread.start()
    out = io.StringIO()

    debugging.cry(out)

    over.set()
    assert ("somebody\n====" in out.getvalue(), "test_every_thread_is_heard" in out.getvalue()) == (True, True)


def test_memory_is_told_for_people() -> None:
    pytest.importorskip("psutil")
    out = io.StringIO()

    first = debugging.sample_mem()
    debugging.memdump(file=out)

    assert first is not None
    assert out.getvalue().startswith(f"- rss (sample):\n-    > {first},\n- rss (end): ")


def test_without_psutil_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    out = io.StringIO()

    debugging.memdump(file=out)

    assert (debugging.mem_rss(), out.getvalue()) == (None, "- rss: (psutil not installed).\n")


@pytest.mark.parametrize(("size", "shown"), [(0, "0b"), (100, "100b"), (2048, "2KB"), (1536, "1.5KB"), (3 * 2**30, "3GB")])
def test_bytes_are_told_for_people(size: int, shown: str) -> None:
    told = debugging.humanbytes(size)

    assert told == shown


def test_a_sample_is_taken_at_even_distances() -> None:
    assert list(debugging.sample(range(100), 4)) == [0, 25, 50, 75]
    assert list(debugging.sample([1, 2], 5)) == []


def test_handlers_are_set_by_names(usr1: None) -> None:
    heard: list[int] = []

    signals["usr1"] = lambda number, _: heard.append(number)
    signal.raise_signal(signal.SIGUSR1)
    signals.update(SIGUSR1=signals.ignored, SIGNOSUCH=signals.ignored)
    signal.raise_signal(signal.SIGUSR1)

    assert heard == [signal.SIGUSR1]
    assert (signals["USR1"], signals.signum("TERM"), signals.supported("NOSUCH")) == (signal.SIG_IGN, 15, False)
    signals.reset("USR1")
    assert signals["USR1"] == signal.SIG_DFL


def test_tasks_and_signatures_are_known_as_what_they_are() -> None:
    app = Celery("abstract", broker="memory://", set_as_current=False)
    add = app.task(name="abstract.add")(lambda x, y: x + y)

    class Other:
        def delay(self) -> None: ...
        def apply_async(self) -> None: ...
        def apply(self) -> None: ...
        def __call__(self) -> None: ...

    assert (isinstance(add, CallableTask), isinstance(add.s(2, 2), CallableSignature)) == (True, True)
    assert (isinstance(Other(), CallableTask), isinstance(Other(), CallableSignature)) == (True, False)
    assert isinstance(len, CallableTask) is False
