"""No hidden inputs: clock, chance, ids and the network come in from outside, through ``Runtime`` and the drivers.

A fleet can only be simulated from a seed if nothing reads a clock behind its back. So every place that may is named
here, with its reason; a place that no longer needs its permission fails the test too.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import celeriac

PACKAGE = Path(celeriac.__file__).parent
MODULES = frozenset({"time", "random", "uuid", "secrets", "socket", "select", "selectors", "sched"})
CALLS = frozenset(
    {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "os.urandom", "asyncio.sleep", "threading.Timer"}
)

TYPES = frozenset({"uuid.UUID", "uuid.uuid5", "uuid.NAMESPACE_OID"})
"""Names of such modules that only hold what they are given, or follow from it."""

ALLOWED: dict[str, tuple[frozenset[str], str]] = {
    "app/runtime.py": (frozenset({"time", "random", "datetime.now", "os.urandom"}), "the one Runtime of real programs"),
    "app/overseer.py": (frozenset({"socket", "time"}), "systemd wants to be told over a socket, with a time of its own clock"),
    "cli/cluster/running.py": (frozenset({"time"}), "waits for the end of processes"),
    "cli/detaching.py": (frozenset({"select"}), "waits until the detached program is ready"),
    "cli/multi.py": (frozenset({"socket"}), "the name of the host"),
    "cli/health.py": (frozenset({"socket"}), "asks a node how it is"),
    "cli/companion.py": (frozenset({"select"}), "waits for the end of the node"),
    "drivers": (frozenset({"socket", "select"}), "the network ends here"),
    "events/workers.py": (frozenset({"time"}), "programs of Celery ask whether a node is alive, and hand in no clock"),
    "testing/clock.py": (frozenset({"random", "uuid"}), "chance and ids from a seed"),
    "worker/health.py": (frozenset({"socket", "selectors", "time"}), "answers strangers, and bounds how long each may take"),
    "worker/lanes/real_loop.py": (frozenset({"selectors"}), "a loop that waits as no greenlet does"),
    "worker/listening.py": (frozenset({"socket"}), "where the health endpoint listens"),
    "worker/child_process.py": (frozenset({"time"}), "waits for a process that was stopped to stand"),
    "worker/node.py": (frozenset({"select"}), "waits for news of its children"),
    "worker/plan.py": (frozenset({"socket"}), "the name of the host"),
    "worker/rdb.py": (frozenset({"socket"}), "a debugger that is spoken to over a port"),
    "worker/stacks.py": (frozenset({"select", "time"}), "waits for what a process says that answers nobody"),
    "worker/spawning.py": (frozenset({"time"}), "starts interpreters, not too often"),
    "worker/template.py": (frozenset({"socket", "select"}), "the pipe between a node and its template"),
}
"""File or folder -> what it may touch, and why."""


def touched(source: str) -> set[str]:
    """Return the modules of ``MODULES`` that a source imports, and the calls of ``CALLS`` that it makes."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & CALLS
            if not names <= TYPES:
                found |= {node.module.partition(".")[0]} & MODULES
        elif isinstance(node, ast.Attribute):
            found |= {".".join(ast.unparse(node).split(".")[-2:])} & CALLS
    return found


def allowance(path: str) -> frozenset[str]:
    """Return what the file may touch: its own entry and those of its folders."""
    entries = [names for place, (names, _) in ALLOWED.items() if path == place or path.startswith(f"{place}/")]
    return frozenset().union(*entries)


FILES = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}


@pytest.mark.parametrize("name", FILES)
def test_a_file_reads_no_clock_chance_or_network_that_it_was_not_allowed(name: str) -> None:
    source = FILES[name].read_text()

    found = touched(source)

    assert found - allowance(name) == set(), "take it from Runtime, or name the reason in ALLOWED"


@pytest.mark.parametrize("place", ALLOWED)
def test_no_permission_outlives_its_use(place: str) -> None:
    inside = [path for name, path in FILES.items() if name == place or name.startswith(f"{place}/")]

    used = set().union(*(touched(path.read_text()) for path in inside))

    assert ALLOWED[place][0] - used == set(), f"{place} no longer touches these"


def test_the_search_finds_what_it_is_to_find() -> None:
    source = "import time\nfrom uuid import uuid4\nimport datetime\nx = datetime.datetime.now()\nimport os\nos.urandom(4)\n"

    found = touched(source)

    assert found == {"time", "uuid", "datetime.now", "os.urandom"}
