"""Trees of results, after Celery's chapter "Canvas" (Graphs) and its reference of ``AsyncResult``, on every store.

Each is an example of theirs in words and names of our own, and a test of what it does.
"""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from celeriac import AsyncResult, Celery, GroupResult, IncompleteStream, chain, chord, group
from celeriac.app.drawing.formats import to_text
from celeriac.app.drawing.happened import happened
from celeriac.app.drawing.tracing import trace
from celeriac.core import taskmeta
from guide.conftest import Serve

WAIT_S = 10
_ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?! raised)"
_MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00"


@pytest.fixture
def tasks(app: Celery, tasks: dict[str, Any]) -> dict[str, Any]:
    app.conf.result_extended = True
    add, total = tasks["add"], tasks["total"]

    @app.task(name="spread")
    def spread(count: int) -> None:
        group(add.s(i, i) for i in range(count)).apply_async()

    @app.task(name="joined")
    def joined(count: int) -> None:
        chord([add.s(i, i) for i in range(count)])(total.s() | add.s(1))

    @app.task(name="nested")
    def nested(count: int) -> None:
        inner = chord([add.s(i, i) for i in range(count)], total.s())
        chord([inner, add.s(1, 1) | group(add.s(i) for i in range(count))], ended_with.s())()

    @app.task(name="ended_with")
    def ended_with(values: list[Any]) -> int:
        return len(values)

    @app.task(name="stepped")
    def stepped(steps: int) -> None:
        group([chain(add.s(1), *(add.s(1) for _ in range(steps))), add.s(5)]).apply_async()

    return dict(app.tasks)


def outline(result: Any, *saved: Any) -> list[str]:
    """Return the tree of a result: names and states, indented. ``saved``: groups that were saved around it."""
    figure = happened(trace(result.as_tuple(), result.app.results.metas, saved=[one.as_tuple() for one in saved]))
    return [_bare(line) for line in to_text(figure).splitlines()]


def _bare(line: str) -> str:
    return re.sub(rf"(  )?({_ID}|{_MOMENT}|<--)", "", line).replace("──   ", "── ")


def ended(result: Any) -> Any:
    """Wait for everything that ``result`` set off."""
    for _ in result.collect(timeout=WAIT_S, propagate=False):
        pass
    return result


def test_the_graph_of_a_chain_leads_from_its_first_step_to_its_end(tasks: Any, serve: Serve) -> None:
    serve()
    result = (tasks["add"].s(4, 4) | tasks["add"].s(8) | tasks["add"].s(10)).delay()
    result.get(timeout=WAIT_S)

    first = result.parent.parent

    assert [(a.id, b.id) for a, b in first.graph.edges()] == [(first.id, result.parent.id), (result.parent.id, result.id)]
    assert repr(first.graph).splitlines()[:3] == [f"{first}(2)", f"     {result.parent}(1)", f"          {result}(0)"]


def test_a_graph_is_written_for_graphviz(tasks: Any, serve: Serve) -> None:
    serve()
    result = (tasks["add"].s(4, 4) | tasks["add"].s(8)).delay()
    result.get(timeout=WAIT_S)

    out = io.StringIO()
    result.parent.graph.to_dot(out)

    assert f'"{result.parent}" -> "{result}"' in out.getvalue()


def test_what_a_task_sent_is_collected_with_its_values(tasks: Any, serve: Serve) -> None:
    serve()
    result = tasks["spread"].delay(4)
    result.get(timeout=WAIT_S)

    collected = list(result.collect(timeout=WAIT_S))

    assert [value for _, value in collected] == [None, [0, 2, 4, 6], 0, 2, 4, 6]
    assert isinstance(collected[1][0], GroupResult)
    assert result.get_leaf() == 6


def test_a_chord_in_a_chain_is_a_group_and_its_body(tasks: Any, serve: Serve) -> None:
    serve()
    result = (tasks["add"].s(1, 1) | group(tasks["add"].s(i) for i in range(3)) | tasks["total"].s()).delay()
    result.get(timeout=WAIT_S)

    header, body = result.parent.parent.children

    assert (header.id, body.id) == (result.parent.id, result.id)
    assert [member.id for member in header.children] == [member.id for member in result.parent.results]


def test_a_chord_that_a_task_sends_is_found_to_its_end(tasks: Any, serve: Serve) -> None:
    serve()
    result = tasks["joined"].delay(3)
    result.get(timeout=WAIT_S)

    values = [value for _, value in result.collect(timeout=WAIT_S)]

    assert values == [None, [0, 2, 4], 6, 0, 2, 4, 7]
    assert outline(result) == [
        "4 in a row",
        "├── joined  SUCCESS",
        "├── group of 3  3 SUCCESS",
        "│   ├── add  SUCCESS",
        "│   ├── add  SUCCESS",
        "│   └── add  SUCCESS",
        "├── total  SUCCESS",
        "└── add  SUCCESS",
    ]


def test_a_chord_that_a_client_sends_is_a_tree_from_its_result(tasks: Any, serve: Serve) -> None:
    serve()
    result = ended(chord([tasks["add"].s(1), tasks["add"].s(2) | tasks["add"].s(3)])(tasks["total"].s()))

    lines = outline(result)

    assert lines == [
        "2 in a row",
        "├── group of 2  2 SUCCESS",
        "│   ├── add  SUCCESS",
        "│   └── 2 in a row",
        "│       ├── add  SUCCESS",
        "│       └── add  SUCCESS",
        "└── total  SUCCESS",
    ]


def test_a_workflow_is_found_from_the_id_of_its_end_alone(app: Celery, tasks: Any, serve: Serve) -> None:
    serve()
    result = (tasks["add"].s(1, 1) | group(tasks["add"].s(1), tasks["add"].s(2)) | tasks["total"].s()).delay()
    result.get(timeout=WAIT_S)

    lines = outline(app.AsyncResult(result.id))

    assert lines == [
        "3 in a row",
        "├── add  SUCCESS",
        "├── group of 2  2 SUCCESS",
        "│   ├── add  SUCCESS",
        "│   └── add  SUCCESS",
        "└── total  SUCCESS",
    ]


def test_steps_that_never_ran_lead_to_the_one_that_failed(app: Celery, tasks: Any, serve: Serve) -> None:
    serve()
    result = (tasks["add"].s(1, 1) | tasks["broken"].s() | tasks["add"].s(1)).delay()
    result.get(timeout=WAIT_S, propagate=False)

    lines = outline(app.AsyncResult(result.id))

    assert lines == [
        "3 in a row",
        "├── add  SUCCESS",
        "├── broken  FAILURE  ValueError: it broke",
        "└── FAILURE  ValueError: it broke",
    ]


def test_the_body_of_a_chord_that_failed_leads_to_its_members(app: Celery, tasks: Any, serve: Serve) -> None:
    serve()
    result = (tasks["add"].s(1, 1) | group(tasks["broken"].s(), tasks["add"].s(2)) | tasks["total"].s()).delay()
    result.get(timeout=WAIT_S, propagate=False)

    lines = outline(app.AsyncResult(result.id))

    assert lines[:2] == ["3 in a row", "├── add  SUCCESS"]
    assert lines[2] in {"├── group of 2  1 FAILURE, 1 SUCCESS", "├── group of 2  1 SUCCESS, 1 FAILURE"}
    assert lines[3:5] == ["│   ├── broken  FAILURE  ValueError: it broke", "│   └── add  SUCCESS"]
    assert lines[5].startswith("└── FAILURE  ChordError: ")


def test_a_task_that_sends_long_chains_has_a_result_that_can_be_read(app: Celery, tasks: Any, serve: Serve) -> None:
    serve()
    result = tasks["stepped"].delay(100)
    result.get(timeout=WAIT_S)

    [sent] = result.children

    assert sent.get(timeout=WAIT_S) == [101, 5]
    [body] = app.store.load([result.id])
    assert body is not None
    assert taskmeta.decode(body).status == "SUCCESS"


def test_a_tree_that_has_not_ended_is_walked_as_far_as_it_is_known(app: Celery, tasks: Any, serve: Serve) -> None:
    serve()
    result = (tasks["add"].s(1, 1) | tasks["add"].s(1).set(countdown=3600)).delay()
    result.parent.get(timeout=WAIT_S)

    with pytest.raises(IncompleteStream):
        list(result.parent.iterdeps())
    assert [node.id for _, node in result.parent.iterdeps(intermediate=True)] == [result.parent.id, result.id]
    assert isinstance(result.parent.children[0], AsyncResult)


def test_chords_and_groups_in_a_header_that_a_task_sends_are_in_it_and_nowhere_else(tasks: Any, serve: Serve) -> None:
    serve()
    result = tasks["nested"].delay(2)
    result.get(timeout=WAIT_S)

    lines = outline(ended(result))

    assert lines == [
        "3 in a row",
        "├── nested  SUCCESS",
        "├── group of 2  2 SUCCESS",
        "│   ├── 2 in a row",
        "│   │   ├── group of 2  2 SUCCESS",
        "│   │   │   ├── add  SUCCESS",
        "│   │   │   └── add  SUCCESS",
        "│   │   └── total  SUCCESS",
        "│   └── 2 in a row",
        "│       ├── add  SUCCESS",
        "│       └── group of 2  2 SUCCESS",
        "│           ├── add  SUCCESS",
        "│           └── add  SUCCESS",
        "└── ended_with  SUCCESS",
    ]


def test_a_header_that_was_saved_is_seen_whole_from_the_body_that_never_ran(app: Celery, tasks: Any, serve: Serve) -> None:
    serve()
    add = tasks["add"]
    result = chord([add.s(1, 1) | group(add.s(1), add.s(2)), tasks["broken"].s(), add.s(2, 2)])(tasks["total"].s())
    result.get(timeout=WAIT_S, propagate=False)

    lines = outline(app.AsyncResult(result.id), result.parent)

    assert lines[0] == "2 in a row"
    assert lines[2:-1] == [
        "│   ├── broken  FAILURE  ValueError: it broke",
        "│   ├── 2 in a row",
        "│   │   ├── add  SUCCESS",
        "│   │   └── group of 2  2 SUCCESS",
        "│   │       ├── add  SUCCESS",
        "│   │       └── add  SUCCESS",
        "│   └── add  SUCCESS",
    ]
    assert lines[-1].startswith("└── FAILURE  ChordError: ")


def test_a_chord_in_a_header_that_failed_is_seen_with_its_own_header(app: Celery, tasks: Any, serve: Serve) -> None:
    serve()
    inner = chord([tasks["add"].s(1, 1), tasks["broken"].s()], tasks["total"].s())
    result = chord([inner, tasks["add"].s(2, 2)])(tasks["total"].s())
    result.get(timeout=WAIT_S, propagate=False)

    lines = outline(app.AsyncResult(result.id), result.parent)

    assert [line.split("  ")[0] for line in lines] == [
        "2 in a row",
        "├── group of 2",
        "│",
        "│",
        "│",
        "│",
        "│",
        "│",
        "└── FAILURE",
    ]
    assert lines[4] == "│   │   │   ├── broken  FAILURE  ValueError: it broke"
    assert lines[6].startswith("│   │   └── FAILURE  ChordError: ")
    assert lines[7] == "│   └── add  SUCCESS"
