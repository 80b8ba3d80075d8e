"""The loader of programs that make no app, under Celery's path."""

from celeriac.app.borrowed.loading import Loader

DEFAULT_CONFIG_MODULE = "celeryconfig"
