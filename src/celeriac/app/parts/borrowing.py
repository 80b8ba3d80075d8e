"""Borrowing: what programs of Celery take from an app, under Celery's names.

In a program's life: beside it; sending and reading results do not come by here. Connections and producers are views of the
app's one store (``connection.py``), ``amqp`` one of its queues and routes. Names and meanings: Celery's guide, "Application",
and its reference of ``celery.Celery``. Does not know: how any of it is done.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from importlib import import_module
from threading import get_ident
from typing import Any

from celeriac.abc import Runtime, Store
from celeriac.app.borrowed.amqp import AMQP
from celeriac.app.borrowed.bug_report import bug_report
from celeriac.app.borrowed.connection import Borrowed, ByHand, Connection, Pool, url_of
from celeriac.app.borrowed.loading import Loader
from celeriac.app.borrowed.log_view import Logging
from celeriac.app.monitoring.events_view import Events
from celeriac.app.parts.assembly import router_of
from celeriac.app.parts.importing import Importing
from celeriac.app.parts.registering import TaskClass
from celeriac.config.sources import load
from celeriac.control.asking import Asking
from celeriac.control.client import Control
from celeriac.control.commands import Exchanges
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.routing import Router
from celeriac.drivers.registry import open_store
from celeriac.drivers.url import scheme_of


class Borrowing(Importing):
    """The part of an app that lends."""

    def __init__(self, main: str | None, given: Mapping[str, Any], runtime: Runtime, task_cls: TaskClass | None) -> None:
        """Nothing is lent yet."""
        super().__init__(main, given, runtime, task_cls)
        self.pool: Pool[Connection] = Pool(self.connection_for_write)
        """Lends connections."""
        self.producer_pool: Pool[ByHand] = Pool(lambda: ByHand(self.connection_for_write()))
        """Lends producers."""
        self.selected_queues: tuple[str, ...] | None = None
        """What ``select_queues`` said."""
        self._router: tuple[int, Router] | None = None
        self._oid: tuple[int, str] | None = None

    @cached_property
    def amqp(self) -> AMQP:
        """Queues, routes, messages."""
        made: AMQP = self._class_of("amqp", AMQP)(self)
        return made

    @cached_property
    def loader(self) -> Loader:
        """Imports the app's modules."""
        made: Loader = self._class_of("loader", Loader)(self)
        return made

    @cached_property
    def log(self) -> Logging:
        """Sets the log up, for programs that are no worker."""
        made: Logging = self._class_of("log", Logging)(self)
        return made

    def import_tasks(self) -> None:
        """As below. The loader is there from a worker's first step on: one of a program's own waits for what comes."""
        modules = self.loader.builtin_modules
        super().import_tasks()
        for name in modules:
            self.loader.import_task_module(name)

    def _class_of(self, part: str, usual: type) -> Any:
        """Return the class that a program of its own names for a part; Celery's own classes mean ours."""
        named = getattr(self, f"{part}_cls", None)
        if named is None or is_celerys(named):
            return usual
        return load(named, what=f"the class of app.{part}") if isinstance(named, str) else named

    # ---- connections -------------------------------------------------------------------------------------------

    def connection_for_read(self, url: str | None = None, **options: Any) -> Connection:
        """Return a connection for reading: see ``connection``."""
        return self.connection(url, **options)

    def connection_for_write(self, url: str | None = None, **options: Any) -> Connection:
        """Return a connection for sending: see ``connection``."""
        return self.connection(url, **options)

    def connection(
        self,
        hostname: str | None = None,
        userid: str | None = None,
        password: str | None = None,
        virtual_host: str | None = None,
        port: int | None = None,
        ssl: Any = None,
        connect_timeout: float | None = None,
        transport: str | None = None,
        transport_options: Mapping[str, Any] | None = None,
        heartbeat: float | None = None,
        login_method: str | None = None,
        failover_strategy: Any = None,
        **further: Any,
    ) -> Connection:
        """Return a connection to the broker, which is asked nothing yet.

        Args:
            hostname: URL of another broker, or its host. ``None``: the app's broker.
            userid: With a host: parts of the URL, as ``password``, ``virtual_host``, ``port`` and ``transport`` are.
            password: See ``userid``.
            virtual_host: See ``userid``; on Redis, the number of the database.
            port: See ``userid``.
            ssl: Refused, as the others below: these are settings of the app, ``broker_use_ssl`` and the like.
            connect_timeout: Refused.
            transport: Scheme of the URL.
            transport_options: Refused.
            heartbeat: Refused.
            login_method: Refused.
            failover_strategy: Refused.
            further: Refused.

        Raises:
            ImproperlyConfigured: an option that is refused, or a URL that no driver serves.
        """
        settings = {"use_ssl": ssl, "connection_timeout": connect_timeout, "transport_options": transport_options}
        settings |= {"heartbeat": heartbeat, "login_method": login_method, "failover_strategy": failover_strategy, **further}
        refused = sorted(f"broker_{name}" for name, value in settings.items() if value is not None)
        if refused:
            raise ImproperlyConfigured(f"a connection is as the app's settings have it: set {', '.join(refused)} there")
        own = self.places.broker
        parts = (userid, password, virtual_host, port, transport)
        url = own if hostname is None and not any(parts) else url_of(hostname, own, *parts)
        if url == own:
            return Connection(own, lambda: self.store, self.runtime, shared=True)
        scheme_of(url)
        return Connection(url, lambda: self._open_other(url), self.runtime, shared=False)

    broker_connection = connection

    def _open_other(self, url: str) -> Store:
        return open_store(url, None, runtime=self.runtime, environ=os.environ)

    def connection_or_acquire(self, connection: Any = None, pool: bool = True, *_: Any, **__: Any) -> Borrowed[Any]:
        """``with`` this: the connection that was given, or one of the pool."""
        return Borrowed(connection, self.pool.acquire if pool else self.connection_for_write)

    default_connection = connection_or_acquire

    def producer_or_acquire(self, producer: Any = None) -> Borrowed[Any]:
        """``with`` this: the producer that was given, or one of the pool."""
        return Borrowed(producer, self.producer_pool.acquire)

    default_producer = producer_or_acquire

    # ---- queues ------------------------------------------------------------------------------------------------

    @property
    def router(self) -> Router:
        """Where calls go; made anew when a setting has changed."""
        known = self._router
        if known is None or known[0] != self.conf.revision:
            known = self._router = (self.conf.revision, router_of(self.settings.task))
        return known[1]

    def queue_names(self) -> Sequence[str]:
        """Queues that a worker serves unless it is told others: the selected ones, those of ``task_queues``, or the default."""
        return super().queue_names() if self.selected_queues is None else self.selected_queues

    def select_queues(self, queues: Iterable[str] | None = None) -> None:
        """Have a worker that is told no queues serve these."""
        self.amqp.queues.select(queues)

    # ---- workers -----------------------------------------------------------------------------------------------

    @cached_property
    def control(self) -> Control:
        """Speaks to running workers."""
        made: Control = self._class_of("control", Control)(self)
        return made

    @cached_property
    def events(self) -> Events:
        """Tells monitors what happens, and hears it."""
        made: Events = self._class_of("events", Events)(self)
        return made

    @property
    def asking(self) -> Asking:
        """How commands reach workers, by the settings as they are now.

        Raises:
            ImproperlyConfigured: ``control_queue_durable`` and ``control_queue_exclusive`` exclude each other.
        """
        told = self.settings.control
        if told.queue_durable and told.queue_exclusive:
            raise ImproperlyConfigured(
                "control_queue_durable and control_queue_exclusive exclude each other: a queue of one connection goes with it"
            )
        return Asking(
            Exchanges(told.exchange),
            clock=self.clock,
            runtime=self.runtime,
            serializer=self.settings.task.serializer,
            accept=self.accept_content,
        )

    # ---- programs that start workers by themselves --------------------------------------------------------------

    @property
    def Worker(self) -> Any:  # noqa: N802 - Celery's name
        """The class of workers of this app: ``app.Worker(concurrency=2).start()``."""
        return self._program("Worker")

    WorkController = Worker

    @property
    def Beat(self) -> Any:  # noqa: N802 - Celery's name
        """The class of schedulers of this app: ``app.Beat().run()``."""
        return self._program("Beat")

    def _program(self, name: str) -> Any:
        # Late, and by its name: the command line stands above the app and imports it.
        programs = import_module("celeriac.cli.programs")
        return programs.bound(getattr(programs, name), self)

    # ---- time, names, reports ----------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the present moment in the app's time zone."""
        return self.runtime.now().astimezone(self.timezone)

    def uses_utc_timezone(self) -> bool:
        """Say whether the app's time zone is UTC."""
        return str(self.timezone) == "UTC"

    @property
    def oid(self) -> str:
        """Id of this app in this process."""
        if self._oid is None or self._oid[0] != os.getpid():
            self._oid = (os.getpid(), self.runtime.new_id())
        return self._oid[1]

    @property
    def thread_oid(self) -> str:
        """Id of this app in this thread."""
        return f"{self.oid}-{get_ident()}"

    def either(self, default_key: str, *defaults: Any) -> Any:
        """Return the first of ``defaults`` that is not ``None``, else the setting ``default_key``."""
        return next((value for value in defaults if value is not None), self.conf[default_key])

    def bugreport(self) -> str:
        """Return what somebody who is to help needs to know, as text. Secrets are masked."""
        return bug_report(self)


def is_celerys(named: object) -> bool:
    """Say whether this names a class of Celery's, or one of its loaders by its short name."""
    return isinstance(named, str) and (named.startswith("celery.") or named in {"app", "default"})
