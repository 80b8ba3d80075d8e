"""Draw nodes in Graphviz' language: those that are alive with broker and results, or the parts of one.

In a node's life: while it lives, as its store knows it; or before it, as it would be built. Does not know: commands.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import TypeVar

import click
from msgspec import Struct

from celeriac.cli.output import printable
from celeriac.worker.plan import Plan

T = TypeVar("T")


class Alive(Struct, frozen=True):
    """A node to be drawn."""

    name: str
    slots: Sequence[str] = ()
    """Labels of its slots."""


class Words(Struct, frozen=True):
    """What was said behind the command, as Celery's takes it: ``nodes:a,b``, ``threads:2,3``, ``wmax:4``, ``generic``..."""

    nodes: Sequence[str] | None = None
    """``None``: those that are alive."""
    threads: Sequence[int] = ()
    wmax: int = 4
    """Draw so many nodes; 0: all."""
    tmax: int = 3
    """Draw so many slots of each; 0: all."""
    generic: bool = False
    """Kinds of stores instead of their URLs."""
    enumerate: bool = False
    """Numbers instead of names."""
    backend: str | None = None
    broker: str | None = None


def words_from(given: Sequence[str]) -> Words:
    """Read the words.

    Raises:
        click.UsageError: one of them is none of these.
    """
    said: dict[str, object] = {}
    for word in given:
        name, colon, value = word.partition(":")
        match name:
            case "nodes":
                said[name] = tuple(filter(None, value.split(",")))
            case "threads":
                said[name] = tuple(_number(word, one) for one in value.split(","))
            case "wmax" | "tmax":
                said[name] = _number(word, value)
            case "generic" | "enumerate" if not colon:
                said[name] = True
            case "backend" | "broker" if value:
                said[name] = value
            case _:
                raise click.UsageError(
                    f"{word!r} is none of nodes:A,B threads:N,N wmax:N tmax:N generic enumerate backend:URL broker:URL"
                )
    return Words(**said)  # type: ignore[arg-type]  # checked just now


def _number(word: str, text: str) -> int:
    if not text.isdigit():
        raise click.UsageError(f"{word!r}: {text!r} is no number")
    return int(text)


def fleet_dot(nodes: Sequence[Alive], words: Words, *, broker: str, results: str | None) -> str:
    """Return the graph of nodes around their stores."""
    lines = ["digraph workers {", "  rankdir=LR", "  node [shape=box, style=filled, fillcolor=white]"]
    broker, results = words.broker or broker, words.backend or results
    if words.generic:
        broker, results = _kind("Broker", broker), results and _kind("Backend", results)
    lines.append(f'  broker [label="{_quoted(broker)}", shape=circle, fillcolor=lightblue]')
    if results:
        lines.append(f'  backend [label="{_quoted(results)}", shape=folder, fillcolor=peachpuff]')
    for place, node in _some(nodes, words.wmax):
        key = f"node{place}"
        lines.append(f'  {key} [label="{_quoted(f"Worker {place + 1}" if words.enumerate else node.name)}"]')
        lines += [f"  {key} -> broker", *([f"  {key} -> backend"] if results else [])]
        for number, slot in _some(node.slots, words.tmax):
            lines += [f'  {key}_{number} [label="{_quoted(slot)}", shape=oval]', f"  {key}_{number} -> {key} [arrowhead=none]"]
        if words.tmax and len(node.slots) > words.tmax:
            lines.append(f'  {key}_more [label="{len(node.slots) - words.tmax} more", shape=plaintext]')
    if words.wmax and len(nodes) > words.wmax:
        lines.append(f'  more [label="{len(nodes) - words.wmax} more", shape=plaintext]')
    return "\n".join([*lines, "}"])


def node_dot(plan: Plan, include: Container[str], *, broker: str, results: str | None, steps: Iterable[str]) -> str:
    """Return the graph of a node as it would be started: each part behind what it needs.

    Args:
        plan: Of the node.
        include: ``worker``: its processes; ``consumer``: what they serve.
        broker: Where messages are, masked.
        results: Where results are, masked. ``None``: nowhere.
        steps: Names of an app's own boot steps, which no node runs.
    """
    lines = ["digraph node {", "  rankdir=LR", "  node [shape=box, style=filled, fillcolor=white]"]
    children = range(plan.children)
    if "worker" in include:
        lines += [f'  supervisor [label="supervisor of {_quoted(plan.hostname)}"]', "  template", "  supervisor -> template"]
        lines += [f"  child{number} -> template" for number in children]
    slots = f"{plan.slots_per_child} {'slot' if plan.slots_per_child == 1 else 'slots'}"
    lines += [f'  child{number} [label="child {number} ({plan.pool}, {slots})"]' for number in children]
    if "consumer" in include:
        lines += [f'  broker [label="{_quoted(broker)}", shape=cylinder]']
        lines += [f'  queue{place} [label="{_quoted(name)}", shape=cds]' for place, name in enumerate(plan.queues)]
        lines += [f"  queue{place} -> broker" for place in range(len(plan.queues))]
        lines += [f"  child{number} -> queue{place}" for number in children for place in range(len(plan.queues))]
        if results is not None:
            lines += [f'  results [label="{_quoted(results)}", shape=folder]']
            lines += [f"  child{number} -> results" for number in children]
    lines += [f'  "{_quoted(step)}" [label="{_quoted(step)}: not run", style=dashed]' for step in sorted(steps)]
    return "\n".join([*lines, "}"])


def _some(found: Sequence[T], most: int) -> Sequence[tuple[int, T]]:
    return list(enumerate(found))[: most or None]


def _kind(what: str, url: str) -> str:
    return f"{what} ({url.partition('://')[0]}://)"


def _quoted(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')
