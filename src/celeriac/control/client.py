"""Control: what a program says to running workers. ``app.control``.

In a command's life: its first step. Each method is one command with its arguments; ``broadcast`` says any other, also those of
users. Names and meanings: Celery's reference of ``celery.app.control.Control``. Does not know: how a command travels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Protocol

from celeriac.abc import Store
from celeriac.control.asking import Asking, Gathered, command_of
from celeriac.control.inspecting import Inspect, flatten_reply
from celeriac.core.rules import stamp_values

TERM: Final = "SIGTERM"
"""The signal with which a running task is ended, unless another is named."""

Destination = Sequence[str] | None

__all__ = ["Control", "Inspect", "flatten_reply"]


class Home(Protocol):
    """An app, as seen from here."""

    @property
    def store(self) -> Store:
        """Where its nodes are."""

    @property
    def asking(self) -> Asking:
        """How it speaks to them."""

    def queue_names(self) -> Sequence[str]:
        """Queues that its workers serve."""


class Control:
    """Says commands to the nodes of an app.

    All methods but ``inspect`` and ``purge`` take the keywords of ``broadcast`` and return what it returns: ``None``, or, with
    ``reply=True``, a list of ``{node: answer}``.
    """

    def __init__(self, app: Any = None) -> None:
        """Nothing is connected yet.

        Raises:
            ImproperlyConfigured: ``control_queue_durable`` and ``control_queue_exclusive`` exclude each other.
        """
        self.app: Home = app
        _ = app.asking  # checks the settings

    @cached_property
    def inspect(self) -> type[Inspect]:
        """``inspect()`` asks the app's nodes: see ``Inspect`` for its arguments and questions."""
        return type("Inspect", (Inspect,), {"app": self.app, "__doc__": Inspect.__doc__})

    def broadcast(
        self,
        command: str,
        arguments: Mapping[str, Any] | None = None,
        destination: Destination = None,
        connection: Any = None,
        reply: bool = False,
        timeout: float | None = 1.0,
        limit: int | None = None,
        callback: Callable[[dict[str, Any]], object] | None = None,
        channel: Any = None,
        pattern: str | None = None,
        matcher: str | None = None,
        **extra_kwargs: Any,
    ) -> Gathered | None:
        """Say a command to nodes.

        Args:
            command: Its name.
            arguments: Its arguments.
            destination: The nodes that are meant. ``None``: as ``pattern`` says, or all.
            connection: A connection of another broker, from ``app.connection(url)``. ``None``: the app's own.
            reply: Wait for answers, and return them.
            timeout: Seconds to wait for answers in all.
            limit: Do not wait for more answers than these. ``None``: as many as there are destinations, or all that come in time.
            callback: Called with each answer when it comes.
            channel: Without effect: a connection has no channels.
            pattern: The nodes whose name fits are meant; together with ``matcher``.
            matcher: ``"glob"`` or ``"pcre"``.
            extra_kwargs: More arguments of the command.

        Raises:
            ValueError: a destination that is no list.
            BrokerUnreachable: the command could not be said.
        """
        del channel
        said = command_of(
            command, {**(arguments or {}), **extra_kwargs}, destination=destination, pattern=pattern, matcher=matcher
        )
        broadcast = getattr(connection, "store", self.app.store).broadcast
        if not reply:
            self.app.asking.tell(broadcast, said)
            return None
        return self.app.asking.ask(
            broadcast, said, timeout_s=timeout or 0.0, limit=limit or len(destination or ()) or None, callback=callback
        )

    def purge(self, connection: Any = None) -> int:
        """Drop all messages that wait in the queues of the app's workers; return how many."""
        return int(getattr(connection, "store", self.app.store).purge(self.app.queue_names()))

    discard_all = purge

    # Tasks.

    def revoke(
        self,
        task_id: str | Iterable[str],
        destination: Destination = None,
        terminate: bool = False,
        signal: str = TERM,
        **kwargs: Any,
    ) -> Gathered | None:
        """See to it that tasks do not start. The store remembers it, so nodes that are started later know.

        Args:
            task_id: The task, or several.
            destination: Nodes that are told; the store is told in any case.
            terminate: Also end those that run, with ``signal``, in whatever node.
            signal: Its name.
            kwargs: As of ``broadcast``.
        """
        ids = [task_id] if isinstance(task_id, str) else [str(id) for id in task_id]
        if ids:
            getattr(kwargs.get("connection"), "store", self.app.store).revoke(ids)
        arguments = {"task_id": task_id if isinstance(task_id, str) else ids, "terminate": terminate, "signal": signal}
        return self.broadcast("revoke", destination=destination, arguments=arguments, **kwargs)

    def revoke_by_stamped_headers(
        self,
        headers: Mapping[str, str | Sequence[str]],
        destination: Destination = None,
        terminate: bool = False,
        signal: str = TERM,
        **kwargs: Any,
    ) -> Gathered | None:
        """See to it that tasks with one of these stamps do not start: header -> value, or several. The rest: as ``revoke``."""
        stamps = {header: list(stamp_values(values)) for header, values in headers.items()}
        getattr(kwargs.get("connection"), "store", self.app.store).revoke_stamps(stamps)
        arguments = {"headers": headers, "terminate": terminate, "signal": signal}
        return self.broadcast("revoke_by_stamped_headers", destination=destination, arguments=arguments, **kwargs)

    def terminate(
        self, task_id: str | Iterable[str], destination: Destination = None, signal: str = TERM, **kwargs: Any
    ) -> Gathered | None:
        """Revoke tasks, and end those that run."""
        return self.revoke(task_id, destination=destination, terminate=True, signal=signal, **kwargs)

    def rate_limit(
        self, task_name: str, rate_limit: int | str | None, destination: Destination = None, **kwargs: Any
    ) -> Gathered | None:
        """Have nodes start no more runs of a task than so many a second, or ``"10/m"``, ``"5/h"``. ``None``, 0: no limit."""
        arguments = {"task_name": task_name, "rate_limit": rate_limit}
        return self.broadcast("rate_limit", destination=destination, arguments=arguments, **kwargs)

    def time_limit(
        self, task_name: str, soft: float | None = None, hard: float | None = None, destination: Destination = None, **kwargs: Any
    ) -> Gathered | None:
        """Have nodes end runs of a task that take longer, seconds; those that begin from now on. ``None``: no such limit."""
        arguments = {"task_name": task_name, "hard": hard, "soft": soft}
        return self.broadcast("time_limit", destination=destination, arguments=arguments, **kwargs)

    # Queues.

    def add_consumer(
        self,
        queue: str,
        exchange: str | None = None,
        exchange_type: str | None = "direct",
        routing_key: str | None = None,
        options: Mapping[str, Any] | None = None,
        destination: Destination = None,
        **kwargs: Any,
    ) -> Gathered | None:
        """Have nodes serve one more queue.

        Args:
            queue: Its name.
            exchange: What it is bound to; on a store without exchanges without effect, as the next two.
            exchange_type: See ``exchange``.
            routing_key: See ``exchange``.
            options: More of the queue, by the names of kombu's ``Queue``.
            destination: Nodes that are meant.
            kwargs: As of ``broadcast``.
        """
        named = {"queue": queue, "exchange": exchange, "exchange_type": exchange_type, "routing_key": routing_key}
        return self.broadcast("add_consumer", destination=destination, arguments={**named, **(options or {})}, **kwargs)

    def cancel_consumer(self, queue: str, destination: Destination = None, **kwargs: Any) -> Gathered | None:
        """Have nodes serve a queue no longer. What they run goes on."""
        return self.broadcast("cancel_consumer", destination=destination, arguments={"queue": queue}, **kwargs)

    # Processes.

    def pool_grow(self, n: int = 1, destination: Destination = None, **kwargs: Any) -> Gathered | None:
        """Have nodes run ``n`` tasks more at a time."""
        return self.broadcast("pool_grow", destination=destination, arguments={"n": n}, **kwargs)

    def pool_shrink(self, n: int = 1, destination: Destination = None, **kwargs: Any) -> Gathered | None:
        """Have nodes run ``n`` tasks fewer at a time. What runs goes on."""
        return self.broadcast("pool_shrink", destination=destination, arguments={"n": n}, **kwargs)

    def pool_restart(
        self,
        modules: Sequence[str] | None = None,
        reload: bool = False,
        reloader: Any = None,
        destination: Destination = None,
        **kwargs: Any,
    ) -> Gathered | None:
        """Have nodes with ``worker_pool_restarts`` replace their processes. What runs goes on to its end.

        Args:
            modules: Modules to import, or, with ``reload``, to load again.
            reload: See ``modules``.
            reloader: Goes with the command, as in Celery; a function cannot travel as JSON.
            destination: Nodes that are meant.
            kwargs: As of ``broadcast``.
        """
        arguments = {"modules": modules, "reload": reload, "reloader": reloader}
        return self.broadcast("pool_restart", destination=destination, arguments=arguments, **kwargs)

    def autoscale(self, max: int, min: int, destination: Destination = None, **kwargs: Any) -> Gathered | None:
        """Change the bounds of nodes that were started with ``--autoscale``."""
        return self.broadcast("autoscale", destination=destination, arguments={"max": max, "min": min}, **kwargs)

    def shutdown(self, destination: Destination = None, **kwargs: Any) -> Gathered | None:
        """Have nodes stop when what they run has ended. None of them answers."""
        return self.broadcast("shutdown", destination=destination, arguments={}, **kwargs)

    # Who is there, and what they tell.

    def ping(self, destination: Destination = None, timeout: float | None = 1.0, **kwargs: Any) -> Gathered:
        """Ask who is there: a list of ``{node: {"ok": "pong"}}``."""
        heard = self.broadcast("ping", reply=True, arguments={}, destination=destination, timeout=timeout, **kwargs)
        return heard or []

    def enable_events(self, destination: Destination = None, **kwargs: Any) -> Gathered | None:
        """Have nodes tell monitors what happens to tasks."""
        return self.broadcast("enable_events", destination=destination, arguments={}, **kwargs)

    def disable_events(self, destination: Destination = None, **kwargs: Any) -> Gathered | None:
        """Have nodes tell monitors of tasks no more."""
        return self.broadcast("disable_events", destination=destination, arguments={}, **kwargs)

    def heartbeat(self, destination: Destination = None, **kwargs: Any) -> Gathered | None:
        """Have nodes tell monitors at once that they are alive."""
        return self.broadcast("heartbeat", destination=destination, arguments={}, **kwargs)

    def election(self, id: str, topic: str, action: Any = None, connection: Any = None) -> None:
        """Have one of the nodes act: with the topic ``"task"``, send the task whose signature is ``action``."""
        self.broadcast("election", connection=connection, arguments={"id": id, "topic": topic, "action": action})
