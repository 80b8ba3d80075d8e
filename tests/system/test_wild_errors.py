"""Whatever a task raises: the worker lives, the next task runs, and the caller can read what it was."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from celeriac import RemoteError
from system.fleet import Fleet


@pytest.fixture
def wild_jobs(monkeypatch: pytest.MonkeyPatch, fleet: Fleet) -> Iterator[Any]:
    """Give the tasks' module, which the caller knows, too: it can catch its exceptions."""
    for name, value in fleet.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    before = set(sys.modules)
    module = import_module("wild_jobs")  # late: its app needs the fleet's store
    yield module
    module.app.close()
    for name in {"wild_jobs", "jobs"} - before:
        del sys.modules[name]


def test_the_worker_lives_and_the_caller_is_told_what_it_was(fleet: Fleet, wild_jobs: Any) -> None:
    node = fleet.start("-c", "1", "-I", "wild_jobs")
    family = {process.pid for process in node.family()}

    ends = {kind: fleet.client.send_task("wild_jobs.misbehave", (kind,)) for kind in wild_jobs.KINDS}
    errors = {kind: end.get(timeout=30, propagate=False) for kind, end in ends.items()}
    after = fleet.send("add", 1, 1).get(timeout=20)

    assert after == 2
    assert {process.pid for process in node.family()} == family
    told = {kind: error.type if isinstance(error, RemoteError) else name_of(error) for kind, error in errors.items()}
    assert told == {kind: name for kind, (_, name) in wild_jobs.KINDS.items()}
    assert {kind for kind, error in errors.items() if isinstance(error, RemoteError)} == {
        "untouchable", "its own base", "exit", "interrupt", "cancelled",
    }  # fmt: skip
    assert isinstance(errors["chained"].__cause__, KeyError)
    assert [type(each) for each in errors["group"].exceptions] == [ValueError, KeyError]
    assert errors["no file"].filename == "/no/such/file"
    assert max(len(end.traceback or "") for end in ends.values()) < 200_000
    assert len(node.log) < 2_000_000


def name_of(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"
