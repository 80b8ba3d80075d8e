"""Odd exceptions and results, in every pool and every way to write a task: one task fails, and nothing else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from celeriac import RemoteError, WorkerLostError
from celeriac.core.errors import EncodeError
from system.fleet import Fleet, Node
from system.patience import eventually

POOLS = {"prefork": ("-c", "2"), "threads": ("-P", "threads", "-c", "4"), "asyncio": ("-P", "asyncio", "-c", "4")}
FORMS = ("plain", "watched", "waiting", "watched_waiting", "retried")
NEVER_OURS = {"generator exit", "interrupt", "exit", "cancelled"}
"""Raised, they would end the caller, its loop or its generator: it is told of them by name."""


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch, local_fleet: Fleet) -> Iterator[Any]:
    """Give the tasks' module, which the caller has loaded, too: it can catch its exceptions."""
    for name, value in local_fleet.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    before = set(sys.modules)
    module = import_module("odd_jobs")  # late: its app needs the fleet's store
    yield module
    module.app.close()
    for name in {"odd_jobs", "jobs"} - before:
        del sys.modules[name]


def start(fleet: Fleet, *words: str) -> Node:
    """Start a worker that knows the odd tasks."""
    return fleet.start("-I", "odd_jobs", *words)


def send(fleet: Fleet, task: str, *args: Any, **options: Any) -> Any:
    """Send one of the odd tasks."""
    return fleet.client.send_task(f"odd_jobs.{task}", args, **options)


def name_of(error: Any) -> str:
    """Return the dotted name of the class that a caller is told of."""
    if isinstance(error, RemoteError):
        return error.type
    kind: Any = type.__getattribute__(type(error), "__dict__")
    return f"{kind['__module__']}.{type(error).__qualname__}" if "__module__" in kind else f"builtins.{type(error).__name__}"


def told(form: str, kind: str, name: str) -> str:
    """Return what a caller is told, where Python itself says otherwise: no coroutine may raise StopIteration."""
    return "builtins.RuntimeError" if kind == "stop iteration" and "waiting" in form else name


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("form", FORMS)
def test_whatever_is_raised_one_task_fails_and_the_worker_goes_on(local_fleet: Fleet, odd: Any, pool: str, form: str) -> None:
    node = start(local_fleet, *POOLS[pool])
    family = {process.pid for process in node.family()}

    ends = {kind: send(local_fleet, form, kind) for kind in odd.ERRORS}
    errors = {kind: end.get(timeout=15, propagate=False) for kind, end in ends.items()}
    after = [local_fleet.send("add", i, i) for i in range(4)] + [local_fleet.send("think", i) for i in range(4)]

    assert {kind: name_of(error) for kind, error in errors.items()} == {
        kind: told(form, kind, name) for kind, (_, name) in odd.ERRORS.items()
    }
    assert {kind for kind, error in errors.items() if isinstance(error, RemoteError)} == NEVER_OURS
    assert {kind for kind, end in ends.items() if end.state != "FAILURE" or not end.traceback} == set()
    assert [result.get(timeout=10) for result in after] == [0, 2, 4, 6] * 2
    assert {process.pid for process in node.family()} == family
    assert local_fleet.dead_letters() == []


def test_a_class_that_the_caller_has_can_be_caught(local_fleet: Fleet, odd: Any) -> None:
    start(local_fleet, "-c", "1")

    with pytest.raises(odd.KeywordsOnly):
        send(local_fleet, "plain", "keywords only").get(timeout=10)
    with pytest.raises(odd.Holding, match="lock"):
        send(local_fleet, "plain", "holding a lock").get(timeout=10)
    with pytest.raises(ExceptionGroup) as group:
        send(local_fleet, "plain", "nested groups").get(timeout=10)

    inner, closed = group.value.exceptions
    assert isinstance(inner, ExceptionGroup)
    assert isinstance(inner.exceptions[0], KeyError)
    assert name_of(closed) == "builtins.GeneratorExit"


def test_a_class_that_the_caller_has_not_is_told_by_its_name(local_fleet: Fleet) -> None:
    start(local_fleet, "-c", "1")

    with pytest.raises(RemoteError, match=r"odd_jobs\.Holding") as raised:
        send(local_fleet, "plain", "holding a lock").get(timeout=10)

    assert raised.value.type == "odd_jobs.Holding"
    assert "odd_jobs" not in sys.modules


@pytest.mark.parametrize("pool", POOLS)
def test_a_result_that_cannot_be_written_fails_its_task(local_fleet: Fleet, odd: Any, pool: str) -> None:
    node = start(local_fleet, *POOLS[pool])
    family = {process.pid for process in node.family()}

    ends = {kind: send(local_fleet, "returns", kind) for kind in odd.RESULTS}
    errors = {kind: end.get(timeout=15, propagate=False) for kind, end in ends.items()}

    assert {kind: type(error) for kind, error in errors.items()} == dict.fromkeys(odd.RESULTS, EncodeError)
    assert local_fleet.send("add", 1, 1).get(timeout=10) == 2
    assert {process.pid for process in node.family()} == family


@pytest.mark.parametrize("pool", POOLS)
def test_a_task_that_leaves_its_process_is_told_to_have_died(local_fleet: Fleet, odd: Any, pool: str) -> None:
    node = start(local_fleet, *POOLS[pool])

    with pytest.raises(WorkerLostError, match="7"):
        send(local_fleet, "leaves", 7).get(timeout=15)

    assert local_fleet.send("add", 1, 1).get(timeout=15) == 2
    assert node.process.poll() is None


def an_unknown(*_: Any) -> Any:
    """Return what no serializer knows."""
    return threading.Lock()


@pytest.mark.parametrize(
    ("args", "kwargs", "path"),
    [
        ((an_unknown(),), {}, r"args\[0\]"),
        ((1, {"users": [{"lock": an_unknown()}]}), {}, r"args\[1\]"),
        ((), {"user": an_unknown()}, "user"),
    ],
)
@pytest.mark.parametrize("serializer", ["json", "msgpack", "yaml", "pickle"])
def test_an_argument_that_cannot_be_written_fails_where_the_task_is_called(
    local_fleet: Fleet, serializer: str, args: Any, kwargs: Any, path: str
) -> None:
    with pytest.raises(EncodeError, match="lock") as raised:
        local_fleet.client.send_task("jobs.add", args, kwargs, serializer=serializer)

    if serializer == "json":
        assert raised.match(path)
    assert list(local_fleet.client.store.depth(["celery"])) == [0]


def test_a_secret_argument_is_shown_nowhere(local_fleet: Fleet, odd: Any) -> None:
    ignorant = local_fleet.start("-c", "1", "-l", "DEBUG")  # does not know the task: a dead letter
    unknown = odd.login.delay("ada", password="hunter2")
    by_hand = send(local_fleet, "plain", "hunter2", argsrepr="('***',)")
    eventually(lambda: len(local_fleet.dead_letters()) == 2, what="both are kept")
    listed = local_fleet.celeriac("dlq", "list").stdout
    shown = local_fleet.celeriac("dlq", "show", local_fleet.dead_letters()[0].id).stdout
    ignorant.stop()

    node = start(local_fleet, "-c", "1", "-l", "DEBUG")
    failed = odd.login.delay("bob", "hunter2")
    failed.get(timeout=10, propagate=False)
    node.stop()

    seen = "".join((ignorant.log, listed, shown, node.log, str(failed.traceback), repr(failed.result), unknown.id, by_hand.id))
    assert "hunter2" not in seen
    assert "ada" in shown
    assert failed.id in node.log
