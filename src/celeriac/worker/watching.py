"""Have a node be seen from outside: its health endpoint, and the watchdog of whoever started it.

In a node's life: from the fork of its template to the end of its last child. Where nobody looks, no thread is started. Does not
know: how a node works.
"""

from __future__ import annotations

from celeriac.app.app import Celery
from celeriac.app.overseer import Overseer
from celeriac.core.endpoint import parse_address
from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.health import Gauge, Health, Patient
from celeriac.worker.plan import Plan
from celeriac.worker.stopping import Stopping
from celeriac.worker.vitals import live

__all__ = ["Patient", "Watch"]


class Watch:
    """What looks at one node."""

    def __init__(self, app: Celery, plan: Plan, patient: Patient, *, stopping: Stopping, overseer: Overseer) -> None:
        """Begin at once, also while the node waits for its store.

        Raises:
            ImproperlyConfigured: the address of the settings is not to be had.
        """
        settings = app.conf.settings().worker
        self._name, self._overseer = plan.hostname, overseer
        self._gauge = Gauge(patient, app.store, stopping, app.runtime)
        self._health: Health | None = None
        if settings.health_address:
            try:
                address = parse_address(settings.health_address)
            except ImproperlyConfigured as error:
                raise ImproperlyConfigured(f"worker_health_address: {error}") from None
            self._health = Health(address, self._gauge, name=plan.hostname, window_s=settings.health_window)
            self._health.start()

    def ready(self) -> None:
        """Every child fetches."""
        self._gauge.announced = True
        self._overseer.ready(f"{self._name} is ready")
        self._overseer.watch(lambda: live(self._gauge.signs()).ok)

    def close(self) -> None:
        """Nobody is left to look at."""
        self._overseer.close()
        if self._health is not None:
            self._health.close()
