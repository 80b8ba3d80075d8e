"""The workflows of a world: trees of chains, groups and chords by chance, as plain data, and the signatures that they stand for.

In a world's life: made from the seed at its beginning; the program sows and sends them. Each task has an id of its own before
anything is sent, so that the ledger knows it whoever sends it. Does not know: what a workflow comes to (``evaluation``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from celeriac.app.canvas import group
from celeriac.app.chains import chain
from celeriac.app.chords import chord
from celeriac.app.home import Home
from celeriac.app.signature import Signature, signature
from celeriac.testing.simulation.chance import Chance
from celeriac.testing.simulation.report import Scale
from celeriac.testing.simulation.tasks import ERRBACK
from celeriac.testing.simulation.workload import QUEUES, Job, Kind, task_of

DEEPEST: Final = 5
WIDEST: Final = 50
_SIZES: Final = (3, 4, 6, 8, 12)
"""Tasks of a workflow, about: so that a world stays small."""
_SELDOM: Final = (Kind.TRACKED, Kind.RETRIED, Kind.RETRIED, Kind.FAILING, Kind.REVOKED, Kind.UNKNOWN, Kind.EARLY_POISON)


class Leaf(Struct, frozen=True):
    """One task."""

    job: Job
    alone: bool
    """It is handed nothing."""
    heard: bool
    """It has an errback."""


class Row(Struct, frozen=True):
    """A chain."""

    steps: tuple[Any, ...]


class Crowd(Struct, frozen=True):
    """A group."""

    members: tuple[Any, ...]


class Meeting(Struct, frozen=True):
    """A chord."""

    header: tuple[Any, ...]
    body: Any


Tree = Leaf | Row | Crowd | Meeting


class Workflow(Struct, frozen=True):
    """One workflow of a world, before it is sent."""

    id: str
    at: float
    """When it is sent, virtual seconds."""
    tree: Tree

    @property
    def jobs(self) -> list[Job]:
        """Its tasks."""
        return [leaf.job for leaf in leaves_of(self.tree)]


def errback_of(id: str) -> str:
    """Return the id under which the errback of a task is sent: whenever it is, so that the ledger sees if it is sent twice."""
    return f"{id}-errback"


def leaves_of(tree: Tree) -> Iterator[Leaf]:
    """Yield the tasks in a tree."""
    match tree:
        case Leaf():
            yield tree
        case Row(several) | Crowd(several):
            for one in several:
                yield from leaves_of(one)
        case Meeting(header, body):
            for one in (*header, body):
                yield from leaves_of(one)


def make_workflows(scale: Scale, chance: Chance) -> list[Workflow]:
    """Return the workflows that are to be sent in a world."""
    return [_Growth(f"flow-{number}", scale, chance).workflow() for number in range(chance.index(scale.workflows + 1))]


class _Growth:
    """One workflow while it grows."""

    def __init__(self, id: str, scale: Scale, chance: Chance) -> None:
        self._id, self._chance = id, chance
        self._at = chance.between(0, scale.faults_s * 0.7)
        self._left = chance.pick(_SIZES)
        self._made = 0

    def workflow(self) -> Workflow:
        return Workflow(self._id, self._at, self._composite(DEEPEST))

    def _tree(self, deepest: int) -> Tree:
        if deepest == 0 or self._left <= 1 or self._chance.happens(0.5):
            return self._leaf()
        return self._composite(deepest)

    def _composite(self, deepest: int) -> Tree:
        kind = self._chance.pick((Row, Crowd, Meeting, Meeting))
        if kind is Row:
            return Row(self._several(deepest, 1 + self._chance.index(4)))
        if kind is Crowd:
            return Crowd(self._crowd(deepest))
        header = () if self._chance.happens(0.04) else self._crowd(deepest)
        return Meeting(header, self._tree(deepest - 1))

    def _crowd(self, deepest: int) -> tuple[Tree, ...]:
        # A crowd is wide where it is not deep: or a world would have thousands.
        if self._chance.happens(0.006):
            return tuple(self._leaf() for _ in range(10 + self._chance.index(WIDEST - 9)))
        return self._several(deepest, 1 + self._chance.index(4))

    def _several(self, deepest: int, count: int) -> tuple[Tree, ...]:
        return tuple(self._tree(deepest - 1) for _ in range(min(count, max(1, self._left))))

    def _leaf(self) -> Leaf:
        chance = self._chance
        self._left -= 1
        self._made += 1
        kind = chance.pick(_SELDOM) if chance.happens(0.15) else chance.pick((Kind.LATE, Kind.EARLY))
        shortness = chance.random()
        job = Job(
            id=f"{self._id}-{kind.value}-{self._made}".replace(" ", "-"),
            kind=kind,
            at=self._at,
            runtime_s=chance.between(0.0002, 0.002) if shortness < 0.7 else chance.between(0.02, 2 if shortness < 0.97 else 20),
            delay_s=chance.between(0.01, 10),
            queue=chance.pick(QUEUES),
        )
        return Leaf(job, alone=chance.happens(0.1), heard=chance.happens(0.3))


def sown(tree: Tree, app: Home) -> Signature[Any]:
    """Return the signature that a tree stands for."""
    match tree:
        case Leaf(job, alone, heard):
            options: dict[str, Any] = {"task_id": job.id, "queue": job.queue}
            if heard:
                named = {"task_id": errback_of(job.id)}
                options["link_error"] = [signature(ERRBACK, (), {"seconds": 0.001}, named, app=app)]
            return signature(task_of(job.kind), (), {"seconds": job.runtime_s}, options, immutable=alone, app=app)
        case Row(steps):
            made: Signature[Any] = chain(*_sown(steps, app), app=app)
            return made
        case Crowd(members):
            return group(_sown(members, app), app=app)
        case Meeting(header, body):
            return chord(_sown(header, app), sown(body, app), app=app)


def _sown(trees: Sequence[Tree], app: Home) -> list[Signature[Any]]:
    return [sown(tree, app) for tree in trees]
