"""Loaders, under Celery's path: one class for all of their names."""

from __future__ import annotations

from celeriac.app.borrowed.loading import Loader
from celeriac.config.sources import load

LOADER_ALIASES = {"app": "celery.loaders.app:AppLoader", "default": "celery.loaders.default:Loader"}


def get_loader_cls(loader: str | type[Loader]) -> type[Loader]:
    """Return the class of a loader by its short or dotted name."""
    if not isinstance(loader, str):
        return loader
    found: type[Loader] = load(LOADER_ALIASES.get(loader, loader), what="the loader")
    return found
