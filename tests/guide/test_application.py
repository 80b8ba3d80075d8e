"""The examples of Celery's chapter "Application": names, laziness, the chain of apps, classes of tasks.

Each is an example of that chapter in words and names of our own, and a test of what it does, on every store.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from celeriac import Celery, Task, app_or_default, current_app, shared_task
from guide.conftest import Serve, empty_redis
from system.patience import eventually

# ---- An app, its name, and the names of its tasks ------------------------------------------------------------------


def test_an_app_shows_its_class_and_its_name() -> None:
    class Shop(Celery):
        """An app of one's own."""

    assert repr(Celery(set_as_current=False)).startswith("<Celery __main__")
    assert repr(Shop("shop", set_as_current=False)).startswith("<Shop shop")


def test_a_task_is_in_the_registry_under_its_module_and_its_name(app: Celery, serve: Serve) -> None:
    @app.task
    def join(first: str, second: str) -> str:
        return first + second

    serve()

    assert join.name == f"{__name__}.join"
    assert app.tasks[join.name] is join
    assert join.name in repr(join)
    assert app.send_task(f"{__name__}.join", ("a", "b")).get(timeout=5) == "ab"


def test_tasks_of_the_shell_bear_the_name_of_the_app() -> None:
    named: dict[str, Any] = {"__name__": "__main__"}
    source = "def join(x, y): return x + y"
    exec(source, named)

    assert Celery("tasks", set_as_current=False).task(named["join"]).name == "tasks.join"
    assert Celery("tasks", set_as_current=False).main == "tasks"


PROGRAM = """
import sys
from celeriac import Celery

app = Celery(broker={url!r}, backend={url!r}, worker_concurrency=1)

class TooShort(Exception):
    pass

@app.task
def join(x, y):
    if not x:
        raise TooShort(y)
    return x + y

if __name__ == "__main__":
    app.worker_main(argv=["worker", "--loglevel=INFO"])
"""
CALLER = """
import tasks
print(tasks.join.name, tasks.join.delay("a", "b").get(timeout=20))
try:
    tasks.join.delay("", "b").get(timeout=20)
except tasks.TooShort as error:
    print(error)
"""


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_a_module_that_is_run_as_a_worker_serves_whoever_imports_it(tmp_path: Path, store: str) -> None:
    url = empty_redis() if store == "redis" else f"sqlite:///{tmp_path / 'store.db'}"
    (tmp_path / "tasks.py").write_text(PROGRAM.format(url=url))
    log = tmp_path / "log"

    with log.open("w") as output:
        command = [sys.executable, "tasks.py"]
        worker = subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output, start_new_session=True)
    try:
        eventually(lambda: "ready" in log.read_text() or worker.poll() is not None, what="the worker is ready")
        caller = subprocess.run([sys.executable, "-c", CALLER], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    finally:
        worker.terminate()
        worker.wait(timeout=20)

    assert caller.stdout.split() == ["tasks.join", "ab", "b"], (caller.stderr, log.read_text())


def test_apps_of_different_settings_live_in_one_process(tmp_path: Path, url: str) -> None:
    other = f"sqlite:///{tmp_path / 'other.db'}"
    with (
        Celery("left", broker=url, backend=url, set_as_current=False) as left,
        Celery("right", broker=other, backend=other, timezone="Asia/Kolkata", set_as_current=False) as right,
    ):
        left.task(name="one")(lambda: None).delay()
        right.task(name="two", shared=False)(lambda: None).delay()
        right.send_task("two")

        assert (list(left.store.depth(["celery"])), list(right.store.depth(["celery"]))) == ([1], [2])
        assert (left.conf.timezone, right.conf.timezone) == (None, "Asia/Kolkata")
        assert ("two" in left.tasks, "two" in right.tasks) == (False, True)


# ---- Laziness ------------------------------------------------------------------------------------------------------


def test_making_an_app_makes_it_the_current_one_and_calls_on_init(url: str) -> None:
    made: list[Celery] = []

    class Shop(Celery):
        def on_init(self) -> None:
            made.append(self)

    app = Shop("shop", broker=url)
    Shop("another", broker=url, set_as_current=False)

    assert [each.main for each in made] == ["shop", "another"]
    assert current_app == app


def test_an_app_reads_no_setting_and_opens_no_store_before_something_needs_it(url: str) -> None:
    read = []

    class Settings:
        @property
        def broker_url(self) -> str:
            read.append("broker_url")
            return url

    app = Celery("lazy", set_as_current=False)
    app.config_from_object(Settings())

    @app.task
    def work() -> None: ...

    assert (read, app.configured) == ([], False)
    work.delay()
    assert (read != [], app.configured) == (True, True)
    app.close()


def test_asking_for_the_tasks_finalises_the_app_and_finalize_may_be_called(url: str) -> None:
    told: list[str] = []
    first, second = (Celery(name, broker=url, set_as_current=False) for name in ("first", "second"))
    for app in (first, second):
        app.on_after_finalize.connect(lambda sender, **_: told.append(sender.main), weak=False)

    assert (first.finalized, second.finalized) == (False, False)
    _ = first.tasks
    second.finalize()
    second.finalize()

    assert (first.finalized, second.finalized, told) == (True, True, ["first", "second"])


def test_tasks_are_shared_between_apps_unless_they_are_private(app: Celery, serve: Serve) -> None:
    @shared_task(name="library.shout")
    def shout(text: str) -> str:
        return text.upper()

    library = Celery("library", set_as_current=False)
    library.task(name="private", shared=False)(lambda: None)
    app.set_current()
    serve()

    assert shout.delay("hey").get(timeout=5) == "HEY"
    assert app.tasks["library.shout"].app is app
    assert "private" not in app.tasks


def test_a_task_reads_the_settings_of_its_app(app: Celery) -> None:
    app.conf.update(task_acks_late=True, task_serializer="yaml")

    @app.task
    def plain() -> None: ...

    @app.task(acks_late=False, serializer="json")
    def particular() -> None: ...

    assert (plain.acks_late, plain.serializer) == (True, "yaml")
    assert (particular.acks_late, particular.serializer) == (False, "json")


# ---- The chain of apps ---------------------------------------------------------------------------------------------


class Planner:
    """Takes an app, or the current one."""

    def __init__(self, app: Any = None) -> None:
        self.app: Any = app_or_default(app)


def test_what_needs_an_app_is_handed_one_or_takes_the_current_one(url: str) -> None:
    current = Celery("current", broker=url)
    handed = Celery("handed", broker=url, set_as_current=False)

    assert Planner().app is current
    assert Planner(app=handed).app is handed


TRACED = """
from celeriac import Celery, app_or_default
app = Celery("traced", broker="memory://")
print(app_or_default(app) is app)
app_or_default()
"""


def test_celery_trace_app_makes_a_broken_chain_an_error() -> None:
    run = subprocess.run(
        [sys.executable, "-c", TRACED], env={**os.environ, "CELERY_TRACE_APP": "1"}, capture_output=True, text=True, timeout=30
    )

    assert (run.stdout.strip(), run.returncode) == ("True", 1), run.stderr
    assert "app" in run.stderr.splitlines()[-1]


def test_a_program_that_makes_no_app_has_a_default_one() -> None:
    code = "from celeriac import current_app; print(current_app.main); print(current_app.conf.task_default_queue)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)

    assert run.stdout.split() == ["default", "celery"], run.stderr


def test_the_decorator_says_what_was_once_said_by_a_class(app: Celery, serve: Serve) -> None:
    @app.task(queue="post-office")
    def greet(whom: str) -> str:
        return f"hello {whom}"

    serve(queues=["post-office"])

    assert greet.delay("world").get(timeout=5) == "hello world"


# ---- Abstract tasks ------------------------------------------------------------------------------------------------


def test_a_base_class_may_stand_around_every_call(app: Celery, serve: Serve) -> None:
    lines: list[str] = []

    class Announced(Task[..., Any]):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            lines.append(f"{self.name} begins [{self.request.id}]")
            return self.run(*args, **kwargs)

    @app.task(base=Announced)
    def weigh(grams: int) -> str:
        return f"{grams / 1000} kg"

    serve()
    result = weigh.delay(500)

    assert result.get(timeout=5) == "0.5 kg"
    assert lines == [f"{weigh.name} begins [{result.id}]"]


def test_the_base_class_of_all_tasks_of_an_app_may_be_replaced(app: Celery, serve: Serve) -> None:
    class ToThePost(Task[..., Any]):
        queue = "post-office"

    app.Task = ToThePost

    @app.task
    def weigh(grams: int) -> int:
        return grams

    serve(queues=["post-office"])

    assert app.Task is ToThePost
    assert ToThePost in type(weigh).mro()
    assert weigh.delay(5).get(timeout=5) == 5


def test_a_neutral_base_class_belongs_to_no_app_until_a_task_is_made_of_it(app: Celery) -> None:
    class Patient(Task[..., Any]):
        default_retry_delay = 600

    @app.task(base=Patient)
    def work() -> None: ...

    assert isinstance(work, Patient)
    assert (work.app, work.default_retry_delay) == (app, 600)
