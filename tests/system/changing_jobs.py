"""Tasks that change their workflow, and die before they have ended. A worker is told of them with ``-I changing_jobs``."""

from __future__ import annotations

import os
import signal
from typing import Any

from jobs import add, app, early, note, total  # type: ignore[import-not-found]  # as the worker finds it

from celeriac import Task, group


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(bind=True)  # type: ignore[untyped-decorator]
def adds_and_dies(self: Any) -> None:
    self.add_to_chord(early.s("added"))
    _die()


@app.task(bind=True, acks_late=True)  # type: ignore[untyped-decorator]
def adds_and_dies_once(self: Any) -> str:
    self.add_to_chord(early.s("added"))
    if not self.request.redelivered:
        _die()
    return "adder"


class DiesBeforeItIsReplaced(Task[..., Any]):
    """Its first run ends when everything is decided and nothing has been sent."""

    def on_replace(self, sig: Any) -> Any:
        """Die, or do what is to be done."""
        if not self.request.redelivered:
            _die()
        return super().on_replace(sig)


@app.task(bind=True, acks_late=True, base=DiesBeforeItIsReplaced)  # type: ignore[untyped-decorator]
def is_replaced_and_dies_once(self: Any) -> Any:
    raise self.replace(early.s("first") | add.si(20, 22))


@app.task  # type: ignore[untyped-decorator]
def told(values: list[Any]) -> list[Any]:
    return values


# What Celery's program has, too, under the same names.


@app.task(name="jobs.split", bind=True)  # type: ignore[untyped-decorator]
def split(self: Any, x: int) -> Any:
    raise self.replace(group(add.s(x, 1), add.s(x, 2)) | total.s())


@app.task(name="jobs.fork", bind=True)  # type: ignore[untyped-decorator]
def fork(self: Any, x: int) -> Any:
    raise self.replace(group(add.s(x, 1), add.s(x, 2)))


@app.task(name="jobs.splits_late", bind=True)  # type: ignore[untyped-decorator]
def splits_late(self: Any, x: int) -> Any:
    raise self.replace(add.s(x, 1).set(queue="theirs") | group(add.s(1), add.s(2)))


@app.task(name="jobs.explained")  # type: ignore[untyped-decorator]
def explained(request: Any, exc: BaseException, traceback: str | None) -> None:
    note("explained", type(exc).__name__)


@app.task(name="jobs.adds", bind=True)  # type: ignore[untyped-decorator]
def adds(self: Any, x: int) -> int:
    self.add_to_chord(add.s(x, 1000))
    return x
