"""Inspect: questions to running workers that change nothing, and their answers by node.

In a program's life: ``app.control.inspect()``. Names, arguments and shapes of the answers are Celery's: its reference of
``celery.app.control.Inspect``. Does not know: how a question travels.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from celeriac.control.commands import matches
from celeriac.core.errors import DuplicateNodenameWarning

ByNode = dict[str, Any]


def flatten_reply(reply: Sequence[Mapping[str, Any]]) -> ByNode:
    """Return one mapping from node to answer, of a list of such; a warning names those that answered more than once."""
    nodes: ByNode = {}
    twice: set[str] = set()
    for item in reply:
        twice |= nodes.keys() & item.keys()
        nodes.update(item)
    if twice:
        names = ", ".join(sorted(twice))
        warnings.warn(
            DuplicateNodenameWarning(f"several workers answer to one name: {names}; give each its own with `worker -n`"),
            stacklevel=2,
        )
    return nodes


class Inspect:
    """What nodes answer. Each question returns ``{node: answer}``; ``None`` if nobody answered in time."""

    app: Any = None
    """Whose nodes are asked."""

    def __init__(
        self,
        destination: str | Sequence[str] | None = None,
        timeout: float | None = 1.0,
        callback: Callable[[dict[str, Any]], object] | None = None,
        connection: Any = None,
        app: Any = None,
        limit: int | None = None,
        pattern: str | None = None,
        matcher: str | None = None,
    ) -> None:
        """Nobody is asked yet.

        Args:
            destination: Ask these nodes. The name of one: each question returns its answer, bare.
            timeout: Seconds to wait for answers.
            callback: Called with each answer, ``{node: answer}``, when it comes.
            connection: As of ``Control.broadcast``.
            app: Whose nodes. ``None``: those of the app that made this.
            limit: Do not wait for more answers than these.
            pattern: Ask the nodes whose name fits, together with ``matcher``.
            matcher: ``"glob"`` or ``"pcre"``.
        """
        self.app = app or self.app
        self.destination, self.timeout, self.callback, self.connection = destination, timeout, callback, connection
        self.limit, self.pattern, self.matcher = limit, pattern, matcher

    def _request(self, command: str, **arguments: Any) -> Any:
        named = self.destination
        return self._prepare(
            self.app.control.broadcast(
                command,
                arguments=arguments,
                destination=[named] if isinstance(named, str) else named,
                callback=self.callback,
                connection=self.connection,
                limit=self.limit,
                timeout=self.timeout,
                reply=True,
                pattern=self.pattern,
                matcher=self.matcher,
            )
        )

    def _prepare(self, reply: Sequence[Mapping[str, Any]] | None) -> Any:
        if not reply:
            return None
        by_node = flatten_reply(reply)
        if isinstance(self.destination, str):
            return by_node.get(self.destination)
        if self.pattern and not self.destination:
            return {node: said for node, said in by_node.items() if matches(node, self.pattern, self.matcher or "glob")}
        return by_node

    def report(self) -> Any:
        """Versions, platform and settings of each node, as text: ``{node: {"ok": text}}``."""
        return self._request("report")

    def clock(self) -> Any:
        """The logical clock of each: ``{node: {"clock": number}}``."""
        return self._request("clock")

    def active(self, safe: bool | None = None) -> Any:
        """What each runs: a list of task infos (``query_task``). ``safe``: arguments as text."""
        return self._request("active", safe=safe)

    def scheduled(self, safe: bool | None = None) -> Any:
        """What waits for its date in the queues of each: a list of ``{"eta", "priority", "request"}``, the earliest first."""
        del safe
        return self._request("scheduled")

    def reserved(self, safe: bool | None = None) -> Any:
        """What each has taken and not begun: a list of task infos."""
        del safe
        return self._request("reserved")

    def stats(self) -> Any:
        """Figures of each: ``total``, ``pid``, ``clock``, ``uptime``, ``pool``, ``broker``, ``prefetch_count``, ``rusage``."""
        return self._request("stats")

    def revoked(self) -> Any:
        """The ids of revoked tasks, as each knows them."""
        return self._request("revoked")

    def registered(self, *taskinfoitems: str) -> Any:
        """The names of the tasks that each can run, with these attributes of theirs: ``"shop.add [rate_limit=10/m]"``."""
        return self._request("registered", taskinfoitems=taskinfoitems)

    registered_tasks = registered

    def ping(self, destination: Sequence[str] | None = None) -> Any:
        """Ask who is there: ``{node: {"ok": "pong"}}``. ``destination``: these, from now on."""
        if destination:
            self.destination = destination
        return self._request("ping")

    def active_queues(self) -> Any:
        """The queues that each serves: a list of mappings with ``name``, ``exchange``, ``routing_key`` and the like."""
        return self._request("active_queues")

    def query_task(self, *ids: Any) -> Any:
        """What each knows of these tasks: ``{node: {id: [state, info]}}``.

        The state is ``active``, ``reserved`` or ``scheduled``. The info has ``id``, ``name``, ``args``, ``kwargs``, ``type``,
        ``hostname``, ``time_start``, ``acknowledged``, ``delivery_info`` and ``worker_pid``.
        """
        if len(ids) == 1 and isinstance(ids[0], list | tuple):
            [ids] = ids
        return self._request("query_task", ids=ids)

    def conf(self, with_defaults: bool = False) -> Any:
        """The settings of each, secrets masked: those that were set, or, ``with_defaults``, all."""
        return self._request("conf", with_defaults=with_defaults)

    def hello(self, from_node: str, revoked: Any = None) -> Any:
        """Introduce a node to the others, as Celery's do when they start: ``{node: {"revoked": [ids], "clock": number}}``."""
        return self._request("hello", from_node=from_node, revoked=revoked)

    def memsample(self) -> Any:
        """How much memory each uses, as text; kept for ``memdump``."""
        return self._request("memsample")

    def memdump(self, samples: int = 10) -> Any:
        """What ``memsample`` has found, as text, up to ``samples`` of them."""
        return self._request("memdump", samples=samples)

    def objgraph(self, type: str = "Request", n: int = 200, max_depth: int = 10) -> Any:
        """Draw who refers to ``n`` objects of a type, ``max_depth`` steps deep: ``{node: {"filename": path}}`` on its machine."""
        return self._request("objgraph", num=n, max_depth=max_depth, type=type)
