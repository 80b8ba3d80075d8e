"""The loader of apps, under Celery's path."""

from celeriac.app.borrowed.loading import Loader as AppLoader
