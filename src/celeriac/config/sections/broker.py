"""The settings of the broker.

In a program's life: ``app/parts/assembly.py`` opens the store that they name. Does not know: drivers.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from celeriac.config.sections.kinds import WITH_RABBITMQ, Count, Harmless, Options, Port, Seconds, Secretive, Text, Tls

_POOL: Final = Harmless("one process talks to its store on a few connections of its own, which are never exhausted")
_DEAD_PEERS: Final = Harmless("every call has a deadline, so a dead peer is noticed without heartbeats")


class BrokerSettings(Secretive, Struct, frozen=True, kw_only=True):
    """``broker_*``: where messages are."""

    url: str | list[str] | None = None
    """``broker_url``: URL of the broker; several (a list, or ``;`` between) are tried in order. ``None``: the embedded store."""
    read_url: str | list[str] | None = None
    """``broker_read_url``: how workers reach the broker; may not differ from ``broker_write_url``. ``None``: ``broker_url``."""
    write_url: str | list[str] | None = None
    """``broker_write_url``: how callers reach the broker; may not differ from ``broker_read_url``. ``None``: ``broker_url``."""
    transport: Text = None
    """``broker_transport``: scheme of the URL when it is given in parts. ``None``: ``amqp``."""
    host: Text = None
    """``broker_host``: host, when the URL is given in parts; read when ``broker_url`` is not set."""
    port: Port | None = None
    """``broker_port``: port, when the URL is given in parts. ``None``: the driver's own."""
    user: Text = None
    """``broker_user``: user, when the URL is given in parts."""
    password: Text = None
    """``broker_password``: password, when the URL is given in parts."""
    vhost: Text = None
    """``broker_vhost``: virtual host or database, when the URL is given in parts."""
    transport_options: Options = {}
    """``broker_transport_options``: options of the driver; ``visibility_timeout`` is the lease of a silent node, seconds."""
    use_ssl: Tls = False
    """``broker_use_ssl``: TLS, or a mapping of TLS options."""
    connection_timeout: Annotated[float, Meta(gt=0, extra={"unit": "seconds"})] | None = 4.0
    """``broker_connection_timeout``: for opening one connection. ``None``: the driver's own."""
    connection_retry: bool = True
    """``broker_connection_retry``: a worker waits for its first connection; a lost one always comes back."""
    connection_retry_on_startup: bool | None = None
    """``broker_connection_retry_on_startup``: the same, and wins. ``None``: as ``broker_connection_retry``."""
    connection_max_retries: Count | None = 100
    """``broker_connection_max_retries``: attempts at the first connection. ``None`` or 0: without end."""
    channel_error_retry: Annotated[bool, Harmless("every error of a connection leads to a new one")] = False
    """``broker_channel_error_retry``: connect again after errors of a channel, too."""
    failover_strategy: Annotated[Any, WITH_RABBITMQ] = None
    """``broker_failover_strategy``: how the next of several URLs is chosen. ``None``: in their order."""
    heartbeat: Annotated[Seconds | None, _DEAD_PEERS] = 120
    """``broker_heartbeat``: pause between signs of life on a connection. ``None`` or 0: none are sent."""
    heartbeat_checkrate: Annotated[float, _DEAD_PEERS] = 3.0
    """``broker_heartbeat_checkrate``: how many times in such a pause the peer is looked for."""
    login_method: Annotated[Text, WITH_RABBITMQ] = None
    """``broker_login_method``: SASL mechanism. ``None``: the driver's own."""
    native_delayed_delivery_queue_type: Annotated[Literal["quorum", "classic"], WITH_RABBITMQ] = "quorum"
    """``broker_native_delayed_delivery_queue_type``: type of the queues in which delayed messages wait."""
    pool_limit: Annotated[Count | None, _POOL] = 10
    """``broker_pool_limit``: most connections of one process. ``None`` or 0: each use opens its own."""
    pool_acquire_timeout: Annotated[Seconds | None, _POOL] = None
    """``broker_pool_acquire_timeout``: how long to wait for a connection of the pool. ``None``: for ever."""
