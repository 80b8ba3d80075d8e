"""The current app and the current task: which ones they are, and the objects that stand for them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from celeriac import Celery, current_app, current_task, shared_task
from celeriac.app import current
from celeriac.app.app import Celery as AppClass
from celeriac.app.standing import task_stack
from celeriac.app.task import Task
from unit.app.serving import serve, waiting


@pytest.fixture(autouse=True)
def nobody_is_current() -> Iterator[None]:
    current.set_current(None)
    current.set_default_app(None)
    yield
    current.set_current(None)
    current.set_default_app(None)


def in_another_thread(call: Any) -> Any:
    """Return what ``call`` returns in a thread of its own."""
    answers: list[Any] = []
    thread = Thread(target=lambda: answers.append(call()))
    thread.start()
    thread.join()
    return answers[0]


def what_it_raises(call: Any) -> RuntimeError | None:
    """Return the error that ``call`` ends with."""
    try:
        call()
    except RuntimeError as error:
        return error
    return None


def test_the_app_that_was_made_last_is_the_current_one() -> None:
    Celery("first")
    second = Celery("second")
    Celery("third", set_as_current=False)

    assert current.get_current_app() is second


def test_a_thread_that_was_told_nothing_sees_the_app_of_the_program() -> None:
    app = Celery("shop")

    assert in_another_thread(current.get_current_app) is app


def test_an_app_made_current_in_one_thread_is_not_taken_from_another_that_has_its_own() -> None:
    mine = Celery("mine")

    in_another_thread(lambda: Celery("theirs"))

    assert current.get_current_app() is mine


def test_the_default_app_is_the_current_one_of_threads_that_have_none() -> None:
    default = Celery("default", set_as_current=False)
    Celery("last")

    default.set_default()

    assert in_another_thread(current.get_current_app) is default


def test_set_current_wins_over_the_default() -> None:
    one, other = Celery("one"), Celery("other")
    other.set_default()

    one.set_current()

    assert current.get_current_app() is one


def test_app_or_default_returns_what_it_is_given_or_the_current_one() -> None:
    app, other = Celery("current"), Celery("other", set_as_current=False)

    assert (current.app_or_default(other), current.app_or_default()) == (other, app)


def test_without_any_app_one_is_made_that_reads_the_default_module_of_settings(tmp_path: Path) -> None:
    (tmp_path / "celeryconfig.py").write_text("task_default_queue = 'from-the-default-module'\n")
    program = "from celeriac import current_app; print(current_app.conf.task_default_queue, current_app.main)"

    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["from-the-default-module", "default"]


def test_an_app_that_was_made_for_want_of_one_gives_way_to_the_programs_in_every_thread() -> None:
    program = (
        "from threading import Thread; from celeriac import Celery, current_app; current_app.main; Celery('shop')\n"
        "thread = Thread(target=lambda: print(current_app.main)); thread.start(); thread.join(); print(current_app.main)"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["shop", "shop"]


def test_the_object_current_app_stands_for_the_current_app(app: Celery) -> None:
    app.set_current()

    @current_app.task(name="by.stand.in")
    def double(x: int) -> int:
        return 2 * x

    current_app.conf.task_default_queue = "changed"
    assert isinstance(current_app, AppClass)
    assert app.tasks["by.stand.in"] is double
    assert app.conf.task_default_queue == "changed"
    assert current_app == app
    assert repr(current_app) == repr(app)


def test_the_object_current_app_can_be_had_as_what_it_stands_for(app: Celery) -> None:
    app.set_current()

    assert current_app._get_current_object() is app  # type: ignore[attr-defined]  # programs of Celery's call it


def test_current_task_is_nothing_outside_of_a_task_and_the_task_inside(app: Celery) -> None:
    app.set_current()
    seen: list[Any] = []

    @app.task(name="looks")
    def look() -> None:
        seen.extend((bool(current_task), current_task.name, current_task.request.id, app.current_task, app.current_worker_task))

    result = look.delay()
    serve(app)

    assert not current_task
    assert app.current_task is None
    assert seen == [True, "looks", result.id, look, look]


def test_a_shared_task_may_be_declared_before_any_app_is_made() -> None:
    @shared_task
    def double(x: int) -> int:
        """Twice."""
        return 2 * x

    app = Celery("later", broker="memory://shared-before", backend="memory://shared-before")
    double.delay(4)

    assert double(4) == 8
    named: Any = double
    assert (double.name, named.__name__, double.__doc__) == (f"{__name__}.double", "double", "Twice.")
    assert isinstance(double, Task)
    assert double.app is app
    assert [message.task for message in waiting(app)] == [double.name]


def test_a_shared_task_follows_the_current_app() -> None:
    @shared_task(name="follows")
    def follow() -> None: ...

    one, other = Celery("one"), Celery("other")

    one.set_current()
    first = follow.app
    other.set_current()

    assert (first, follow.app) == (one, other)


def test_a_shared_task_belongs_to_apps_that_were_finalised_before(app: Celery) -> None:
    app.finalize()

    @shared_task(name="late.one", bind=True, max_retries=7)
    def late(self: Any) -> str:
        return f"{self.name} {self.max_retries}"

    assert app.tasks["late.one"]() == "late.one 7"


def test_a_shared_task_is_the_apps_own_task_of_that_name_where_it_has_one(app: Celery) -> None:
    @app.task(name="taken")
    def own() -> str:
        return "own"

    app.set_current()

    @shared_task(name="taken")
    def shared() -> str:
        return "shared"

    assert shared() == "own"


@pytest.mark.parametrize("wrong", ["name", 3])
def test_what_is_no_function_cannot_be_a_shared_task(wrong: Any) -> None:
    with pytest.raises(TypeError, match="name="):
        shared_task(wrong)


def test_a_signature_of_a_shared_task_can_be_made_and_sent(app: Celery) -> None:
    app.set_current()

    @shared_task(name="signed")
    def signed(x: int, y: int) -> int:
        return x + y

    signed.s(2).delay(3)

    assert [list(message.args) for message in waiting(app)] == [[3, 2]]


def test_the_object_current_app_is_pickled_as_the_app() -> None:
    Celery("pickled", task_default_queue="kept", set_as_current=True)

    copied = pickle.loads(pickle.dumps(current_app))

    assert type(copied) is AppClass
    assert (copied.main, copied.conf.task_default_queue) == ("pickled", "kept")


def test_a_task_that_another_one_calls_as_a_function_is_the_current_one_and_sends_as_part_of_it(app: Celery) -> None:
    app.set_current()
    seen: list[Any] = []

    @app.task(name="inner")
    def inner() -> None:
        seen.extend((current_task.name, current_task.request.called_directly))
        seen.extend((app.current_task, app.current_worker_task))
        app.send_task("sent.inside")

    @app.task(name="outer")
    def outer() -> None:
        inner()
        seen.append(current_task.name)

    result = outer.delay()
    serve(app)

    [sent] = waiting(app)
    assert seen == ["inner", True, inner, outer, "outer"]
    assert (sent.parent_id, sent.root_id) == (result.id, result.id)
    assert [child.id for child in result.children or ()] == [sent.id]


def test_a_task_that_a_task_calls_as_a_function_may_not_wait_either(app: Celery) -> None:
    @app.task(name="waits")
    def wait() -> None:
        app.AsyncResult("another").get(timeout=1)

    app.task(name="calls")(lambda: wait()).delay()

    [outcome] = serve(app)
    assert "never wait for a result inside a task" in str(outcome)


def test_a_task_that_a_program_calls_as_a_function_knows_itself(app: Celery) -> None:
    @app.task(name="asks")
    def ask() -> tuple[str, bool, bool]:
        return current_task.name, current_task.request.called_directly, app.current_worker_task is None

    assert ask() == ("asks", True, True)
    assert not current_task


def test_an_extension_may_make_a_task_the_current_one_by_hand(app: Celery) -> None:
    task = app.task(name="pushed")(lambda: None)

    task_stack.push(task)
    inside = (current_task.name, task_stack.top)
    popped = task_stack.pop()

    assert (inside, popped, task_stack.top, task_stack.pop()) == (("pushed", task), task, None, None)


def test_a_request_that_is_pushed_for_a_test_makes_its_task_the_current_one(app: Celery) -> None:
    task = app.task(name="pushed")(lambda: None)

    task.push_request(id="an-id")
    inside = (current_task.name, current_task.request.id)
    task.pop_request()

    assert (inside, bool(current_task)) == (("pushed", "an-id"), False)


def test_code_that_was_handed_no_app_can_be_found() -> None:
    app = Celery("mine")

    current.enable_trace()
    error = what_it_raises(current.app_or_default)
    handed_in = current.app_or_default(app)
    current.disable_trace()

    assert "handed no app" in str(error)
    assert handed_in is current.app_or_default() is app


def test_c_strict_app_refuses_whoever_asks_for_the_current_app() -> None:
    handed_in = "app = Celery('x'); app.AsyncResult('id'); app.signature('a'); print('handed in')"
    program = f"from celeriac import *; {handed_in}; AsyncResult('id')"

    environ = {**os.environ, "C_STRICT_APP": "1"}
    ran = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False)

    assert ran.stdout == "handed in\n"
    assert "C_STRICT_APP is set" in ran.stderr


def test_a_task_is_pickled_by_its_name_and_is_the_current_apps_where_it_is_read(app: Celery) -> None:
    task = app.task(name="pickled.task")(lambda: None)
    private = app.task(name="pickled.privately", shared=False)(lambda: None)
    other = Celery("other")

    copied, same = pickle.loads(pickle.dumps((task, private)))

    assert (copied.name, copied.app, same) == ("pickled.task", other, private)


def test_a_shared_task_can_be_pickled() -> None:
    @shared_task(name="pickled.shared")
    def shared() -> None: ...

    app = Celery("shares")

    assert pickle.loads(pickle.dumps(shared)) is app.tasks["pickled.shared"]


def test_a_process_that_was_forked_is_told_of_it_once(app: Celery) -> None:
    told: list[tuple[Any, int]] = []
    app.on_after_fork.connect(lambda sender, **_: told.append((sender, os.getpid())), weak=False)
    read, write = os.pipe()

    pid = os.fork()
    if pid == 0:
        os.write(write, repr(told == [(app, os.getpid())]).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    answer = os.read(read, 10)
    os.close(read)
    os.close(write)

    assert (answer, told) == (b"True", [])


def test_a_task_that_was_pickled_is_found_where_nobody_has_imported_its_module(tmp_path: Path) -> None:
    (tmp_path / "stall.py").write_text("from celeriac import Celery\napp = Celery('x')\n@app.task\ndef sell(): return 'sold'\n")
    write = "import pickle, stall; print(pickle.dumps(stall.sell).hex())"
    read = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1]))())"

    pickled = subprocess.run([sys.executable, "-c", write], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    ran = subprocess.run([sys.executable, "-c", read, pickled], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert ran.stdout == "sold\n"
