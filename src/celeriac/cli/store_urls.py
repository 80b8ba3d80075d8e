"""Where messages and results are, as it may be shown: passwords masked. Does not know: whether anybody answers there."""

from __future__ import annotations

from celeriac.app.app import Celery
from celeriac.drivers.registry import DISABLED
from celeriac.drivers.url import mask


def store_urls(app: Celery) -> tuple[str, str]:
    """Return the URLs of broker and result backend, masked."""
    where = app.places
    return mask(where.broker), f"{DISABLED}://" if where.results is None else mask(where.results)
