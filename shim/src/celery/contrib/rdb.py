"""A debugger on a port, under Celery's path."""

from celeriac.worker.rdb import CELERY_RDB_HOST, CELERY_RDB_PORT, DEFAULT_PORT, Rdb, debugger, set_trace
