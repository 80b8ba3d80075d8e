"""The settings of results: how long and in which form they are kept, and how the server that keeps them is reached.

In a program's life: ``app/parts/assembly.py`` opens the result backend, ``app/results/results.py`` reads from it.
Does not know: drivers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from msgspec import Struct, field

from celeriac.config.sections.kinds import (
    WITH_RABBITMQ,
    WITH_STORES,
    Count,
    Harmless,
    Milliseconds,
    Names,
    Options,
    Port,
    Seconds,
    Secretive,
    Text,
    Tls,
)

_RETRIES: Final = Harmless("storing a result is tried again until the broker and the result backend are back")
_JOINS: Final = Harmless("a chord is joined by the store in the step that ends its last task; nobody polls")


class ResultSettings(Secretive, Struct, frozen=True, kw_only=True):
    """``result_*``: where results are, and for how long."""

    backend: Text = None
    """``result_backend``: URL of the result backend. ``None``: none, or the embedded store when there is no broker either."""
    backend_transport_options: Options = {}
    """``result_backend_transport_options``: options of the driver, such as ``global_keyprefix``."""
    serializer: str = "json"
    """``result_serializer``: how results become bytes."""
    compression: Text = None
    """``result_compression``: method for stored results. ``None``: none."""
    accept_content: Names | None = None
    """``result_accept_content``: what may be decoded of stored results. ``None``: as ``accept_content``."""
    expires: timedelta | Seconds | None = timedelta(days=1)
    """``result_expires``: how long results are kept; a bare number is seconds. ``None`` or 0: for ever."""
    extended: bool = False
    """``result_extended``: also store name, args, kwargs, worker, retries and queue."""
    chord_expires: timedelta | Seconds | None = None
    """``result_chord_expires``: how long a chord waits for its next part. ``None``: as results, 30 days at least. 0: for ever."""
    failure_expires: timedelta | Seconds | None = None
    """``result_failure_expires``: how long failures are kept. ``None``: as other results. 0: for ever."""
    chord_retry_interval: Annotated[Seconds, _JOINS] = 1.0
    """``result_chord_retry_interval``: pause between looks at a chord that the backend cannot count."""
    chord_join_timeout: Annotated[Seconds, _JOINS] = 3.0
    """``result_chord_join_timeout``: how long results of a chord's header may take to be read."""
    cache_max: Annotated[int | None, Harmless("a result remembers its own value; there is no shared cache to bound")] = -1
    """``result_cache_max``: results that a client keeps in memory. -1: none. 0 or ``None``: without bound."""
    persistent: Annotated[bool | None, Harmless("only results over rpc:// are messages")] = None
    """``result_persistent``: results that travel as messages survive a restart of the broker."""
    exchange: Annotated[str, WITH_RABBITMQ] = "celeryresults"
    """``result_exchange``: exchange of results that travel as messages."""
    exchange_type: Annotated[str, WITH_RABBITMQ] = "direct"
    """``result_exchange_type``: type of that exchange."""
    backend_always_retry: Annotated[bool, _RETRIES] = False
    """``result_backend_always_retry``: try again when the backend fails in a way that may pass."""
    backend_max_retries: Annotated[Seconds, _RETRIES] = float("inf")
    """``result_backend_max_retries``: how many times."""
    backend_base_sleep_between_retries_ms: Annotated[Milliseconds, _RETRIES] = 10
    """``result_backend_base_sleep_between_retries_ms``: the first pause."""
    backend_max_sleep_between_retries_ms: Annotated[Milliseconds, _RETRIES] = 10000
    """``result_backend_max_sleep_between_retries_ms``: the longest pause."""
    backend_thread_safe: Annotated[bool | None, Harmless("the store is safe in any thread")] = None
    """``result_backend_thread_safe``: threads share one backend."""

    @property
    def ttl_s(self) -> float | None:
        """How long a result is kept, seconds. ``None``: for ever."""
        return _seconds(self.expires)

    @property
    def failure_ttl_s(self) -> float | None:
        """How long a failure is kept, seconds. ``None``: for ever."""
        return self.ttl_s if self.failure_expires is None else _seconds(self.failure_expires)

    @property
    def chord_ttl_s(self) -> float | None:
        """How long the size, the parts and the saved header of a chord are kept after the last part came, seconds. ``None``: for
        ever. Longer than results: a member may have a date, or take its time, and without the size the body never runs."""
        if self.chord_expires is not None:
            return _seconds(self.chord_expires)
        return None if self.ttl_s is None else max(self.ttl_s, WAITED_FOR_S)


WAITED_FOR_S: Final = timedelta(days=30).total_seconds()
"""A workflow may wait for a date: what it waits for is kept for so long at least."""
FOR_EVER_S: Final = 100 * 365 * 86400.0
"""Whoever keeps results longer keeps them for ever: stores count milliseconds, and refuse what they cannot count."""


def _seconds(kept: timedelta | float | None) -> float | None:
    seconds = (kept.total_seconds() if isinstance(kept, timedelta) else kept) or None
    return None if seconds is not None and seconds >= FOR_EVER_S else seconds


class RedisSettings(Secretive, Struct, frozen=True, kw_only=True):
    """``redis_*``: connections to a Redis that keeps results."""

    backend_use_ssl: Tls | None = None
    """``redis_backend_use_ssl``: TLS, or a mapping of TLS options."""
    host: Text = None
    """``redis_host``: host, when ``result_backend`` is the bare word ``redis``. ``None``: ``localhost``."""
    port: Port | None = None
    """``redis_port``: port, in the same case. ``None``: 6379."""
    db: Count | str | None = None
    """``redis_db``: number of the database, in the same case. ``None``: 0."""
    username: Text = None
    """``redis_username``: user when the URL names none."""
    password: Text = None
    """``redis_password``: password when the URL has none."""
    socket_timeout: Annotated[Seconds | None, Harmless("every call has a shorter deadline of its own")] = 120.0
    """``redis_socket_timeout``: for one answer."""
    socket_connect_timeout: Seconds | None = None
    """``redis_socket_connect_timeout``: for opening a connection. ``None``: the driver's own."""
    socket_keepalive: Annotated[bool, Harmless("it is always on")] = False
    """``redis_socket_keepalive``: TCP keepalive."""
    client_name: Text = None
    """``redis_client_name``: name of our connections on the server."""
    max_connections: Annotated[Count | None, Harmless("one process holds a few connections, not a pool")] = None
    """``redis_max_connections``: most connections of one process. ``None``: no bound."""
    retry_on_timeout: Annotated[bool, Harmless("a call is tried again within its deadline")] = False
    """``redis_retry_on_timeout``: try again when an answer took too long."""
    backend_credential_provider: Annotated[Any, WITH_STORES] = None
    """``redis_backend_credential_provider``: object, or dotted name of its class, that hands out user and password."""
    backend_health_check_interval: Annotated[Seconds | None, Harmless("a connection that fails is replaced at once")] = None
    """``redis_backend_health_check_interval``: pause between checks of an idle connection."""


class DatabaseSettings(Secretive, Struct, frozen=True, kw_only=True):
    """``database_*``: results in a SQL database, ``db+...://``."""

    url: Annotated[Text, WITH_STORES] = None
    """``database_url``: the database, when ``result_backend`` is the bare word ``database``."""
    engine_options: Annotated[Mapping[str, Any] | None, WITH_STORES] = field(
        default_factory=lambda: {"pool_pre_ping": True, "pool_recycle": 3600}
    )
    """``database_engine_options``: keywords of SQLAlchemy's ``create_engine``; ``pool_recycle`` is seconds."""
    engine_callback: Annotated[Any, WITH_STORES] = None
    """``database_engine_callback``: function, or its dotted name, that is handed each new engine."""
    short_lived_sessions: Annotated[bool, WITH_STORES] = False
    """``database_short_lived_sessions``: every operation opens a session of its own."""
    table_schemas: Annotated[Mapping[str, Any] | None, WITH_STORES] = None
    """``database_table_schemas``: ``task`` and ``group`` -> the schema of its table."""
    table_names: Annotated[Mapping[str, Any] | None, WITH_STORES] = None
    """``database_table_names``: ``task`` and ``group`` -> the name of its table."""
    create_tables_at_setup: Annotated[bool, WITH_STORES] = True
    """``database_create_tables_at_setup``: tables are made when the backend is opened, not when it is first used."""
