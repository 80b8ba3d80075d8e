"""Messages are moved by hand, under Celery's path."""

from celeriac.app.borrowed.migration import (
    State,
    StopFiltering,
    expand_dest,
    filter_callback,
    filter_status,
    migrate_tasks,
    move,
    move_by_idmap,
    move_by_taskmap,
    move_direct,
    move_direct_by_id,
    move_direct_by_idmap,
    move_direct_by_taskmap,
    move_task_by_id,
    prepare_queues,
    task_id_eq,
    task_id_in,
)
