"""From settings to the parts of an app: which part is handed what.

In a program's life: when the app first needs its store or its producer. Nothing is connected here.
Does not know: the app.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any
from urllib.parse import quote

from celeriac.abc import ResultBackend, Runtime, Store
from celeriac.app.monitoring.sent_events import SentEvents
from celeriac.app.outbox import Outbox
from celeriac.app.plan import Surroundings
from celeriac.app.producer import Producer
from celeriac.config.sections import BrokerSettings, Settings, TaskSettings
from celeriac.config.sources import load
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.masking import mask
from celeriac.core.routing import Router
from celeriac.drivers.registry import DriverOptions, open_results, open_store


def broker_url(settings: Settings) -> str | None:
    """Return ``broker_url`` as one URL; several are joined by ``;``.

    Raises:
        ImproperlyConfigured: ``broker_read_url`` and ``broker_write_url`` differ.
    """
    broker = settings.broker
    url = _joined(broker.url) or _made_of_parts(broker)
    read, write = _joined(broker.read_url) or url, _joined(broker.write_url) or url
    if read != write:
        raise ImproperlyConfigured(
            f"broker_read_url ({mask(str(read))!r}) and broker_write_url ({mask(str(write))!r}) differ: a worker ends a task and"
            " sends what follows in one step, on one connection; set both to a URL on which one can do both, or broker_url alone"
        )
    return _secured(read, broker.use_ssl)


def _joined(url: str | list[str] | None) -> str | None:
    return ";".join(url) if isinstance(url, list) else url


def _made_of_parts(broker: BrokerSettings) -> str | None:
    """Return the URL of a broker that is given by ``broker_host`` and its likes. Source: Celery's page on old settings."""
    host = broker.host
    if not host and not broker.transport:
        return None
    if host and "://" in host:
        return host
    login = quote(broker.user or "", safe="") + (":" + quote(broker.password, safe="") if broker.password else "")
    port = "" if broker.port is None else f":{broker.port}"
    database = quote((broker.vhost or "").removeprefix("/"), safe="")
    return f"{broker.transport or 'amqp'}://{login}{'@' if login else ''}{host or ''}{port}/{database}"


def result_url(settings: Settings) -> str | None:
    """Return ``result_backend`` as a URL."""
    url, redis = settings.result.backend, settings.redis
    if url == "redis" and (redis.host or redis.port or redis.db):
        url = f"redis://{redis.host or 'localhost'}:{redis.port or 6379}/{redis.db or 0}"
    return _secured(url, redis.backend_use_ssl)


def _secured(url: str | None, use_ssl: bool | Mapping[str, Any] | None) -> str | None:
    """Who asked for TLS must never talk in plain text because the URL does not say so, too."""
    if not url or not use_ssl:
        return url
    return ";".join("rediss://" + part[len("redis://") :] if part.startswith("redis://") else part for part in url.split(";"))


def address_of(settings: Settings) -> tuple[str | None, str | None, DriverOptions]:
    """Return all that decides which store is opened: when it changes, another one is meant."""
    return broker_url(settings), result_url(settings), driver_options(settings)


def store_of(settings: Settings, runtime: Runtime, environ: Mapping[str, str]) -> Store:
    """Return the store that the settings name, not connected yet."""
    return open_store(
        broker_url(settings), result_url(settings), runtime=runtime, environ=environ, options=driver_options(settings)
    )


def results_of(url: str, settings: Settings, runtime: Runtime, environ: Mapping[str, str]) -> ResultBackend | None:
    """Return the result backend that a task's own URL names, not connected yet; ``None``: it is the app's."""
    own = broker_url(settings), result_url(settings)
    secured = _secured(url, settings.redis.backend_use_ssl) or url
    return open_results(secured, *own, runtime=runtime, environ=environ, options=driver_options(settings))


def driver_options(settings: Settings) -> DriverOptions:
    """Return the settings that drivers ask for, under the drivers' names."""
    broker: dict[str, Any] = dict(settings.broker.transport_options)
    if settings.broker.connection_timeout is not None:
        broker.setdefault("socket_connect_timeout", settings.broker.connection_timeout)
    if isinstance(settings.broker.use_ssl, Mapping):
        broker.update(settings.broker.use_ssl)
    redis, results = settings.redis, dict(settings.result.backend_transport_options)
    names = ("username", "password", "client_name", "socket_connect_timeout")
    results = {name: getattr(redis, name) for name in names if getattr(redis, name) is not None} | results
    if isinstance(redis.backend_use_ssl, Mapping):
        results.update(redis.backend_use_ssl)
    for options, use_ssl in ((broker, settings.broker.use_ssl), (results, redis.backend_use_ssl)):
        if use_ssl and not any(name.startswith("ssl_") for name in options):
            # Sentinels' URLs cannot say that TLS is meant: an option of TLS does.
            options["ssl_cert_reqs"] = "required"
    return DriverOptions(broker=broker, results=results)


def surroundings_of(runtime: Runtime, zone: tzinfo) -> Surroundings:
    """Return where calls are made: what a planner must not look up itself."""
    return Surroundings(
        now=runtime.now,
        new_id=runtime.new_id,
        zone=zone,
        origin=f"gen{os.getpid()}@{os.uname().nodename}",
        reply_to=runtime.new_id(),
    )


def make_producer(
    store: Store,
    settings: TaskSettings,
    outbox: Outbox,
    runtime: Runtime,
    here: Surroundings,
    *,
    sent: SentEvents | None = None,
) -> Producer:
    """Return the producer that these settings describe."""
    return Producer(
        store,
        here=here,
        router=router_of(settings),
        routes_by_name=_are_data(settings.routes),
        outbox=outbox,
        runtime=runtime,
        retry=settings.publish_retry,
        retry_policy=settings.publish_retry_policy,
        sent=sent,
    )


def _are_data(routes: Any) -> bool:
    """Say whether the routes are mappings and pairs alone: then the name of a task decides, and no code of the user's."""
    if isinstance(routes, list | tuple):
        return all(isinstance(route, Mapping | list | tuple) for route in routes)
    return routes is None or isinstance(routes, Mapping)


def _imported(routes: Any) -> Any:
    """Return the routes with what a dotted name means in its place: a router may be named. Source: Celery's ``task_routes``."""
    if isinstance(routes, list | tuple):
        return [_imported(route) if isinstance(route, str) else route for route in routes]
    if not isinstance(routes, str) or not all(part.isidentifier() for part in routes.replace(":", ".").split(".")):
        return routes
    found = load(routes, what="what task_routes names,")
    return found() if isinstance(found, type) else found


def router_of(settings: TaskSettings) -> Router:
    """Return the routes that these settings describe."""
    return Router(
        _imported(settings.routes),
        queues=settings.queues or (),
        default_queue=settings.default_queue,
        default_exchange=settings.default_exchange,
        default_routing_key=settings.default_routing_key,
        default_exchange_type=settings.default_exchange_type,
        create_missing=settings.create_missing_queues,
    )
