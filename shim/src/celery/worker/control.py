"""The commands of remote control, under Celery's path."""

from celeriac.control.panel import CommandInfo as controller_info_t
from celeriac.control.panel import Panel, control_command, inspect_command, nok, ok
from celeriac.worker.commands.inside import memdump, memsample, objgraph
from celeriac.worker.commands.monitoring import clock, disable_events, election, enable_events, heartbeat, hello
from celeriac.worker.commands.node import conf, ping, report, shutdown, stats
from celeriac.worker.commands.pool import autoscale, pool_grow, pool_restart, pool_shrink
from celeriac.worker.commands.queues import active_queues, add_consumer, cancel_consumer
from celeriac.worker.commands.revoking import revoke, revoke_by_stamped_headers, revoked, terminate
from celeriac.worker.commands.tasks import (
    DEFAULT_TASK_INFO_ITEMS,
    active,
    query_task,
    rate_limit,
    registered,
    reserved,
    scheduled,
    time_limit,
)
