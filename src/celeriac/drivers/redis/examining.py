"""Look at a Redis server as its operator would: does it evict, does it save, is it full, is its clock right?

Beside a job's life, for ``celeriac doctor``. One ``INFO``, one ``TIME``, and ``CONFIG GET save`` where that is allowed.
Does not know: queues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from celeriac.abc import Runtime
from celeriac.core.errors import StoreRefused
from celeriac.core.masking import mask
from celeriac.core.remark import Remark
from celeriac.drivers.redis.connection import Connections
from celeriac.drivers.redis.endpoints import openers

ABOUT: Final = "redis"
OLDEST: Final = (6, 2)
"""Older servers are not tested, and get no more fixes."""
SKEW_S: Final = 2.0
SLOW_S: Final = 0.05
FULL: Final = 0.8


def examine_redis(url: str, *, options: Mapping[str, Any], runtime: Runtime) -> Sequence[Remark]:
    """Say what is remarkable about a server.

    Raises:
        BrokerUnreachable, StoreRefused: it did not answer, or said no.
    """
    connections = Connections(openers(url, options), name=mask(url), runtime=runtime)
    try:
        info = read_info(connections.call("INFO"))
        began, wall = runtime.monotonic(), runtime.time()
        seconds, micros = connections.call("TIME")
        took_s = runtime.monotonic() - began
        skew_s = int(seconds) + int(micros) / 1e6 - wall - took_s / 2
        try:
            saves = bool(connections.call("CONFIG", "GET", "save")[1].strip())
        except (StoreRefused, IndexError):
            saves = None  # a hosted server keeps its configuration to itself
    finally:
        connections.close()
    return judge(info, saves=saves, skew_s=skew_s, took_s=took_s)


def read_info(text: bytes) -> Mapping[str, str]:
    """Read the answer of ``INFO``."""
    lines = text.decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))


def judge(info: Mapping[str, str], *, saves: bool | None, skew_s: float, took_s: float) -> list[Remark]:
    """Say what is remarkable. Pure.

    Args:
        info: Of ``INFO``.
        saves: Whether it writes snapshots. ``None``: it does not say.
        skew_s: How far its clock is before ours.
        took_s: How long one question took.
    """
    version = info.get("redis_version", "0")
    found = [Remark.fine(ABOUT, f"version {version}, answers in {1000 * took_s:.1f} ms")]
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
        found.append(Remark.error(ABOUT, f"version {version} is too old: {'.'.join(map(str, OLDEST))} or newer is needed"))
    found += _memory(info)
    found += _persistence(info, saves)
    if info.get("role") == "slave":
        found.append(Remark.error(ABOUT, "this is a replica, which takes no writes: name its master, or sentinels"))
    if info.get("cluster_enabled") == "1":
        found.append(Remark.error(ABOUT, "this is a cluster, which keeps keys of one step on several servers: use a single one"))
    if abs(skew_s) > SKEW_S:
        side = "before" if skew_s > 0 else "behind"
        found.append(Remark.warning("clock", f"its clock is {abs(skew_s):.1f} s {side} the one of this machine"))
    if took_s > SLOW_S:
        found.append(Remark.warning(ABOUT, f"one question took {1000 * took_s:.0f} ms: each fetch and settlement takes as long"))
    return found


def _memory(info: Mapping[str, str]) -> list[Remark]:
    policy, most = info.get("maxmemory_policy", "noeviction"), int(info.get("maxmemory", "0"))
    used = int(info.get("used_memory", "0"))
    found = []
    if policy != "noeviction":
        text = f"maxmemory-policy is {policy}: when memory is short it drops messages and results; set noeviction"
        found.append(Remark.error(ABOUT, text) if most else Remark.warning(ABOUT, f"{text} (there is no maxmemory now)"))
    if evicted := int(info.get("evicted_keys", "0")):
        found.append(Remark.error(ABOUT, f"it has dropped {evicted} keys since its start, as its maxmemory-policy says"))
    if most and used > FULL * most:
        found.append(Remark.warning(ABOUT, f"{used / most:.0%} of its maxmemory is used; when it is full it refuses new tasks"))
    return found


def _persistence(info: Mapping[str, str], saves: bool | None) -> list[Remark]:
    found = []
    if info.get("aof_enabled") == "0" and saves is False:
        found.append(Remark.warning(ABOUT, "it saves nothing: a restart loses every message and result; set appendonly yes"))
    elif info.get("aof_enabled") == "0" and saves:
        found.append(Remark.warning(ABOUT, "it saves snapshots only: a crash loses what came since the last; set appendonly yes"))
    if info.get("rdb_last_bgsave_status", "ok") != "ok" or info.get("aof_last_write_status", "ok") != "ok":
        found.append(Remark.error(ABOUT, "its last attempt to save failed, and it may refuse writes: look into its log"))
    return found
