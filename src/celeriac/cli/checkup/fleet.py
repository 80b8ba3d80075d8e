"""Look at the nodes, the queues and the dead letters, as the store knows them. No node has to answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from celeriac.abc import Broker, NodeRecord
from celeriac.core.remark import Remark

LETTERS: Final = 1000
"""So many dead letters are counted, and no more."""


def fleet_remarks(store: Broker, queues: Sequence[str], *, version: str) -> list[Remark]:
    """Say what is remarkable about the fleet.

    Raises:
        OperationalError: the store did not answer.
    """
    nodes = store.nodes()
    served = {queue for node in nodes for queue in _queues(node)}
    every = sorted({*queues, *served})
    depths = dict(zip(every, store.depth(every), strict=True))
    return [
        *judge_nodes(nodes, version=version),
        *judge_queues(depths, served=served, paused=store.rules().paused_queues, anybody=bool(nodes)),
        *judge_letters(len(store.dead_letters(limit=LETTERS))),
    ]


def judge_nodes(nodes: Sequence[NodeRecord], *, version: str) -> Iterator[Remark]:
    """Say what is remarkable about the nodes that are alive. Pure."""
    if not nodes:
        yield Remark.warning("nodes", "no worker is alive")
        return
    yield Remark.fine("nodes", f"{len(nodes)} alive: {', '.join(sorted(node.node for node in nodes))}")
    others = {node.node: str(node.info["version"]) for node in nodes if node.info.get("version", version) != version}
    for name, other in sorted(others.items()):
        yield Remark.warning("nodes", f"{name} runs version {other}, this is {version}")
    names = [node.node for node in nodes]
    for name in sorted({name for name in names if names.count(name) > 1}):
        text = f"{names.count(name)} nodes are called {name}: nobody can tell them apart, name them with -n"
        yield Remark.warning("nodes", text)


def judge_queues(depths: Mapping[str, int], *, served: set[str], paused: frozenset[str], anybody: bool) -> Iterator[Remark]:
    """Say what is remarkable about the queues: what waits, and whether anybody will take it. Pure."""
    for queue, depth in depths.items():
        if queue in paused:
            yield Remark.warning(f"queue {queue}", f"is paused; {depth} messages wait in it")
        elif queue not in served and depth:
            yield Remark.error(f"queue {queue}", f"{depth} messages wait, and no worker serves it")
        elif queue not in served and anybody:
            yield Remark.warning(f"queue {queue}", "no worker serves it")
        else:
            yield Remark.fine(f"queue {queue}", f"{depth} messages wait")


def judge_letters(count: int) -> Iterator[Remark]:
    """Say whether dead letters wait. Pure."""
    if count:
        number = f"{LETTERS} or more" if count >= LETTERS else str(count)
        yield Remark.warning("dead letters", f"{number} wait: look with `celeriac dlq list`, then replay or purge them")


def _queues(node: NodeRecord) -> Sequence[str]:
    queues = node.info.get("queues")
    return [str(queue) for queue in queues] if isinstance(queues, list | tuple) else []
