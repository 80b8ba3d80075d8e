"""The tree of results that a task's result opens: the tasks that it sent, those that they sent, and so on.

In a job's life: after it, when somebody wants to see what became of everything that a call set off. Children are known when their
parent has ended. Names and meanings: Celery's reference of ``AsyncResult``. Does not know: stores, how a result is waited for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

from celeriac.core.errors import IncompleteStream

_INDENT: Final = "    "
_LINES: Final = 1000
"""Of a ``repr``."""
N = TypeVar("N")


@runtime_checkable
class Node(Protocol):
    """A result, as the tree sees it: of one task or of several."""

    @property
    def children(self) -> Any:
        """Results of what it sent."""

    def ready(self) -> bool:
        """Say whether it has ended."""

    def get(self) -> Any:
        """Wait for its value."""


class GraphFormatter:
    """Writes a graph for Graphviz. Give ``build_graph`` one of your own to change labels or attributes."""

    def __init__(self, root: object = None, type: str = "digraph", id: str = "dependencies", shape: str = "oval") -> None:
        """``root`` is the node that is drawn filled."""
        self.root, self.type, self.id, self.shape = root, type, id, shape

    def label(self, node: object) -> str:
        """Return the text that stands for ``node``."""
        return str(node)

    def head(self) -> str:
        """Return the line that opens the graph."""
        return f"{self.type} {self.id} {{"

    def tail(self) -> str:
        """Return the line that closes it."""
        return "}"

    def node(self, node: object) -> str:
        """Return the line that draws ``node``."""
        attributes: dict[str, str] = {"shape": self.shape}
        if str(node) == str(self.root):
            attributes["style"] = "filled"
        return f"{_INDENT}{_quoted(self.label(node))} [{_attributes(attributes)}]"

    def edge(self, a: object, b: object) -> str:
        """Return the line that draws the arrow from ``a`` to ``b``."""
        arrow = "->" if self.type == "digraph" else "--"
        return f"{_INDENT}{_quoted(self.label(a))} {arrow} {_quoted(self.label(b))}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _attributes(given: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={_quoted(value)}" for name, value in given.items())


class DependencyGraph:
    """Nodes, and which of them came from which: a mapping of each node to the nodes that it points to."""

    def __init__(self, it: Iterable[tuple[Any, Iterable[Any]]] | None = None, formatter: GraphFormatter | None = None) -> None:
        """``it`` yields nodes, each with those that it points to."""
        self.formatter = formatter or GraphFormatter()
        self.adjacent: dict[Any, list[Any]] = {}
        """Node -> those it points to."""
        self.update(it or ())

    def add_arc(self, obj: object) -> None:
        """Add a node, if it is not there."""
        self.adjacent.setdefault(obj, [])

    def add_edge(self, A: object, B: object) -> None:  # noqa: N803 - Celery's names
        """Add an arrow from ``A`` to ``B``."""
        self.add_arc(B)
        self.adjacent.setdefault(A, []).append(B)

    def update(self, it: Iterable[tuple[Any, Iterable[Any]]]) -> None:
        """Add nodes, each with those that it points to."""
        for node, several in it:
            self.add_arc(node)
            for below in several:
                self.add_edge(node, below)

    def connect(self, graph: DependencyGraph) -> None:
        """Add the nodes and arrows of another graph; for a node that both have, those of the other hold."""
        self.adjacent.update(graph.adjacent)

    def edges(self) -> Iterator[tuple[Any, Any]]:
        """Yield each arrow."""
        return ((a, b) for a, several in self.adjacent.items() for b in several)

    def valency_of(self, obj: object) -> int:
        """Return how many arrows can be followed from ``obj``, and from what they point to."""
        seen, stack, count = {obj}, [obj], 0
        while stack:
            for next_one in self.adjacent.get(stack.pop(), ()):
                count += 1
                if next_one not in seen:
                    seen.add(next_one)
                    stack.append(next_one)
        return count

    def topsort(self) -> list[Any]:
        """Return all nodes, each after those that it points to.

        Raises:
            ValueError: there is a circle.
        """
        order: list[Any] = []
        state: dict[Any, bool] = {}
        for start in self.adjacent:
            stack = [(start, iter(self.adjacent[start]))] if start not in state else []
            state.setdefault(start, False)
            while stack:
                node, rest = stack[-1]
                below = next(rest, None)
                if below is None:
                    stack.pop()
                    state[node] = True
                    order.append(node)
                elif below not in state:
                    state[below] = False
                    stack.append((below, iter(self.adjacent.get(below, ()))))
                elif not state[below]:
                    raise ValueError(f"the graph has a circle through {below}")
        return order

    def items(self) -> Iterable[tuple[Any, list[Any]]]:
        """Return each node with those that it points to."""
        return self.adjacent.items()

    iteritems = items

    def format(self, obj: object) -> str:
        """Return the text that stands for a node."""
        return self.formatter.label(obj)

    def to_dot(self, fh: Any, formatter: GraphFormatter | None = None) -> None:
        """Write the graph to the text file ``fh``, in Graphviz' language."""
        draw = formatter or self.formatter
        print(draw.head(), file=fh)
        for node in self.adjacent:
            print(draw.node(node), file=fh)
        for a, b in self.edges():
            print(draw.edge(a, b), file=fh)
        print(draw.tail(), file=fh)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.adjacent)

    def __getitem__(self, node: object) -> list[Any]:
        return self.adjacent[node]

    def __contains__(self, node: object) -> bool:
        return node in self.adjacent

    def __len__(self) -> int:
        return len(self.adjacent)

    def __repr__(self) -> str:
        lines = list(islice(self._lines(), _LINES + 1))
        return "\n".join(lines if len(lines) <= _LINES else [*lines[:_LINES], "..."])

    def _lines(self) -> Iterator[str]:
        """Yield each node with the number of arrows that start from it or below it, and what is below it, indented."""
        for start in self.adjacent:
            stack, above = [(start, 0)], {start}
            while stack:
                node, level = stack.pop()
                yield f"{' ' * 5 * level}{self.format(node)}({self.valency_of(node)})"
                below = [(one, level + 1) for one in self.adjacent.get(node, ()) if one not in above]
                above.update(one for one, _ in below)
                stack += reversed(below)


def walk(root: Node, *, intermediate: bool) -> Iterator[tuple[Any, Any]]:
    """Yield (parent, result) of the tree under ``root``, near ones first.

    Raises:
        IncompleteStream: one has not ended, so its children are not known; not if ``intermediate``.
    """
    line: deque[tuple[Any, Any]] = deque([(None, root)])
    seen: set[str] = set()
    while line:
        parent, node = line.popleft()
        if (id := str(node)) in seen:  # who wrote to the store may have led it in a circle
            continue
        seen.add(id)
        yield parent, node
        if node.ready():
            line.extend((node, child) for child in node.children or ())
        elif not intermediate:
            raise IncompleteStream(f"{node} has not ended, so what it sent is not known yet")


class ResultGraph:
    """The part of a result that follows its children."""

    _graph: DependencyGraph | None = None

    def iterdeps(self, intermediate: bool = False) -> Iterator[tuple[Any, Any]]:
        """Yield ``(parent, result)`` for this result (its parent is ``None`` here) and everything below it, near ones first.

        Args:
            intermediate: Pass by what has not ended. Otherwise it is an error: its children are not known yet.

        Raises:
            IncompleteStream: see above.
        """
        assert isinstance(self, Node)
        return walk(self, intermediate=intermediate)

    def collect(self, intermediate: bool = False, **kwargs: Any) -> Iterator[tuple[Any, Any]]:
        """Yield ``(result, value)`` for this result and everything below it; wait for each with ``get(**kwargs)``.

        Args:
            intermediate: As for ``iterdeps``.
            kwargs: Of ``get``, such as ``timeout`` (seconds, for each) and ``propagate``.

        Source: Celery's reference of ``AsyncResult.collect``.
        """
        for _, node in self.iterdeps(intermediate=intermediate):
            # Waits before the walk goes on: it then finds the node ended, and its children known.
            yield node, node.get(**kwargs)

    def get_leaf(self) -> Any:
        """Return the value of the last result of the tree."""
        value = None
        for _, each in self.collect():
            value = each
        return value

    def build_graph(self, intermediate: bool = False, formatter: GraphFormatter | None = None) -> DependencyGraph:
        """Return the tree as a graph; ``formatter`` says how ``to_dot`` draws it."""
        graph = DependencyGraph(formatter=formatter or GraphFormatter(root=self))
        for parent, node in self.iterdeps(intermediate=intermediate):
            graph.add_arc(node)
            if parent is not None:
                graph.add_edge(parent, node)
        return graph

    @property
    def graph(self) -> DependencyGraph:
        """The tree as a graph, built once."""
        if self._graph is None:
            self._graph = self.build_graph()
        return self._graph
