"""From settings to the parts of an app: which part is handed what.

In a program's life: when the app first needs its store or its producer. Nothing is connected here.
Does not know: the app.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from celeriac.abc import Runtime, Store
from celeriac.app.outbox import Outbox
from celeriac.app.plan import Surroundings
from celeriac.app.producer import Producer
from celeriac.config.sections import Settings, TaskSettings
from celeriac.core.routing import Router
from celeriac.drivers.registry import DriverOptions, open_store


def broker_url(settings: Settings) -> str | None:
    """Return ``broker_url`` as one URL; several are joined by ``;``."""
    url = settings.broker.url
    return _secured(";".join(url) if isinstance(url, list) else url, settings.broker.use_ssl)


def result_url(settings: Settings) -> str | None:
    """Return ``result_backend`` as a URL."""
    return _secured(settings.result.backend, settings.redis.backend_use_ssl)


def _secured(url: str | None, use_ssl: bool | Mapping[str, Any] | None) -> str | None:
    """Who asked for TLS must never talk in plain text because the URL does not say so, too."""
    if not url or not use_ssl:
        return url
    return ";".join("rediss://" + part[len("redis://") :] if part.startswith("redis://") else part for part in url.split(";"))


def store_of(settings: Settings, runtime: Runtime, environ: Mapping[str, str]) -> Store:
    """Return the store that the settings name, not connected yet."""
    return open_store(
        broker_url(settings), result_url(settings), runtime=runtime, environ=environ, options=driver_options(settings)
    )


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


def make_producer(store: Store, settings: TaskSettings, outbox: Outbox, runtime: Runtime, zone: tzinfo) -> Producer:
    """Return the producer that these settings describe."""
    here = Surroundings(
        now=runtime.now,
        new_id=runtime.new_id,
        zone=zone,
        origin=f"gen{os.getpid()}@{os.uname().nodename}",
        reply_to=runtime.new_id(),
    )
    return Producer(
        store,
        here=here,
        router=router_of(settings),
        routes_by_name=_are_data(settings.routes),
        outbox=outbox,
        retry=settings.publish_retry,
        retry_policy=settings.publish_retry_policy,
    )


def _are_data(routes: Any) -> bool:
    """Say whether the routes are mappings and pairs alone: then the name of a task decides, and no code of the user's."""
    if isinstance(routes, list | tuple):
        return all(isinstance(route, Mapping | list | tuple) for route in routes)
    return routes is None or isinstance(routes, Mapping)


def router_of(settings: TaskSettings) -> Router:
    """Return the routes that these settings describe."""
    return Router(
        settings.routes,
        queues=settings.queues or (),
        default_queue=settings.default_queue,
        default_exchange=settings.default_exchange,
        default_routing_key=settings.default_routing_key,
        create_missing=settings.create_missing_queues,
    )
