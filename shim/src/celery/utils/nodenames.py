"""Names of nodes: ``name@host``, and the signs that stand for their parts."""

from __future__ import annotations

import os
from functools import cache
from socket import gethostname as _system_hostname
from threading import get_ident
from typing import Any, Final

from celeriac.core.topology import Exchange, Queue
from celery.utils.text import simple_format

NODENAME_DEFAULT: Final = "celery"
NODENAME_SEP: Final = "@"
WORKER_DIRECT_EXCHANGE: Final = Exchange("C.dq2")


@cache
def gethostname() -> str:
    """Return the name of this machine."""
    return _system_hostname()


def nodename(name: str, hostname: str) -> str:
    """Return ``name@hostname``."""
    return f"{name}@{hostname}"


def nodesplit(name: str) -> tuple[str | None, str]:
    """Return name and host; a name without ``@`` is a host."""
    first, sign, host = name.partition(NODENAME_SEP)
    return (first, host) if sign else (None, first)


def anon_nodename(hostname: str | None = None, prefix: str = "gen") -> str:
    """Return the name of a process that is no node."""
    return nodename(f"{prefix}{os.getpid()}{get_ident() & 0xFFFF:x}", hostname or gethostname())


def default_nodename(hostname: str | None, default_name: str = NODENAME_DEFAULT) -> str:
    """Return a whole name, whatever is missing in ``hostname``."""
    name, host = nodesplit(hostname or "")
    return nodename(name or default_name, host or gethostname())


def node_format(s: str, name: str, **extra: Any) -> str:
    """Return the text with the signs of ``host_format``, and ``%p`` for the whole name; ``%i`` and ``%I`` stay."""
    short, host = nodesplit(name)
    return host_format(s, host, short or NODENAME_DEFAULT, p=name, **{"i": "%i", "I": "%I", **extra})


def host_format(s: str, host: str | None = None, name: str | None = None, **extra: Any) -> str:
    """Return the text with ``%h`` replaced by the host, ``%n`` by the node's name, ``%d`` by the domain."""
    host = host or gethostname()
    short, _, domain = host.partition(".")
    return simple_format(s, {"h": host, "n": name or short, "d": domain, "i": "%i", "I": "%I", "%": "%", **extra})


def worker_direct(hostname: str | Queue) -> Queue:
    """Return the queue that one node serves alone. A queue is returned as it is."""
    if isinstance(hostname, Queue):
        return hostname
    return Queue(f"{hostname}.dq2", exchange=WORKER_DIRECT_EXCHANGE, routing_key=hostname)
