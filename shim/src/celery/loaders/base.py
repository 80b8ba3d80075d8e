"""The loader's base class, under Celery's path."""

from celeriac.app.borrowed.loading import Loader as BaseLoader
from celeriac.app.parts.discovery import discover as autodiscover_tasks
