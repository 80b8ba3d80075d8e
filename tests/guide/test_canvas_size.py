"""Long workflows: what would be carried many times is kept once, and everything still ends as it should, on every store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from celeriac import AsyncResult, Celery, ChordError, chain, chord, group, signals
from celeriac.app.blocks import keep
from celeriac.app.flows.frozen import freeze
from celeriac.app.flows.normal import chained
from celeriac.app.flows.stored import KEPT
from guide.conftest import Serve
from system.patience import eventually

WAIT_S = 20
PAGE = Path(__file__).parents[2] / "docs" / "guide" / "canvas.md"
SIZES: list[tuple[int, int | None, float, float]] = [
    (100, 2048, 2.6, 5.0),
    (100, None, 8.0, 15.4),
    (200, 2048, 2.7, 5.0),
    (200, None, 15.5, 30.4),
    (400, 2048, 2.7, 5.0),
    (400, None, 30.5, 60.4),
]
"""Steps of a chain; ``task_workflow_embed_limit``; kilobytes of a message on average, and of the largest."""


@pytest.fixture
def sent() -> Iterator[list[int]]:
    """Give the sizes of all messages, as they are sent, whoever sends them."""
    sizes: list[int] = []

    def weigh(body: Any = None, headers: Any = None, **_: Any) -> None:
        sizes.append(len(json.dumps([body, headers])))

    signals.before_task_publish.connect(weigh)
    yield sizes
    signals.before_task_publish.disconnect(weigh)


def chords_in_a_row(add: Any, total: Any, length: int, width: int) -> Any:
    """Return chords of which each begins with the sum of the one before."""
    workflow = add.s(0, 0)
    for _ in range(length):
        workflow = workflow | group(add.s(1) for _ in range(width)) | total.s()
    return workflow


@pytest.mark.parametrize(("steps", "limit", "average", "largest"), SIZES)
@pytest.mark.parametrize("url", ["memory"], indirect=True)
def test_a_chain_sends_the_kilobytes_a_step_that_the_guide_says(
    app: Celery, tasks: Any, serve: Serve, sent: list[int], steps: int, limit: int | None, average: float, largest: float
) -> None:
    app.conf.task_workflow_embed_limit = limit
    serve()

    result = chain(tasks["add"].s(0, 1), *(tasks["add"].s(1) for _ in range(steps - 1))).apply_async()

    assert result.get(timeout=WAIT_S) == steps
    assert len(sent) == steps
    found = [sum(sent) / steps / 1000, max(sent) / 1000]
    print(f"{steps} steps, limit {limit}: {found[0]:.1f} KB on average, {found[1]:.1f} KB at most")
    assert found == pytest.approx([average, largest], rel=0.1)


def test_the_guide_has_these_sizes() -> None:
    rows = [
        f"| {steps} | {average} KB | {largest} KB | {without} KB | {at_most} KB |"
        for (steps, _, average, largest), (_, _, without, at_most) in zip(SIZES[::2], SIZES[1::2], strict=True)
    ]

    lines = PAGE.read_text().splitlines()

    first = lines.index(rows[0])
    assert lines[first : first + len(rows)] == rows


def test_six_chords_of_ten_in_a_row_stay_under_a_hundred_kilobytes(
    app: Celery, tasks: Any, serve: Serve, sent: list[int]
) -> None:
    serve()
    workflow = chords_in_a_row(tasks["add"], tasks["total"], 6, 10)
    _, blocks = keep(app, freeze(chained([workflow]), app.runtime.new_id))

    result = workflow.apply_async()

    values = [0]
    for _ in range(6):
        values.append((values[-1] + 1) * 10)
    assert result.get(timeout=WAIT_S) == values[-1]
    assert sum(sent) + sum(len(block.body) for block in blocks) < 100_000


def test_a_long_chain_that_fails_early_ends_as_a_whole(tasks: Any, serve: Serve) -> None:
    serve()

    result = chain(tasks["broken"].s(), *(tasks["add"].s(1) for _ in range(100))).apply_async()

    with pytest.raises(ValueError, match="it broke"):
        result.get(timeout=WAIT_S)
    eventually(lambda: {each.state for each in ancestors(result)} == {"FAILURE"}, what="the end of all")


def test_a_long_chain_that_fails_in_a_header_ends_its_chord(tasks: Any, serve: Serve) -> None:
    serve()
    long: Any = chain(tasks["broken"].s(), *(tasks["add"].s(1) for _ in range(100)))

    result = chord([tasks["add"].s(1, 1), long, tasks["add"].s(2, 2)], tasks["total"].s()).apply_async()

    with pytest.raises(ChordError, match="it broke"):
        tasks["add"].AsyncResult(result.id).get(timeout=WAIT_S)


def test_one_that_would_have_ended_with_a_group_brings_all_its_parts_once(tasks: Any, serve: Serve) -> None:
    serve()
    add, group_of_two = tasks["add"], group(tasks["add"].s(1), tasks["add"].s(2))
    steps = [add.s(1) for _ in range(60)]
    long: Any = chain(tasks["broken"].s(), *steps, group_of_two)
    inner: Any = chord([tasks["broken"].s(), add.s(1, 1)], chain(tasks["total"].s(), *steps, group_of_two))

    headers = ([long, add.s(1, 1)], [add.s(1, 1), long], [inner, add.s(1, 1)])
    results = [chord(header, tasks["shown"].s()).apply_async() for header in headers]

    for result in results:
        with pytest.raises(ChordError, match="it broke"):
            add.AsyncResult(result.id).get(timeout=WAIT_S)


def test_a_long_chain_of_a_header_brings_its_value_in_its_place(tasks: Any, serve: Serve) -> None:
    serve()
    long: Any = chain(tasks["add"].s(0, 1), *(tasks["add"].s(1) for _ in range(100)))
    ends_with_a_group: Any = chain(*(tasks["add"].s(1) for _ in range(60)), group(tasks["add"].s(1), tasks["add"].s(2)))

    result = chord([long, ends_with_a_group.clone((0,)), tasks["add"].s(2, 2)], tasks["shown"].s()).apply_async()

    assert result.get(timeout=WAIT_S) == "[101, [61, 62], 4]"


def test_a_large_body_whose_header_fails_ends_and_its_errback_is_called_once(app: Celery, tasks: Any, serve: Serve) -> None:
    heard: list[str] = []

    @app.task(name="heard")
    def errback(request: Any, exc: BaseException, traceback: Any) -> None:
        heard.append(str(exc))

    serve()
    body: Any = chain(tasks["total"].s(), *(tasks["add"].s(1) for _ in range(100)))

    result = chord([*(tasks["add"].s(i, i) for i in range(9)), tasks["broken"].s()], body.on_error(errback.s())).apply_async()

    with pytest.raises(ChordError, match="it broke"):
        tasks["add"].AsyncResult(result.id).get(timeout=WAIT_S)
    eventually(
        lambda: {each.state for each in ancestors(result) if isinstance(each, AsyncResult)} == {"FAILURE"}, what="the end of all"
    )
    assert len(heard) == 1


@pytest.mark.timeout(30)
def test_a_body_that_a_worker_keeps_brings_its_part_to_the_chord_around_it(tasks: Any, serve: Serve) -> None:
    serve()
    add, shown = tasks["add"], tasks["shown"]
    innermost: Any = chord([add.s(1) for _ in range(5)], shown.s())
    inner: Any = chord([add.s(0, 1) | innermost, add.s(1, 1)], group(shown.s(), shown.s()))

    result = chord([inner, add.s(2, 2)], chain(*(shown.s() for _ in range(6)))).apply_async()

    assert "[2, 2, 2, 2, 2]" in result.get(timeout=5)


def test_a_large_body_of_a_very_large_header_is_kept_once(tasks: Any, serve: Serve, sent: list[int]) -> None:
    serve()
    body: Any = chain(tasks["total"].s(), *(tasks["add"].s(1) for _ in range(60)))

    result = chord([tasks["add"].s(1, 1) for _ in range(1000)], body).apply_async()

    assert result.get(timeout=WAIT_S) == 2060
    assert sum(sent[:1000]) < 1000 * 2500


def test_who_waits_is_told_of_a_part_that_is_gone(app: Celery, tasks: Any, serve: Serve) -> None:
    workflow: Any = chain(tasks["add"].s(0, 1), *(tasks["add"].s(1) for _ in range(99)))
    frozen = freeze(chained([workflow]), app.runtime.new_id)
    _, blocks = keep(app, frozen)
    last = app.signature(dict(frozen)).apply_async()
    app.store.forget([block.id for block in blocks])
    serve()

    with pytest.raises(Exception, match="is gone"):
        last.get(timeout=WAIT_S)

    [letter] = app.store.dead_letters()
    assert letter.reason == "workflow-lost"
    assert f"kept as '{blocks[-1].id}' is gone" in letter.detail


def test_the_limit_can_be_lifted_for_fleets_with_celery_s_workers(app: Celery, tasks: Any, serve: Serve) -> None:
    app.conf.task_workflow_embed_limit = None
    workflow = freeze(chained([chain(tasks["add"].s(0, 1), *(tasks["add"].s(1) for _ in range(99)))]), app.runtime.new_id)

    thin, blocks = keep(app, workflow)

    assert thin is workflow
    assert blocks == ()


def test_without_a_result_backend_everything_travels_in_the_messages(app: Celery, url: str) -> None:
    bare = Celery("bare", broker=url, backend="disabled://", set_as_current=False)
    workflow = freeze(chained([chain(bare.signature("add", (0, 1)), *[bare.signature("add", (1,))] * 99)]), bare.runtime.new_id)

    assert keep(bare, workflow) == (workflow, ())


def test_a_reference_that_is_sent_as_a_call_goes_on(app: Celery, tasks: Any, serve: Serve) -> None:
    # As a Celery worker does with whatever comes next in a chain.
    frozen = freeze(chained([chain(tasks["add"].s(0, 1), *(tasks["add"].s(1) for _ in range(99)))]), app.runtime.new_id)
    thin, blocks = keep(app, frozen)
    app.store.store_results(blocks)
    steps = thin["kwargs"]["tasks"]
    serve()

    app.signature(steps[-1]).apply_async((1000,))

    end = app.AsyncResult(steps[-1]["options"]["task_id"])
    assert steps[-1]["task"] == KEPT
    assert end.get(timeout=WAIT_S) == 1000 + 100 - len(steps) + 1


def ancestors(result: Any) -> Iterator[Any]:
    while result is not None:
        yield result
        result = result.parent


# ---- Hundreds of chords in a row: flat as they look ----------------------------------------------------------------


def test_hundreds_of_chords_in_a_row_run_one_after_the_other(serve: Serve, tasks: dict[str, Any], sent: list[int]) -> None:
    add, total = tasks["add"], tasks["total"]
    workflow = add.s(0, 0)
    for _ in range(300):
        workflow = workflow | group(add.s(1), add.si(0, 0)) | total.s()
    serve()

    result = workflow.delay()

    assert result.get(timeout=WAIT_S) == 300
    assert sum(sent) < 901 * 10_000


def test_a_member_that_fails_far_back_in_a_row_ends_all_that_follows(serve: Serve, tasks: dict[str, Any], app: Celery) -> None:
    add, total, heard = tasks["add"], tasks["total"], []

    @app.task(name="hear")
    def hear(request: Any, error: Exception, _traceback: Any) -> None:
        heard.append((request.id, type(error).__name__))

    steps = [step for _ in range(60) for step in (group(add.s(1), add.si(0, 0)), total.s())]
    steps[2 * 40] = group(add.s(1), tasks["broken"].si())
    workflow = chain(add.s(0, 0), *steps)
    workflow.link_error(hear.s())
    serve()

    result = workflow.delay()

    line = [result]
    while line[-1].parent is not None:
        line.append(line[-1].parent)
    bodies = [one for one in reversed(line) if isinstance(one, AsyncResult)][1:]
    with pytest.raises(ChordError):
        result.get(timeout=WAIT_S, follow_parents=False)
    eventually(lambda: {one.state for one in bodies[40:]} == {"FAILURE"}, what="all that follows has ended")
    eventually(lambda: heard, what="the errback is called")
    assert heard == [(bodies[40].id, "ChordError")]
    assert [one.get(timeout=WAIT_S, follow_parents=False) for one in bodies[:40]] == list(range(1, 41))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("written", ["with |", pytest.param("as a list", marks=pytest.mark.long)])
def test_a_chain_of_ten_thousand_runs_to_its_end(tasks: Any, serve: Serve, written: str) -> None:
    serve()
    steps = [tasks["add"].s(1) for _ in range(9_999)]
    workflow: Any = tasks["add"].s(0, 1)
    if written == "with |":
        for step in steps:
            workflow = workflow | step
    else:
        workflow = chain([workflow, *steps])

    result = workflow.delay()

    assert result.get(timeout=100) == 10_000


@pytest.mark.timeout(120)
def test_a_group_of_ten_thousand_runs_to_its_end(tasks: Any, serve: Serve) -> None:
    serve()

    result: Any = group([tasks["add"].s(number, 1) for number in range(10_000)]).delay()

    assert result.get(timeout=100) == list(range(1, 10_001))


@pytest.mark.parametrize("forged", [[1, 2], {"task": 5}, {"task": "add", "args": "12"}, {"task": "c", "subtask_type": "chain"}])
def test_a_part_that_a_stranger_has_written_is_told_to_who_waits(app: Celery, tasks: Any, serve: Serve, forged: Any) -> None:
    frozen = freeze(chained([tasks["add"].s(1) for _ in range(200)]), app.runtime.new_id)
    _, blocks = keep(app, frozen)
    result: Any = chain([app.signature(step) for step in frozen["kwargs"]["tasks"]]).delay()
    app.store.store_results([replace(each, body=json.dumps(forged).encode()) for each in blocks])

    serve()

    with pytest.raises(Exception, match="cannot be read"):
        result.get(timeout=WAIT_S, follow_parents=False)
    assert tasks["add"].delay(1, 1).get(timeout=WAIT_S) == 2
