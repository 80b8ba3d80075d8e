"""Tasks that can be asked to stop, under Celery's path."""

from celeriac.app.borrowed.abortable import ABORTED, AbortableAsyncResult, AbortableTask
