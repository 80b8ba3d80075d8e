"""What the command ``beat`` says before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from celeriac import Celery
from celeriac.cli.beat_process import warn_of_memory


def test_a_beat_whose_broker_is_its_own_memory_says_that_nobody_gets_what_it_sends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Celery("far", broker=f"sqlite:///{tmp_path / 'q.db'}", set_as_current=False) as app:
        warn_of_memory(app)
    assert caplog.text == ""

    with Celery("near", broker="memory://nobody", set_as_current=False) as app:
        warn_of_memory(app)
    assert "no worker gets what is sent here" in caplog.text
