"""What this package is: its presence tells celeriac's shim from a real Celery."""

from typing import Final

CELERY_VERSION_PARTS: Final = (5, 7, 0)
CELERY_VERSION: Final = "5.7.0"
"""The Celery whose names these are."""
DISTRIBUTION_VERSION: Final = "5.7.0+celeriac.1"
