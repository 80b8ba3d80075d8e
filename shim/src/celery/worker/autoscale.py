"""Who decides how many processes a worker has."""

from celeriac.worker.autoscale import AUTOSCALE_KEEPALIVE, Autoscaler

__all__ = ("AUTOSCALE_KEEPALIVE", "Autoscaler")
