"""Reach the store for the first time.

In a node's life: before its first child. A store that is away is waited for, and said so; from then on the keeper does that.
Does not know: children.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from celeriac.abc import Runtime
from celeriac.core.errors import OperationalError, StoreRefused
from celeriac.worker.leases import Leases
from celeriac.worker.plan import Plan

log = logging.getLogger("celeriac.worker")

_PATIENCE_S: Final = 2.0
"""Between two attempts to reach a store that was never reached."""


def wait_for_store(plan: Plan, leases: Leases, runtime: Runtime, *, stopped: Callable[[], bool]) -> bool:
    """Register the node; while the store does not answer, say so and try again. ``False``: stopped meanwhile.

    Raises:
        OperationalError: as ``broker_connection_retry_on_startup`` and ``broker_connection_max_retries`` have it.
    """
    began, attempts = runtime.monotonic(), 0
    while not stopped():
        try:
            leases.tick()
        except StoreRefused:
            raise  # it answered: a wrong password or file does not mend itself
        except OperationalError as error:
            attempts += 1
            if not plan.retry_on_startup or (plan.max_retries and attempts > plan.max_retries):
                raise
            waited = runtime.monotonic() - began
            log.error("%s; trying again in %.0f s (waiting for %.0f s so far)", error, _PATIENCE_S, waited)
            runtime.sleep(_PATIENCE_S)
        else:
            if attempts:
                log.warning("the store answers after %.0f s", runtime.monotonic() - began)
            return True
    return False
