"""What holds for every unit test: none leaves behind whom it has connected to a signal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from celeriac.app import signals
from celeriac.app.dispatch import Signal

SIGNALS = [signal for signal in vars(signals).values() if isinstance(signal, Signal)]


@pytest.fixture(autouse=True)
def _receivers() -> Iterator[None]:
    """Put the receivers of all signals back as they were: with one of them every later run would take the longer way."""
    before = [signal.receivers for signal in SIGNALS]
    yield
    for signal, receivers in zip(SIGNALS, before, strict=True):
        signal.receivers = receivers
