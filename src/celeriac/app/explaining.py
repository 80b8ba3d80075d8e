"""Say where a task is, and why it does not run.

Beside a job's life: when somebody waits for one that does not come. What the store knows is enough: messages, rules, leases,
results. Does not know: how a store finds a message, how an explanation is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from celeriac.abc import DeadRecord, Held, NodeRecord, Parked, Place, Scheduled, Store, Waiting
from celeriac.core import envelope, states, taskmeta
from celeriac.core.message import Parcel
from celeriac.core.rules import Rules


class Reason(Struct, frozen=True):
    """One thing that is to be known."""

    kind: str
    """For programs. Where it is: ``waiting``, ``scheduled``, ``parked``, ``held``, ``dead``, ``ended``, ``under way``,
    ``unknown``. Why: ``paused queue``, ``paused type``, ``rate limit``, ``no node``, ``revoked``, ``expired``, ``not yet``,
    ``silent node``."""
    text: str
    """A sentence for people. It may hold names from outside: escape it before it goes to a terminal."""
    facts: Mapping[str, Any] = {}
    """The same for programs."""


class Explanation(Struct, frozen=True):
    """All that is known about one task."""

    id: str
    task: str | None
    """Name of its type. ``None``: not known."""
    state: str | None
    """That of its stored result. ``None``: there is none, or none is kept."""
    reasons: Sequence[Reason]

    @property
    def is_known(self) -> bool:
        """Whether anything is known of it."""
        return all(reason.kind != "unknown" for reason in self.reasons)


class Scene(Struct, frozen=True):
    """What surrounds a message."""

    rules: Rules
    nodes: Sequence[NodeRecord]
    now: float

    def servants(self, queue: str) -> list[NodeRecord]:
        """Return the nodes that serve a queue."""
        return [node for node in self.nodes if queue in served_by(node)]


def explain(store: Store, id: str, *, queues: Sequence[str], now: float, results: bool) -> Explanation:
    """Ask the store for all that it knows of a task.

    Args:
        store: Where its message and its result may be.
        id: The task's.
        queues: To be looked through, beside those that are served or paused.
        now: Seconds since 1970.
        results: Whether results are kept.
    """
    scene = Scene(store.rules(), store.nodes(), now)
    everywhere = [*queues, *(name for node in scene.nodes for name in served_by(node)), *scene.rules.paused_queues]
    places = store.whereabouts(id, queues=list(dict.fromkeys(everywhere)))
    # Behind the message: a task that ends while we look is found as one that has ended.
    [body] = store.load([id]) if results else [None]
    meta = None if body is None else taskmeta.decode(body)
    task = next((name for place in places if (name := _task_of(place))), None if meta is None else meta.name)
    reasons = [reason for place in places for reason in _reasons(id, place, scene)]
    if not reasons or (meta is not None and meta.status in states.READY_STATES):
        reasons.append(_without_message(meta, bool(places), results))
    return Explanation(id, task, None if meta is None else meta.status, reasons)


def served_by(node: NodeRecord) -> Sequence[str]:
    """Return the queues that a node says it serves."""
    told = node.info.get("queues")
    return [str(name) for name in told] if isinstance(told, list | tuple) else []


def _reasons(id: str, place: Place, scene: Scene) -> Iterator[Reason]:
    match place:
        case Waiting(queue=queue, ahead=ahead):
            text = f"It waits in queue {queue!r}, {_count(ahead, 'message')} before it."
            yield Reason("waiting", text, {"queue": queue, "ahead": ahead})
            yield from _of_message(id, place.raw, scene)
            yield from _of_type(_task_of(place), scene)
            yield from _of_queue(queue, scene)
        case Scheduled(queue=queue, due=due):
            when = _moment(due)
            text = f"It is in the schedule until {when}, in {_span(due - scene.now)}; then it goes to queue {queue!r}."
            yield Reason("scheduled", text, {"queue": queue, "due": when})
            yield from _of_message(id, place.raw, scene, scheduled=True)
            yield from _of_type(_task_of(place), scene)
            yield from _of_queue(queue, scene)
        case Parked(queue=queue, task=task, ahead=ahead):
            text = (
                f"It is put aside, {_count(ahead, 'older message')} of its type before it; then it goes back to queue {queue!r}."
            )
            yield Reason("parked", text, {"queue": queue, "task": task, "ahead": ahead})
            if task not in scene.rules.paused_tasks:
                text = f"The rate limit of {task!r} is used up: each node brings back as many as may begin."
                yield Reason("rate limit", text, {"task": task})
            yield from _of_message(id, place.raw, scene)
            yield from _of_type(task, scene)
            yield from _of_queue(queue, scene)
        case Held():
            yield from _of_lease(place)
        case DeadRecord():
            text = f"It is dead letter {place.id} since {_moment(place.at)}, reason {place.reason}: {place.detail}"
            facts = {
                "id": place.id,
                "at": _moment(place.at),
                "reason": place.reason,
                "detail": place.detail,
                "queue": place.queue,
            }
            yield Reason("dead", text, facts)


def _of_lease(place: Held) -> Iterator[Reason]:
    who = place.node or place.lessee.node
    facts = {"node": who, "child": place.lessee.child, "queue": place.queue, "tag": place.tag, "lease_s": round(place.lease_s, 3)}
    what = "has run, and the body of its chord is to be called" if place.joined else "runs, or is about to"
    held = f"It is held by child {place.lessee.child} of node {who!r}, where it {what}."
    if place.lease_s > 0:
        yield Reason(
            "held", f"{held} The node's lease runs for {_span(place.lease_s)} more, and is renewed while it lives.", facts
        )
    else:
        yield Reason("held", held, facts)
        yield Reason("silent node", "That node's lease has ended: the next node that looks takes over what it held.", facts)


def _of_type(task: str | None, scene: Scene) -> Iterator[Reason]:
    if task in scene.rules.paused_tasks:
        yield Reason("paused type", f"The task type {task!r} is paused: resume it to have it run.", {"task": task})


def _of_queue(queue: str, scene: Scene) -> Iterator[Reason]:
    if queue in scene.rules.paused_queues:
        yield Reason("paused queue", f"Queue {queue!r} is paused: resume it to have it served.", {"queue": queue})
    if not scene.servants(queue):
        alive = f"; {_count(len(scene.nodes), 'node')} alive in all" if scene.nodes else ""
        yield Reason("no node", f"No node that is alive serves queue {queue!r}{alive}.", {"queue": queue})


def _of_message(id: str, raw: bytes, scene: Scene, *, scheduled: bool = False) -> Iterator[Reason]:
    parcel = envelope.unpack(raw)
    headers: Mapping[str, Any] = parcel.headers if isinstance(parcel, Parcel) else {}
    stamps = headers.get("stamps")
    if scene.rules.forbids(id, stamps if isinstance(stamps, dict) else {}):
        yield Reason("revoked", "It is revoked: it will end as REVOKED when a node comes to it.")
    if (expires := _seconds(headers.get("expires"))) is not None and expires <= scene.now:
        yield Reason("expired", f"It expired at {_moment(expires)}: it will end as REVOKED when a node comes to it.")
    if not scheduled and (eta := _seconds(headers.get("eta"))) is not None and eta > scene.now:
        yield Reason("not yet", f"It must not begin before {_moment(eta)}.", {"eta": _moment(eta)})


def _without_message(meta: taskmeta.TaskMeta | None, has_message: bool, results: bool) -> Reason:
    if meta is not None and meta.status in states.READY_STATES:
        when = f" at {meta.date_done}" if meta.date_done else ""
        again = " What lies there all the same is a copy of its message, or a new call of the same id." if has_message else ""
        facts = {"state": meta.status, "date_done": None if meta.date_done is None else str(meta.date_done)}
        return Reason("ended", f"It ended{when} as {meta.status}.{again}", facts)
    if meta is not None:
        text = f"Its last state is {meta.status}, and no message of it was found: it has just moved, or lies in another queue."
        return Reason("under way", text, {"state": meta.status})
    kept = "its result may have expired or was not stored" if results else "no results are kept"
    return Reason("unknown", f"Nothing is known of it: the id may be wrong, {kept}, or it lies in a queue that was not searched.")


def _task_of(place: Place) -> str | None:
    parcel = envelope.unpack(place.raw)
    name = parcel.headers.get("task") if isinstance(parcel, Parcel) else None
    return name if isinstance(name, str) else None


def _seconds(given: Any) -> float | None:
    try:
        moment = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="seconds")


def _count(number: int, what: str) -> str:
    return f"no {what}" if number == 0 else f"{number} {what}{'' if number == 1 else 's'}"


def _span(seconds: float) -> str:
    units: Sequence[tuple[float, Callable[[float], str]]] = (
        (120, lambda s: f"{s:.1f} s"),
        (7200, lambda s: f"{s / 60:.0f} min"),
        (172800, lambda s: f"{s / 3600:.0f} h"),
    )
    seconds = max(0.0, seconds)
    return next((show(seconds) for below, show in units if seconds < below), f"{seconds / 86400:.0f} days")
