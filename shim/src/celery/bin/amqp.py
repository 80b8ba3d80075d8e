"""The command ``amqp``, under Celery's path."""

from celeriac.cli.amqp import (
    basic_ack,
    basic_get,
    basic_publish,
    exchange_declare,
    exchange_delete,
    queue_bind,
    queue_declare,
    queue_delete,
    queue_purge,
)
from celeriac.cli.amqp import command as amqp
