"""What the tests of logging have a worker import (``-I speaking``): tasks that speak in every way there is."""

from __future__ import annotations

import contextvars
import logging
import os
import sys
import threading
import warnings
from functools import partial

from celeriac import get_task_logger, shared_task, signals

log = get_task_logger(__name__)
plain = logging.getLogger("a.third.party")


@shared_task
def speak() -> int:
    """Say something in each way; return the process."""
    log.info("by the task logger")
    plain.warning("by a third party", extra={"customer": "Ada"})
    print("by print")
    print("by stderr", file=sys.stderr)
    warnings.warn("by a warning", UserWarning, stacklevel=1)
    for target in (partial(_say, "plain"), partial(contextvars.copy_context().run, _say, "told")):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    return os.getpid()


def _say(name: str) -> None:
    plain.warning("by a %s thread", name)


@shared_task
def shout(length: int) -> None:
    """Write a long line."""
    log.info("%s", "x" * length)


@shared_task(resultrepr_maxsize=20)
def ramble() -> str:
    """Return more than anybody wants to read."""
    return "x" * 1000


if os.environ.get("SPEAKING") == "by itself":

    @signals.setup_logging.connect
    def set_up(loglevel: int, **named: object) -> None:
        """Set logging up, as a program does that wants no help."""
        logging.basicConfig(level=loglevel, format="MINE %(task_name)s %(name)s: %(message)s", stream=sys.__stderr__)


if os.environ.get("SPEAKING") == "beforehand":
    # As a program does that sets logging up when it is imported, whoever imports it.
    logging.basicConfig(level=logging.INFO, format="BEFORE %(name)s: %(message)s", stream=sys.__stderr__)
