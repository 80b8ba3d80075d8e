"""The settings that this version honours, in typed sections: type, bounds, default, unit and meaning of each.

In a program's life: ``Conf`` collects what the user set, ``Conf.settings()`` turns it into these frozen sections, and each
part of the program is handed its own section, never the whole. A setting's name is the prefix of its section and the name of the
field: ``TaskSettings.serializer`` is ``task_serializer``. Types and bounds are checked by msgspec when a section is built.
Does not know: where values come from, who uses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0)]
Priority = Annotated[int, Meta(ge=0, le=255)]
PUBLISH_RETRY_POLICY: Final[Mapping[str, Any]] = {
    "max_retries": 3, "interval_start": 0, "interval_max": 1, "interval_step": 0.2,
}  # fmt: skip


class GeneralSettings(Struct, frozen=True, kw_only=True):
    """Settings without a prefix."""

    accept_content: tuple[str, ...] = ("json",)
    """``accept_content``: serializer names or content types that may be decoded; anything else is refused."""
    enable_utc: bool = True
    """``enable_utc``: times are read and written in UTC; when off, in the local zone unless ``timezone`` says otherwise."""
    timezone: Any = None
    """``timezone``: IANA name (or tzinfo) in which naive times are read. ``None``: UTC."""
    imports: tuple[str, ...] = ()
    """``imports``: modules that a worker imports when it starts, in this order."""
    include: tuple[str, ...] = ()
    """``include``: more modules, after ``imports``."""


class BrokerSettings(Struct, frozen=True, kw_only=True):
    """``broker_*``: where messages are."""

    url: str | list[str] | None = None
    """``broker_url``: URL of the broker; several (a list, or ``;`` between) are tried in order. ``None``: the embedded store."""
    transport_options: Mapping[str, Any] = {}
    """``broker_transport_options``: options of the driver; ``visibility_timeout`` is the lease of a silent node, seconds."""
    use_ssl: bool | Mapping[str, Any] = False
    """``broker_use_ssl``: TLS, or a mapping of TLS options."""
    connection_timeout: Annotated[float, Meta(gt=0)] | None = 4.0
    """``broker_connection_timeout``: seconds for opening one connection. ``None``: the driver's own."""
    connection_retry: bool = True
    """``broker_connection_retry``: a worker that lost its broker tries again."""
    connection_retry_on_startup: bool | None = None
    """``broker_connection_retry_on_startup``: it also waits for the first connection. ``None``: as the one above."""
    connection_max_retries: Count | None = 100
    """``broker_connection_max_retries``: attempts before it gives up. ``None`` or 0: without end."""


class ResultSettings(Struct, frozen=True, kw_only=True):
    """``result_*``: where results are, and for how long."""

    backend: str | None = None
    """``result_backend``: URL of the result backend. ``None``: none, or the embedded store when there is no broker either."""
    backend_transport_options: Mapping[str, Any] = {}
    """``result_backend_transport_options``: options of the driver, such as ``global_keyprefix``."""
    serializer: str = "json"
    """``result_serializer``: how results become bytes."""
    compression: str | None = None
    """``result_compression``: method for stored results. ``None``: none."""
    accept_content: tuple[str, ...] | None = None
    """``result_accept_content``: what may be decoded of stored results. ``None``: as ``accept_content``."""
    expires: timedelta | Seconds | None = timedelta(days=1)
    """``result_expires``: how long results are kept; a bare number is seconds. ``None`` or 0: for ever."""
    extended: bool = False
    """``result_extended``: also store name, args, kwargs, worker, retries and queue."""

    @property
    def ttl_s(self) -> float | None:
        """How long a result is kept, seconds. ``None``: for ever."""
        seconds = self.expires.total_seconds() if isinstance(self.expires, timedelta) else self.expires
        return seconds or None


class RedisSettings(Struct, frozen=True, kw_only=True):
    """``redis_*``: connections to a Redis that keeps results."""

    backend_use_ssl: bool | Mapping[str, Any] | None = None
    """``redis_backend_use_ssl``: TLS, or a mapping of TLS options."""
    username: str | None = None
    """``redis_username``: user when the URL names none."""
    password: str | None = None
    """``redis_password``: password when the URL has none."""
    socket_timeout: Seconds | None = 120.0
    """``redis_socket_timeout``: seconds for one answer. Every call here has a shorter deadline of its own, which wins."""
    socket_connect_timeout: Seconds | None = None
    """``redis_socket_connect_timeout``: seconds for opening a connection. ``None``: the driver's own."""
    socket_keepalive: bool = False
    """``redis_socket_keepalive``: TCP keepalive; the driver keeps it on."""
    client_name: str | None = None
    """``redis_client_name``: name of our connections on the server."""


class TaskSettings(Struct, frozen=True, kw_only=True):
    """``task_*``: what holds for every task that does not say otherwise."""

    default_queue: Annotated[str, Meta(min_length=1, max_length=255)] = "celery"
    """``task_default_queue``: where messages go that no route sends elsewhere."""
    default_exchange: str | None = None
    """``task_default_exchange``: on brokers with exchanges. ``None``: the queue's name."""
    default_routing_key: str | None = None
    """``task_default_routing_key``: ``None``: the queue's name."""
    default_priority: Priority | None = None
    """``task_default_priority``: as the broker counts: on Redis and here 0 is served first. ``None``: 0."""
    default_delivery_mode: Literal[1, 2, "transient", "persistent"] = 2
    """``task_default_delivery_mode``: whether messages survive a restart of the broker; no effect on Redis and SQLite."""
    queues: Any = None
    """``task_queues``: queues that a worker serves; Queue objects or a mapping of names. ``None``: the default queue."""
    create_missing_queues: bool = True
    """``task_create_missing_queues``: a queue that ``task_queues`` does not name may be used."""
    routes: Any = None
    """``task_routes``: mapping of names and patterns, function, or a list of these."""
    serializer: str = "json"
    """``task_serializer``: how arguments become bytes."""
    compression: str | None = None
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
    """``task_acks_on_failure``: the same for failures only. ``None``: as the setting above."""
    acks_on_timeout: bool | None = None
    """``task_acks_on_timeout``: the same for the hard time limit only. ``None``: as the setting above."""
    reject_on_worker_lost: bool | None = None
    """``task_reject_on_worker_lost``: ``False``: a late-acked task whose process died is not delivered again. ``None``: it is."""
    max_deliveries: Annotated[int, Meta(ge=1)] = 5
    """``task_max_deliveries``: a message whose processes die that often goes to the dead letters. Celery has no such setting."""
    time_limit: Seconds | None = None
    """``task_time_limit``: hard limit of a run, seconds. ``None``: no limit."""
    soft_time_limit: Seconds | None = None
    """``task_soft_time_limit``: seconds after which SoftTimeLimitExceeded is raised in the task. ``None``: no limit."""
    inherit_parent_priority: bool = False
    """``task_inherit_parent_priority``: a task sent by a task has its priority unless it says otherwise."""
    publish_retry: bool = True
    """``task_publish_retry``: try again, within the deadline, when the broker does not answer."""
    publish_retry_policy: Mapping[str, Any] = field(default_factory=lambda: dict(PUBLISH_RETRY_POLICY))
    """``task_publish_retry_policy``: how often, with which pauses (seconds)."""
    repr_maxlevels: Count | None = 3
    """``task_repr_maxlevels``: nesting shown in ``argsrepr``. ``None`` or 0: no bound but the length."""


class WorkerSettings(Struct, frozen=True, kw_only=True):
    """``worker_*``: one node."""

    concurrency: Count | Literal["auto"] | None = None
    """``worker_concurrency``: tasks at a time. ``None``, 0 or ``"auto"``: one for each CPU core."""
    pool: str = "prefork"
    """``worker_pool``: ``prefork``, ``threads``, ``asyncio`` or ``solo``."""
    prefetch_multiplier: Count = 4
    """``worker_prefetch_multiplier``: cap on messages held for each slot, when set. 0: no cap."""
    max_tasks_per_child: Annotated[int, Meta(ge=1)] | None = None
    """``worker_max_tasks_per_child``: a process is replaced after so many tasks. ``None``: never."""
    hijack_root_logger: bool = True
    """``worker_hijack_root_logger``: the worker replaces the handlers of the root logger."""
    redirect_stdouts: bool = True
    """``worker_redirect_stdouts``: what tasks print goes to the log."""
    redirect_stdouts_level: str = "WARNING"
    """``worker_redirect_stdouts_level``: at this level."""
    log_color: bool | None = None
    """``worker_log_color``: coloured log lines. ``None``: on a terminal."""
    log_format: str = "[%(asctime)s: %(levelname)s/%(processName)s] %(message)s"
    """``worker_log_format``: format of log lines."""
    log_datefmt: str | None = None
    """``worker_log_datefmt``: format of their time."""
    task_log_format: str = "[%(asctime)s: %(levelname)s/%(processName)s] %(task_name)s[%(task_id)s]: %(message)s"
    """``worker_task_log_format``: format of lines that a task logs."""
    task_log_datefmt: str | None = None
    """``worker_task_log_datefmt``: format of their time."""
    logfile: str | None = None
    """``worker_logfile``: file for the log, as ``-f``. ``None``: standard error."""


class Settings(Struct, frozen=True, kw_only=True):
    """All sections, checked. A part of the program is handed the one that it needs."""

    general: GeneralSettings = GeneralSettings()
    broker: BrokerSettings = BrokerSettings()
    result: ResultSettings = ResultSettings()
    redis: RedisSettings = RedisSettings()
    task: TaskSettings = TaskSettings()
    worker: WorkerSettings = WorkerSettings()
