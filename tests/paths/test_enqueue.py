"""The path of one warm ``delay()``: a newcomer can follow it, so it may enter 12 files and no more."""

from __future__ import annotations

import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import celeriac
from celeriac import Celery

PACKAGE = Path(celeriac.__file__).parent
MOST = 12


def files_entered(call: Any) -> list[str]:
    """Return the files of the package whose functions ``call`` enters, in the order of first entry."""
    entered: dict[str, None] = {}

    def look(frame: FrameType, event: str, argument: object) -> None:
        code: CodeType = frame.f_code
        path = Path(code.co_filename)
        if event == "call" and PACKAGE in path.parents:
            entered.setdefault(str(path.relative_to(PACKAGE)))

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        call()
    finally:
        sys.setprofile(before)
    return list(entered)


def test_one_warm_delay_enters_at_most_12_files() -> None:
    app = Celery("path", broker="memory://path", backend="memory://path", set_as_current=False)

    @app.task
    def add(x: int, y: int) -> int:
        return x + y

    add.delay(1, 2)

    entered = files_entered(lambda: add.delay(1, 2))

    print("\n".join(entered))
    assert len(entered) <= MOST, entered
