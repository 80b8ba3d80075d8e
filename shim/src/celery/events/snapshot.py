"""Cameras."""

from celeriac.app.monitoring.snapshot import Polaroid, evcam

__all__ = ("Polaroid", "evcam")
