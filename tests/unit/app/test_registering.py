"""Declaring tasks: before the app is finalised and after, with classes of one's own, in several apps, in many threads."""

from __future__ import annotations

import pickle
import subprocess
import sys
import types
from functools import partial, wraps
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from celeriac import Celery, NotRegistered, Task
from celeriac.app import current
from unit.app.serving import waiting


class ContextTask(Task[..., Any]):
    """Flask's pattern: each call in a context."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return ("in context", self.run(*args, **kwargs))


class Named(Celery):
    """An app that names its tasks itself."""

    started = False

    def on_init(self) -> None:
        self.started = True

    def gen_task_name(self, name: str, module: str) -> str:
        return f"mine.{name}"


def an_app(**settings: Any) -> Celery:
    return Celery("unit", broker="memory://registering", set_as_current=False, **settings)


def test_asking_for_the_tasks_finalises_the_app_once_and_says_so() -> None:
    app = an_app()
    heard: list[Any] = []
    app.on_after_finalize.connect(lambda sender, **_: heard.append((sender, sender.finalized)), weak=False)

    before = app.finalized
    assert app.tasks is app.tasks
    app.finalize()

    assert (before, app.finalized, heard) == (False, True, [(app, True)])


def test_an_app_without_autofinalize_waits_for_finalize() -> None:
    app = an_app(autofinalize=False)
    app.task(name="declared")(lambda: None)

    with pytest.raises(RuntimeError, match=r"finalize\(\)"):
        app.tasks  # noqa: B018
    app.finalize()

    assert "declared" in app.tasks


def test_a_receiver_of_on_after_finalize_may_look_at_the_tasks_and_declare_more() -> None:
    app = an_app()

    @app.on_after_finalize.connect
    def declare(sender: Celery, **_: Any) -> None:
        sender.task(name=f"after-{'first' in sender.tasks}")(lambda: None)

    app.task(name="first")(lambda: None)

    assert {"first", "after-True"} <= set(app.tasks)


@pytest.mark.parametrize("first", ["tasks", "settings"])
def test_settings_that_ask_for_tasks_and_tasks_that_ask_for_settings_do_not_wait_for_each_other(first: str) -> None:
    app = an_app()
    finalised, configured = Event(), Event()

    @app.on_after_finalize.connect
    def look_at_settings(sender: Celery, **_: Any) -> None:
        finalised.set()
        configured.wait(0.5)  # the other thread cannot always come so far before this one goes on
        assert sender.conf.task_default_queue

    @app.on_after_configure.connect
    def look_at_tasks(sender: Celery, **_: Any) -> None:
        configured.set()
        finalised.wait(0.5)
        sender.finalize()

    finalises, reads = Thread(target=app.finalize, daemon=True), Thread(target=lambda: app.conf.task_serializer, daemon=True)
    threads = [finalises, reads] if first == "tasks" else [reads, finalises]
    threads[0].start()
    (finalised if first == "tasks" else configured).wait(5)
    threads[1].start()
    for thread in threads:
        thread.join(10)

    assert [thread.is_alive() for thread in threads] == [False, False]


def test_who_opens_the_store_first_and_who_reads_the_settings_first_do_not_wait_for_each_other() -> None:
    app = an_app()
    opener = Thread(target=lambda: app.producer, daemon=True)

    @app.on_after_configure.connect
    def open_too(sender: Celery, **_: Any) -> None:
        opener.start()
        opener.join(0.3)  # it waits for the settings
        assert sender.producer is not None

    reader = Thread(target=lambda: app.conf.task_serializer, daemon=True)
    reader.start()
    reader.join(10)
    opener.join(10)

    assert (reader.is_alive(), opener.is_alive()) == (False, False)


def test_a_task_may_be_declared_after_the_app_was_finalised() -> None:
    app = an_app()
    app.finalize()

    task = app.task(name="late")(lambda: 3)

    assert app.tasks["late"] is task


def test_many_threads_may_finalise_declare_and_send_at_once() -> None:
    name = "memory://many-threads"
    app = Celery("threads", broker=name, backend=name, set_as_current=False)
    heard: list[Any] = []
    app.on_after_finalize.connect(lambda sender, **_: heard.append(sender), weak=False)
    ready, failures = Barrier(50), []

    def work(number: int) -> None:
        ready.wait()
        try:
            task = app.task(name=f"of-{number}")(lambda: number)
            task.delay()
            assert app.tasks[task.name] is task
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=work, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (failures, heard) == ([], [app])
    assert {message.task for message in waiting(app)} == {f"of-{number}" for number in range(50)}


def test_tasks_follow_a_class_that_replaces_the_apps_before_and_after_they_were_declared() -> None:
    app = an_app()

    @app.task(name="before")
    def before() -> int:
        return 1

    app.Task = ContextTask

    @app.task(name="after")
    def after() -> int:
        return 2

    assert before() == ("in context", 1)  # type: ignore[comparison-overlap]
    assert after() == ("in context", 2)  # type: ignore[comparison-overlap]
    assert isinstance(before, ContextTask)


def test_a_task_with_a_base_of_its_own_does_not_follow() -> None:
    class Own(Task[..., Any]):
        kept = True

    app = an_app()
    mine = app.task(name="mine", base=Own)(lambda: 1)

    app.Task = ContextTask

    assert mine() == 1
    assert not isinstance(mine, ContextTask)


def test_a_class_that_replaces_the_apps_changes_what_is_sent_too() -> None:
    class Mailing(Task[..., Any]):
        queue = "mail"

    app = an_app()
    task = app.task(name="posted")(lambda: None)
    task.delay()

    app.Task = Mailing
    task.delay()

    assert [len(waiting(app, queue)) for queue in ("celery", "mail")] == [1, 1]


def test_the_class_of_tasks_may_be_given_as_a_class_or_by_its_dotted_name() -> None:
    by_class: Any = an_app(task_cls=ContextTask).task(name="a")(lambda: 1)
    by_name: Any = an_app(task_cls=f"{__name__}:ContextTask").task(name="b")(lambda: 2)

    assert (by_class(), by_name()) == (("in context", 1), ("in context", 2))


def test_a_subclass_of_the_app_may_set_the_class_of_its_tasks() -> None:
    class Shop(Celery):
        task_cls = ContextTask

    task: Any = Shop(set_as_current=False).task(name="a")(lambda: 1)

    assert task() == ("in context", 1)


def test_a_subclass_may_name_the_tasks_and_is_told_when_it_is_made() -> None:
    app = Named(set_as_current=False)

    @app.task
    def charge() -> None: ...

    assert (charge.name, app.started, repr(app)) == ("mine.charge", True, "<Named __main__>")


def test_class_based_tasks_inherit_the_apps_class_and_know_their_app() -> None:
    app = an_app()

    class Add(app.Task):  # type: ignore[misc,name-defined]  # a class that is made at run time
        name = "add"

        def run(self, x: int, y: int) -> int:
            return x + y

    task: Any = app.register_task(Add)

    assert Add.app is app
    assert app.tasks["add"] is task
    assert task(1, 2) == 3


def test_a_class_based_task_that_is_decorated_is_told_how_it_goes() -> None:
    class Add(Task[..., Any]): ...

    with pytest.raises(TypeError, match=r"app\.register_task\(Add\(\)\)"):
        an_app().task(Add)


def test_what_can_be_called_can_be_a_task() -> None:
    class Adder:
        def __call__(self, x: int) -> int:
            return x + 1

    def decorated(function: Any) -> Any:
        @wraps(function)
        def inner(*args: Any) -> Any:
            return function(*args) * 10

        return inner

    @decorated
    def add(x: int, y: int) -> int:
        return x + y

    app = an_app()

    tasks = [app.task(Adder()), app.task(add), app.task(name="partly")(partial(add, 1))]

    assert [task.name for task in tasks] == [f"{__name__}.Adder", f"{__name__}.add", "partly"]
    assert [tasks[0](1), tasks[1](1, 2), tasks[2](4)] == [2, 30, 50]


def test_a_filter_stands_between_the_task_and_its_name() -> None:
    app = an_app()

    found: Any = app.task(name="filtered", filter=lambda task: task.name.upper())(lambda: None)  # type: ignore[call-overload]

    assert found == "FILTERED"


def test_a_task_is_shared_with_the_other_apps_of_the_process_unless_it_says_not() -> None:
    one, other = an_app(), an_app(task_default_queue="of-the-other")
    one.task(name="everybodys", max_retries=9)(lambda: 1)
    one.task(name="only.mine", shared=False)(lambda: 2)

    task = other.tasks["everybodys"]

    assert (task.app, task.max_retries, task()) == (other, 9, 1)
    assert "only.mine" not in other.tasks
    with pytest.raises(NotRegistered):
        other.tasks["only.mine"]


def test_several_apps_have_settings_of_their_own() -> None:
    one, other = an_app(task_default_queue="one"), an_app(task_default_queue="other")

    one.task(name="a")(lambda: None).delay()
    other.task(name="b")(lambda: None).delay()

    assert [message.task for message in waiting(one, "one")] == ["a"]
    assert [message.task for message in waiting(other, "other")] == ["b"]


def test_subclass_with_self_binds_a_class_to_the_app() -> None:
    class Report:
        app: Any = None

    app = an_app()

    bound = app.subclass_with_self(Report, name="Bound", colour="green")

    assert (bound.app, bound.__name__, bound.colour, issubclass(bound, Report)) == (app, "Bound", "green", True)


def test_a_callback_hears_of_every_app_that_is_finalised_from_then_on() -> None:
    heard: list[Any] = []
    current.connect_on_app_finalize(heard.append)

    app = an_app()
    app.finalize()

    assert heard[-1] is app


def test_an_app_is_pickled_with_its_settings_and_finds_its_tasks_again() -> None:
    app = an_app(task_default_queue="kept")
    app.conf.task_serializer = "yaml"
    app.task(name="pickled.with.its.app")(lambda: 3)

    copied = pickle.loads(pickle.dumps(app))

    assert (copied.main, copied.conf.task_default_queue, copied.conf.task_serializer) == ("unit", "kept", "yaml")
    assert copied.places == app.places
    assert copied.tasks["pickled.with.its.app"]() == 3
    assert copied is not app


def test_a_pickled_subclass_stays_one() -> None:
    copied = pickle.loads(pickle.dumps(Named("mine", set_as_current=False)))

    assert (type(copied), copied.main) == (Named, "mine")


def test_fixups_are_called_with_the_app() -> None:
    module = types.ModuleType("fixups_for_test")
    seen: list[Any] = []
    module.fix = seen.append  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module

    app = an_app(fixups=["fixups_for_test:fix", seen.append])

    assert seen == [app, app]


def test_a_pickled_app_is_an_equal_one_in_another_process() -> None:
    app = Celery("shop", broker="memory://there", task_default_queue="kept", include=["json.tool"], set_as_current=False)
    program = (
        "import pickle, sys; app = pickle.loads(bytes.fromhex(sys.argv[1])); app.import_tasks();"
        "print(app.main, app.places.broker, app.conf.task_default_queue, 'json.tool' in sys.modules)"
    )

    command = [sys.executable, "-c", program, pickle.dumps(app).hex()]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["shop", "memory://there", "kept", "True"]


def test_a_process_that_was_spawned_calls_the_tasks_of_its_program_the_same(tmp_path: Path) -> None:
    program = tmp_path / "shop.py"
    program.write_text(
        "from multiprocessing import get_context\n"
        "from celeriac import Celery\n"
        "app = Celery()\n"
        "@app.task\n"
        "def add(): ...\n"
        "def say(): print(add.name, flush=True)\n"
        "if __name__ == '__main__':\n"
        "    say()\n"
        "    process = get_context('spawn').Process(target=say)\n"
        "    process.start()\n"
        "    process.join()\n"
    )

    ran = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["shop.add", "shop.add"]
