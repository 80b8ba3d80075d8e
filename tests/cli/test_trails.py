"""Trees of random workflows, as ``call --signature`` keeps their shape: all that was sent is in them, once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from celeriac import Celery, chain, chord, group
from celeriac.app.drawing.figure import Figure
from celeriac.app.drawing.happened import happened
from celeriac.app.drawing.tracing import Trail
from celeriac.app.result_set import ResultSet
from celeriac.cli.trails import keep_shape, trail_of
from guide.serving import InProcess

WAIT_S = 10
SEEDS = 40


@pytest.fixture(params=[2048, 300])
def app(request: pytest.FixtureRequest) -> Iterator[Celery]:
    """Give an app with a worker; the messages of its workflows carry up to so many bytes of what comes later."""
    url = f"memory://trails-{request.param}"
    with Celery("trails", broker=url, backend=url, set_as_current=False) as app:
        app.conf.task_workflow_embed_limit = request.param

        @app.task(name="well")
        def well(*_: Any) -> int:
            return 1

        @app.task(name="badly")
        def badly(*_: Any) -> None:
            raise ValueError("badly")

        with InProcess(app):
            yield app


def grown(app: Celery, chance: random.Random, deep: int) -> Any:
    """Return a workflow; one call in five fails."""
    kind = chance.choice(["task", "chain", "group", "chord"]) if deep else "task"
    if kind == "task":
        return app.tasks[chance.choice(["well"] * 4 + ["badly"])].s()
    members = [grown(app, chance, deep - 1) for _ in range(chance.randint(2, 3))]
    if kind == "chord":
        return chord(members, grown(app, chance, deep - 1))
    return chain(*members) if kind == "chain" else group(members)


def parts_of(result: Any) -> dict[str, Any]:
    """Return the results of everything in a workflow of which this is the result, by their ids."""
    found, left = {}, [result]
    while left:
        one = left.pop()
        found[one.id] = one
        left += [*(one if isinstance(one, ResultSet) else ()), *([one.parent] if one.parent is not None else ())]
    return found


def figures_of(trail: Trail) -> list[Figure]:
    """Return all figures of a tree."""
    found = [happened(trail, members=1000, depth=90)]
    for figure in found:
        found += [*figure.inner, *(linked for _, linked in figure.linked)]
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_everything_in_a_workflow_is_in_its_tree_once(app: Celery, seed: int) -> None:
    result = grown(app, random.Random(seed), 3).apply_async()
    keep_shape(app, result)
    sent = parts_of(result)
    for part in sent.values():
        part.get(timeout=WAIT_S, propagate=False)

    figures = figures_of(trail_of(app, result.id))

    assert Counter(figure.id for figure in figures if figure.id is not None) == Counter(sent.keys())
    assert [figure.id for figure in figures if figure.marked] == [result.id]
