"""What the tests of signals have a worker import (``-I listening``): it hears every signal, and writes down what it hears.

One JSON object a line, in the file that ``LISTENING_TO`` names: the signal, the process, the sender and each argument by the name
of its class and its text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from celeriac import Reject, Task, shared_task, signals
from celeriac.app.dispatch import Signal

SIGNALS = {
    name: signal
    for name, signal in vars(signals).items()
    # Whoever hears setup_logging has to do it, too.
    if isinstance(signal, Signal) and name != "setup_logging"
}


def told(value: object) -> list[str]:
    """Return the class of a value, and its text."""
    kind = Task if isinstance(value, Task) else type(value)  # a task is of a class of its own
    return [kind.__name__, str(getattr(value, "name", value))]


def listener(name: str) -> Callable[..., None]:
    """Return a receiver that writes down what it hears."""

    def hear(sender: Any, signal: Any, **named: Any) -> None:
        line = {"signal": name, "pid": os.getpid(), "sender": told(sender), "named": {key: told(named[key]) for key in named}}
        descriptor = os.open(os.environ["LISTENING_TO"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, f"{json.dumps(line)}\n".encode())
        finally:
            os.close(descriptor)

    return hear


for _name, _signal in SIGNALS.items():
    _signal.connect(listener(_name), weak=False)


@signals.task_prerun.connect
def broken(**named: object) -> None:
    """A receiver that fails beside all those that do not."""
    raise SystemExit("a broken receiver")


@shared_task
def refuse() -> None:
    raise Reject("not for me", requeue=False)


@shared_task(bind=True)
def send_another(self: Task[..., None]) -> None:
    self.app.send_task("jobs.add", (1, 1))
