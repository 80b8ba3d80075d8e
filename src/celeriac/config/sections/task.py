"""The settings of tasks.

In a job's life: the recipe of a call, its routes and the end of its run are made with them. Does not know: tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from celeriac.config.sections.kinds import (
    WITH_RABBITMQ,
    AtLeastOne,
    Count,
    Harmless,
    Later,
    Limit,
    Priority,
    Text,
    Unhonoured,
)

PUBLISH_RETRY_POLICY: Final[Mapping[str, Any]] = {
    "max_retries": 3, "interval_start": 0, "interval_max": 1, "interval_step": 0.2,
}  # fmt: skip
_NO_TYPES: Final = Harmless("queues of the stores here have no types")


class TaskSettings(Struct, frozen=True, kw_only=True):
    """``task_*``: what holds for every task that does not say otherwise."""

    default_queue: Annotated[str, Meta(min_length=1, max_length=255)] = "celery"
    """``task_default_queue``: where messages go that no route sends elsewhere."""
    default_exchange: Text = None
    """``task_default_exchange``: on brokers with exchanges. ``None``: as ``task_default_queue``."""
    default_routing_key: Text = None
    """``task_default_routing_key``: on brokers with exchanges. ``None``: as ``task_default_queue``."""
    default_priority: Priority | None = None
    """``task_default_priority``: as the broker counts: on Redis and here 0 is served first. ``None``: 0."""
    default_delivery_mode: Literal[1, 2, "transient", "persistent"] = 2
    """``task_default_delivery_mode``: whether messages survive a restart of the broker; no effect on Redis and SQLite."""
    queues: Any = None
    """``task_queues``: queues that a worker serves; Queue objects or a mapping of names. ``None``: the default queue."""
    create_missing_queues: bool = True
    """``task_create_missing_queues``: a queue that ``task_queues`` does not name may be used."""
    routes: Any = None
    """``task_routes``: mapping of names and patterns, function, dotted name of one, or a list of these."""
    annotations: Any = None
    """``task_annotations``: name or ``"*"`` -> attributes; an object with ``annotate``, its dotted name, or a list of these."""
    serializer: str = "json"
    """``task_serializer``: how arguments become bytes."""
    compression: Text = None
    """``task_compression``: method for message bodies. ``None``: none."""
    ignore_result: bool = False
    """``task_ignore_result``: results are not stored."""
    store_errors_even_if_ignored: bool = False
    """``task_store_errors_even_if_ignored``: failures are stored nevertheless."""
    track_started: bool = False
    """``task_track_started``: the state STARTED is stored, with pid and host name."""
    acks_late: bool = False
    """``task_acks_late``: a message is done after its run: it runs again elsewhere when its worker dies."""
    acks_on_failure_or_timeout: bool = True
    """``task_acks_on_failure_or_timeout``: a late-acked task that failed or ran too long is done nevertheless."""
    acks_on_failure: bool | None = None
    """``task_acks_on_failure``: the same for failures only. ``None``: as ``task_acks_on_failure_or_timeout``."""
    acks_on_timeout: bool | None = None
    """``task_acks_on_timeout``: the same for the hard time limit only. ``None``: as ``task_acks_on_failure_or_timeout``."""
    reject_on_worker_lost: bool | None = None
    """``task_reject_on_worker_lost``: ``False``: a late-acked task whose process died is not delivered again. ``None``: it is."""
    retry_on_worker_lost: bool = False
    """``task_retry_on_worker_lost``: a task whose process died is sent anew as a retry, which counts; wins over the one above."""
    max_deliveries: AtLeastOne = 5
    """``task_max_deliveries``: a message whose processes die that often goes to the dead letters. Celery has no such setting."""
    workflow_embed_limit: Count | None = 2048
    """``task_workflow_embed_limit``: bytes of what comes later in its workflow that a message may carry, on average. More is kept
    in the result backend, and messages refer to it, which Celery's workers cannot follow. ``None``: no bound, as with Celery,
    which has no such setting."""
    time_limit: Limit | None = None
    """``task_time_limit``: hard limit of a run. ``None``: no limit."""
    soft_time_limit: Limit | None = None
    """``task_soft_time_limit``: when SoftTimeLimitExceeded is raised in the task. ``None``: no limit."""
    inherit_parent_priority: bool = False
    """``task_inherit_parent_priority``: a task sent by a task has its priority unless it says otherwise."""
    publish_retry: bool = True
    """``task_publish_retry``: try again, within the deadline, when the broker does not answer."""
    publish_retry_policy: Mapping[str, Any] = field(default_factory=lambda: dict(PUBLISH_RETRY_POLICY))
    """``task_publish_retry_policy``: how often, with which pauses (seconds)."""
    repr_maxlevels: Count | None = 3
    """``task_repr_maxlevels``: nesting shown in ``argsrepr``. ``None`` or 0: no bound but the length."""
    always_eager: bool = False
    """``task_always_eager``: a call runs the task at once, in the caller's process; nothing is sent."""
    eager_propagates: bool = False
    """``task_eager_propagates``: such a call raises what the task raised."""
    store_eager_result: bool = False
    """``task_store_eager_result``: the result of such a call is stored, too."""
    default_rate_limit: str | float | None = None
    """``task_default_rate_limit``: how many runs a node begins, such as ``"100/m"``. ``None``: no bound."""
    send_sent_event: bool = False
    """``task_send_sent_event``: callers tell monitors what they send."""
    allow_error_cb_on_chord_header: bool = False
    """``task_allow_error_cb_on_chord_header``: error callbacks of a chord are called for tasks of its header, too."""
    remote_tracebacks: Annotated[bool, Harmless("the text of a traceback is always kept with the failure")] = False
    """``task_remote_tracebacks``: a client is given the worker's traceback."""
    protocol: Annotated[
        Literal[1, 2], Unhonoured("version 2 is written, versions 1 and 2 are read: every Celery since 3.1.24 reads version 2")
    ] = 2
    """``task_protocol``: version of the messages."""
    default_exchange_type: str = "direct"
    """``task_default_exchange_type``: type of exchanges that name none, on brokers with exchanges."""
    default_queue_type: Annotated[Literal["classic", "quorum"], _NO_TYPES] = "classic"
    """``task_default_queue_type``: type of the default queue."""
    create_missing_queue_type: Annotated[Literal["classic", "quorum"], _NO_TYPES] = "classic"
    """``task_create_missing_queue_type``: type of queues that ``task_queues`` does not name."""
    create_missing_queue_exchange_type: Annotated[Text, WITH_RABBITMQ] = None
    """``task_create_missing_queue_exchange_type``: type of their exchanges. ``None``: direct."""
    queue_max_priority: Annotated[Priority | None, Later("RabbitMQ; priorities of the stores here need no declaration")] = None
    """``task_queue_max_priority``: highest priority of queues that name none."""
