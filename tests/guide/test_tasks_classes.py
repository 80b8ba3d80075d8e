"""The examples of Celery's chapter "Tasks", about classes of tasks, their handlers, and how tasks work."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType
from typing import Any

import pytest

from celeriac import Celery, Task, get_task_logger
from celeriac.core.errors import EncodeError
from guide.conftest import Serve

# ---- Classes of one's own ------------------------------------------------------------------------------------------


def test_a_task_may_be_a_class(app: Celery, serve: Serve) -> None:
    class Plus(app.Task):  # type: ignore[name-defined, misc]
        name = "plus"

        def run(self, x: int, y: int) -> int:
            return x + y

    plus: Any = app.register_task(Plus())
    serve()

    assert app.tasks["plus"] is plus
    assert plus.delay(1, 2).get(timeout=5) == 3


def test_a_task_is_made_once_and_keeps_its_state(app: Celery, serve: Serve) -> None:
    class Door(Task[..., Any]):
        name = "door"

        def __init__(self) -> None:
            self.asked: list[str] = []

        def run(self, who: str) -> int:
            self.asked.append(who)
            return len(self.asked)

    door = app.register_task(Door())
    serve()

    assert [door.delay(who).get(timeout=5) for who in ("ada", "bob", "eve")] == [1, 2, 3]


def test_a_base_class_keeps_a_connection_for_each_of_its_tasks(app: Celery, serve: Serve) -> None:
    opened: list[str] = []

    class WithDatabase(Task[..., Any]):
        _db: str | None = None

        @property
        def db(self) -> str:
            if self._db is None:
                opened.append(self.name)
                self._db = f"connection {len(opened)}"
            return self._db

    @app.task(base=WithDatabase, bind=True, name="rows")
    def rows(self: Any) -> str:
        return str(self.db)

    @app.task(base=WithDatabase, bind=True, name="columns")
    def columns(self: Any) -> str:
        return str(self.db)

    serve()
    seen = [task.delay().get(timeout=5) for task in (rows, columns, rows, columns)]

    assert seen == ["connection 1", "connection 2", "connection 1", "connection 2"]
    assert opened == ["rows", "columns"]


class Counting(Task[..., Any]):
    """Named by the app below."""

    def count(self) -> int:
        self.counted = getattr(self, "counted", 0) + 1
        return self.counted


@pytest.mark.parametrize("task_cls", [Counting, f"{__name__}:Counting"])
def test_a_class_may_be_that_of_all_tasks_of_an_app(
    url: str, serve: Serve, task_cls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or module_of(Counting))
    with Celery("counting", task_cls=task_cls, broker=url, backend=url, set_as_current=False) as app:

        @app.task(bind=True)
        def count(self: Any) -> int:
            return int(self.count())

        serve(serving=app)

        assert [count.delay().get(timeout=5) for _ in range(2)] == [1, 2]


def module_of(kind: type) -> Any:
    """Return a module that holds ``kind``: tests are imported in a way that does not always register them."""
    module = ModuleType(kind.__module__)
    setattr(module, kind.__name__, kind)
    return module


# ---- Handlers ------------------------------------------------------------------------------------------------------


def test_handlers_are_called_around_the_run_in_order(app: Celery, serve: Serve) -> None:
    told: list[Any] = []

    class Told(Task[..., Any]):
        def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
            told.append(("before_start", list(args), kwargs))

        def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
            told.append(("on_success", retval))

        def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            told.append(("on_failure", str(exc), "in divide" in str(einfo)))

        def after_return(self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            told.append(("after_return", status))

    @app.task(base=Told)
    def divide(x: int, y: int) -> float:
        told.append("run")
        return x / y

    serve()
    divide.delay(4, y=2).get(timeout=5)
    with pytest.raises(ZeroDivisionError):
        divide.delay(4, y=0).get(timeout=5)

    assert told[:4] == [("before_start", [4], {"y": 2}), "run", ("on_success", 2.0), ("after_return", "SUCCESS")]
    assert told[4:] == [
        ("before_start", [4], {"y": 0}), "run", ("on_failure", "division by zero", True), ("after_return", "FAILURE"),
    ]  # fmt: skip


def test_a_result_that_cannot_be_stored_is_told_as_a_failure(app: Celery, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    class Told(Task[..., Any]):
        def on_success(self, *_: Any) -> None:
            told.append("on_success")

        def on_failure(self, exc: BaseException, *_: Any) -> None:
            told.append(type(exc).__name__)

    def letters() -> set[str]:
        return {"a"}

    watched = app.task(base=Told, name="watched")(letters)
    plain = app.task(name="plain")(letters)
    unwanted = app.task(base=Told, name="unwanted", ignore_result=True)(letters)
    caplog.set_level("INFO")
    serve()
    ends = [task.delay() for task in (unwanted, watched, plain)]
    for end in ends[1:]:
        with pytest.raises(EncodeError, match="set"):
            end.get(timeout=5)

    assert told == ["on_success", "EncodeError"]
    assert all("Traceback" in str(end.traceback) for end in ends[1:])
    lines = [record.getMessage() for record in caplog.records if "[" in record.getMessage()]
    assert [line for line in lines if "succeeded" in line and "unwanted" not in line] == []
    assert len([line for line in lines if "raised unexpected: EncodeError" in line]) == 2


def test_a_retry_is_told_and_is_no_return(app: Celery, serve: Serve) -> None:
    told: list[str] = []

    class Told(Task[..., Any]):
        def on_retry(self, exc: BaseException | None, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            told.append(f"on_retry {exc}")

        def after_return(self, status: str, retval: Any, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            told.append(f"after_return {status}")

    @app.task(base=Told, bind=True)
    def flaky(self: Any) -> str:
        if self.request.retries < 1:
            raise self.retry(exc=ConnectionError("down"), countdown=0)
        return "up"

    serve()

    assert flaky.delay().get(timeout=5) == "up"
    assert told == ["on_retry down", "after_return SUCCESS"]


def test_a_request_class_of_celerys_worker_is_told_to_have_no_effect(app: Celery, caplog: pytest.LogCaptureFixture) -> None:
    class Watched(Task[..., Any]):
        Request = "my.package:MyRequest"

    app.task(base=Watched, name="long")(lambda: None)

    assert "Request" in caplog.text


# ---- How it works --------------------------------------------------------------------------------------------------


def test_the_registry_lists_every_task_and_celerys_own(app: Celery) -> None:
    @app.task
    def mine() -> None: ...

    assert {mine.name, "celery.backend_cleanup", "celery.map", "celery.starmap"} <= set(app.tasks)
    assert app.tasks[mine.name] is mine


def test_a_blog_has_its_comments_filtered_in_the_background(app: Celery, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    comments = {7: {"text": "buy now!", "is_spam": False}}
    log = get_task_logger(__name__)

    @app.task
    def filter_spam(comment_id: int, remote_addr: str | None = None) -> bool:
        log.info("looking at comment %s from %s", comment_id, remote_addr)
        comment = comments[comment_id]
        comment["is_spam"] = "buy" in str(comment["text"])
        return bool(comment["is_spam"])

    caplog.set_level("INFO")
    serve()

    assert filter_spam.delay(comment_id=7, remote_addr="192.0.2.1").get(timeout=5) is True
    assert comments[7]["is_spam"] is True
    [record] = [each for each in caplog.records if "looking at" in each.getMessage()]
    assert record.getMessage() == "looking at comment 7 from 192.0.2.1"


@pytest.mark.parametrize("pool", ["solo", "threads", "asyncio"])
def test_a_coroutine_is_a_task_that_knows_its_request_in_every_pool(app: Celery, serve: Serve, pool: str) -> None:
    @app.task(bind=True)
    async def who(self: Any) -> str:
        before = self.request.id
        await asyncio.sleep(0.01)
        assert self.request.id == before
        return str(before)

    serve(pool=pool, concurrency=2)
    results = [who.delay() for _ in range(6)]

    assert [result.get(timeout=5) for result in results] == [result.id for result in results]
