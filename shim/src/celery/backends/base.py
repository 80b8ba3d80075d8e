"""What ``app.backend`` is where results are disabled, under Celery's path. There is no class here to derive backends from."""

from celeriac.app.results.backend_view import DisabledView as DisabledBackend
