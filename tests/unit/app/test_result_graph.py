"""The tree of results below one: walked, waited for, drawn."""

from __future__ import annotations

import io
from typing import Any

import pytest

from celeriac import AsyncResult, Celery, IncompleteStream, group
from celeriac.app.results.result_graph import DependencyGraph, GraphFormatter
from celeriac.core import taskmeta
from celeriac.core.settlement import StoredResult
from celeriac.core.taskmeta import TaskMeta
from unit.app.serving import serve


def store(app: Celery, id: str, value: Any, *children: Any) -> None:
    meta = TaskMeta(task_id=id, status="SUCCESS", result=value, children=children)
    app.store.store_results([StoredResult(id, "SUCCESS", taskmeta.encode(meta))])


def a_tree(app: Celery) -> AsyncResult[Any]:
    """Store a task that sent one task and a group of two."""
    store(app, "root", "r", [["one", None], None], [["g", None], [[["two", None], None], [["three", None], None]]])
    for id_, value in (("one", 1), ("two", 2), ("three", 3)):
        store(app, id_, value)
    return app.AsyncResult("root")


def test_iterdeps_yields_each_result_with_its_parent_near_ones_first(app: Celery) -> None:
    root = a_tree(app)

    found = [(parent and parent.id, node.id) for parent, node in root.iterdeps()]

    assert found == [(None, "root"), ("root", "one"), ("root", "g"), ("g", "two"), ("g", "three")]


def test_collect_yields_results_and_values_those_of_leaves_among_them(app: Celery) -> None:
    root = a_tree(app)

    collected = list(root.collect(timeout=5))

    assert [value for _, value in collected] == ["r", 1, [2, 3], 2, 3]
    assert [value for result, value in collected if not result.children] == [1, 2, 3]
    assert root.get_leaf() == 3


def test_what_has_not_ended_is_an_error_unless_it_may_be_passed_by(app: Celery) -> None:
    store(app, "root", "r", [["never", None], None])
    root = app.AsyncResult("root")

    with pytest.raises(IncompleteStream, match="never"):
        list(root.iterdeps())
    assert [node.id for _, node in root.iterdeps(intermediate=True)] == ["root", "never"]


def test_the_graph_has_an_arrow_for_each_child_and_is_built_once(app: Celery) -> None:
    root = a_tree(app)

    graph = root.graph

    assert [(a.id, b.id) for a, b in graph.edges()] == [("root", "one"), ("root", "g"), ("g", "two"), ("g", "three")]
    assert root.graph is graph
    assert (len(graph), graph.valency_of(root), root in graph) == (5, 4, True)
    order = [node.id for node in graph.topsort()]
    assert order.index("two") < order.index("g") < order.index("root")


def test_the_graph_is_drawn_for_graphviz_as_the_formatter_says(app: Celery) -> None:
    class Short(GraphFormatter):
        def label(self, node: object) -> str:
            return f'"{str(node)[0]}'

    root, out = a_tree(app), io.StringIO()

    root.build_graph(formatter=Short(root=root)).to_dot(out)

    lines = out.getvalue().splitlines()
    assert (lines[0], lines[-1]) == ("digraph dependencies {", "}")
    assert r'    "\"r" [shape="oval", style="filled"]' in lines
    assert r'    "\"r" -> "\"o"' in lines


def test_a_graph_with_a_circle_cannot_be_sorted() -> None:
    graph = DependencyGraph()
    graph.add_edge("a", "b")
    graph.add_edge("b", "a")

    with pytest.raises(ValueError, match="circle"):
        graph.topsort()
    assert graph.valency_of("a") == 2


def test_the_values_of_what_a_task_sent_are_collected_through_its_children(app: Celery) -> None:
    @app.task
    def pow2(i: int) -> int:
        return i * i

    @app.task
    def square_all(count: int) -> None:
        group(pow2.s(i) for i in range(count)).apply_async()

    result = square_all.delay(3)
    serve(app)
    serve(app)

    assert [value for node, value in result.collect(timeout=1) if not node.children] == [0, 1, 4]


def test_a_set_of_results_is_no_node_since_members_come_and_go(app: Celery) -> None:
    with pytest.raises(TypeError, match="cannot be hashed"):
        hash(app.ResultSet([]))


def test_a_graph_can_be_made_of_pairs_and_joined_with_another() -> None:
    graph, other = DependencyGraph([("a", ["b"])]), DependencyGraph([("b", ["c"])])

    graph.connect(other)

    assert dict(graph.iteritems()) == {"a": ["b"], "b": ["c"], "c": []}
    assert graph.topsort() == ["c", "b", "a"]
    assert graph.valency_of("a") == 2
    assert graph.format("a") == "a"
