"""The app, under Celery's path."""

from celeriac.app.app import Celery

App = Celery
