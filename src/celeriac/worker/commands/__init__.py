"""The commands of remote control, by what they are about: one file for each. Names, arguments and answers are Celery's."""

from __future__ import annotations


def load() -> None:
    """Put them into the panel. A user's command of the same name, registered later, takes the place of one."""
    from celeriac.worker.commands import inside, monitoring, node, pool, queues, revoking, tasks  # noqa: F401  # late: the panel is the product
