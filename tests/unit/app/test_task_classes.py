"""Classes of tasks: options as attributes, inheritance, what a process keeps on a task, class-based tasks."""

from __future__ import annotations

import functools
from functools import cached_property
from typing import Any

import pytest

from celeriac import Celery, Task
from celeriac.core.errors import MaxRetriesExceededError, OperationalError
from unit.app.serving import serve, waiting


def test_each_task_is_the_one_instance_of_a_class_of_its_own(app: Celery) -> None:
    def function(x: int) -> int:
        """Add nothing."""
        return x

    options: Any = {"name": "add", "max_retries": 7, "colour": "green"}
    made: Any = app.task
    add: Any = made(**options)(function)

    assert type(add).__name__ == "function"
    assert (type(add).max_retries, add.colour, add.__doc__) == (7, "green", "Add nothing.")
    assert (add.__name__, add.__module__) == ("function", __name__)
    assert isinstance(add, app.Task)


def test_the_constructor_of_a_base_class_sees_the_options(app: Celery) -> None:
    seen = []

    class Curious(Task[..., Any]):
        def __init__(self) -> None:
            seen.append((self.name, self.max_retries))

    @app.task(base=Curious, name="curious", max_retries=1)
    def work() -> None: ...

    assert seen == [("curious", 1)]


def test_a_base_class_keeps_things_for_each_process(app: Celery) -> None:
    opened = []

    class WithDatabase(Task[..., Any]):
        @cached_property
        def db(self) -> str:
            opened.append(1)
            return "connection"

    @app.task(base=WithDatabase, bind=True)
    def query(self: Any) -> str:
        return str(self.db)

    query.delay()
    query.delay()
    serve(app)

    assert opened == [1]


def test_a_class_based_task_is_registered_and_called(app: Celery) -> None:
    class AddTask(app.Task):  # type: ignore[name-defined, misc]
        name = "adds"
        max_retries = None

        def run(self, x: int, y: int) -> int:
            return x + y

    add: Any = app.register_task(AddTask())
    result = add.delay(2, 3)
    serve(app)

    assert result.get() == 5
    assert app.tasks["adds"] is add
    assert add(1, 1) == 2


def test_none_in_a_class_means_as_the_settings_say(app: Celery) -> None:
    class Plain(Task[..., Any]):
        acks_late = None  # type: ignore[assignment]
        serializer = None  # type: ignore[assignment]

    @app.task(base=Plain)
    def work() -> None: ...

    app.conf.task_acks_late = True

    assert (work.acks_late, work.serializer) == (True, "json")


def test_an_attribute_that_is_set_later_holds_for_later_calls(app: Celery) -> None:
    @app.task
    def work() -> None: ...

    work.delay()
    work.priority = 6
    work.delay()

    assert sorted(message.priority for message in waiting(app)) == [0, 6]


def test_patching_apply_async_patches_delay(app: Celery) -> None:
    @app.task
    def work(x: int) -> None: ...

    called: list[Any] = []
    work.delay(0)
    work.apply_async = lambda args, kwargs: called.append(tuple(args))  # type: ignore[method-assign, assignment, misc]
    work.delay(1)
    del work.apply_async
    work.delay(2)

    assert called == [(1,)]
    assert sorted(message.args[0] for message in waiting(app)) == [0, 2]


def test_a_class_that_replaces_apply_async_is_asked_by_delay_and_by_signatures(app: Celery) -> None:
    class Once(Task[..., Any]):
        def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:  # type: ignore[override]
            return super().apply_async(args, kwargs, headers={"once": True}, **options)

    @app.task(base=Once)
    def work(x: int) -> None: ...

    work.delay(1)
    work.s(2).delay()

    assert [message.headers for message in waiting(app)] == [{"once": True}, {"once": True}]


def test_an_app_that_replaces_send_task_is_asked_by_its_tasks() -> None:
    sent: list[Any] = []

    class Noting(Celery):
        def send_task(self, name: str, args: Any = None, kwargs: Any = None, *positional: Any, **options: Any) -> Any:
            sent.append((name, tuple(args), options))
            return super().send_task(name, args, kwargs, **options)

    app = Noting("noting", broker="memory://noting", backend="memory://noting", set_as_current=False)

    @app.task(name="work")
    def work(x: int) -> None: ...

    work.delay(1)
    work.apply_async((2,), countdown=0)

    assert sent == [("work", (1,), {}), ("work", (2,), {"countdown": 0})]


def test_callables_of_all_kinds_can_be_tasks(app: Celery) -> None:
    class Adder:
        def __call__(self, x: int) -> int:
            return x + 1

    def add(x: int, y: int) -> int:
        return x + y

    @functools.wraps(add)
    def wrapped(*args: int) -> int:
        return add(*args) * 2

    made = [
        app.task(name="object")(Adder()),
        app.task(name="partial")(functools.partial(add, 1)),
        app.task(name="wrapped")(wrapped),
    ]

    assert [made[0](1), made[1](2), made[2](1, 2)] == [2, 3, 6]


def test_a_bound_callable_object_is_handed_the_task(app: Celery) -> None:
    class Named:
        def __call__(self, task: Any, x: int) -> str:
            return f"{task.name} {x}"

    task = app.task(name="named", bind=True)(Named())

    assert task(1) == "named 1"


def test_names_that_programs_read_are_there(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any, x: int) -> int:
        return x

    assert work.MaxRetriesExceededError is MaxRetriesExceededError
    assert work.OperationalError is OperationalError
    assert work.__wrapped__(3) == 3  # bound, as Celery's
    assert work.request.id is None
    assert work.AsyncResult("x").id == "x"


def test_a_request_can_be_pushed_for_tests_of_what_reads_it(app: Celery) -> None:
    @app.task(bind=True)
    def who(self: Any) -> Any:
        return self.request.id, self.request.retries

    who.push_request(id="pushed", retries=2)
    inner = who.run()
    who.push_request(id="inner")
    innermost = who.request.id
    who.pop_request()
    back = who.request.id
    who.pop_request()

    assert (inner, innermost, back, who.request.id) == (("pushed", 2), "inner", "pushed", None)
    assert who.request_stack.pop() is None


def test_a_shadow_name_may_be_computed(app: Celery) -> None:
    class Named(Task[..., Any]):
        def shadow_name(self, args: Any, kwargs: Any, options: Any) -> str:
            return f"work for {args[0]}"

    @app.task(base=Named)
    def work(customer: str) -> None: ...

    work.delay("a")
    work.apply_async(("b",), shadow="mine")

    assert [message.shadow for message in waiting(app)] == ["work for a", "mine"]


def test_a_misspelt_option_is_told_with_the_right_one(app: Celery) -> None:
    with pytest.raises(TypeError, match="did you mean 'acks_late'"):
        app.task(ack_late=True)(lambda: None)  # type: ignore[call-overload]


def test_trail_off_keeps_no_children(app: Celery) -> None:
    @app.task
    def child() -> None: ...

    @app.task(trail=False)
    def parent() -> None:
        child.delay()

    result = parent.delay()
    serve(app)

    assert result.children == []


def test_a_replaced_task_keeps_its_id_and_place(app: Celery) -> None:
    @app.task
    def other(x: int) -> int:
        return x * 2

    @app.task(bind=True)
    def first(self: Any, x: int) -> Any:
        return self.replace(other.s(x))

    result = first.apply_async((4,), link=other.s(), headers={"mine": 1}, task_id="same", root_id="root")
    serve(app)
    [replacement] = waiting(app)

    assert (replacement.id, replacement.task, list(replacement.args)) == ("same", other.name, [4])
    assert (replacement.root_id, replacement.headers, replacement.replaced_task_nesting) == ("root", {"mine": 1}, 1)
    assert [each["task"] for each in replacement.callbacks or ()] == [other.name]
    assert result.state == "PENDING"


def test_what_takes_a_calls_place_keeps_whether_its_result_is_ignored_unless_it_says_so_itself(app: Celery) -> None:
    @app.task
    def other() -> None: ...

    @app.task(bind=True)
    def first(self: Any, own: bool | None) -> Any:
        raise self.replace(other.si().set(ignore_result=own))

    for own in (None, False):
        first.apply_async((own,), ignore_result=True)
    serve(app)

    assert [replacement.ignore_result for replacement in waiting(app)] == [True, False]


def test_a_replaced_eager_task_returns_the_other_ones_value(app: Celery) -> None:
    @app.task
    def other(x: int) -> int:
        return x * 2

    @app.task(bind=True)
    def first(self: Any, x: int) -> Any:
        return self.replace(other.s(x))

    assert first.apply((4,)).get() == 8


@pytest.mark.parametrize("how", ["apply", "apply_async"])
def test_a_replaced_eager_task_ends_as_the_other_one_and_what_follows_it_hears_once(app: Celery, how: str) -> None:
    app.conf.task_always_eager = True
    heard: list[Any] = []

    @app.task
    def other(x: int) -> int:
        return x * 2 if x else 1 // x

    @app.task(bind=True)
    def first(self: Any, x: int) -> Any:
        raise self.replace(other.s(x))

    @app.task
    def after(x: Any) -> None:
        heard.append(x)

    call = getattr(first, how)
    good, bad = call((4,), link=after.s(), task_id="same"), call((0,), link_error=after.s(), task_id="worse")

    assert (good.id, good.state, good.get(), bad.state, type(bad.result)) == ("same", "SUCCESS", 8, "FAILURE", ZeroDivisionError)
    assert heard == [8, "worse"]
    with pytest.raises(ZeroDivisionError):
        first.apply((0,), throw=True)


def test_replace_and_add_to_chord_say_when_there_is_nothing_to_replace_or_to_join(app: Celery) -> None:
    @app.task(bind=True)
    def work(self: Any) -> None: ...

    with pytest.raises(RuntimeError, match="called as a function"):
        work.replace(work.s())
    with pytest.raises(ValueError, match="not a member of a chord"):
        work.add_to_chord(work.s())


def test_arguments_are_checked_unless_the_task_or_the_app_says_not() -> None:
    lenient = Celery("lenient", broker="memory://lenient", backend="memory://lenient", set_as_current=False, strict_typing=False)

    @lenient.task
    def as_the_app(x: int) -> None: ...

    @lenient.task(typing=True)
    def strict(x: int) -> None: ...

    as_the_app.delay()  # type: ignore[call-arg]

    with pytest.raises(TypeError):
        strict.delay()  # type: ignore[call-arg]


def test_an_instance_of_a_registered_class_may_be_called_without_being_the_registered_one(app: Celery) -> None:
    class Double(app.Task):  # type: ignore[name-defined, misc]
        def run(self, x: int) -> int:
            return x * 2

    app.register_task(Double())

    results = [Double().delay(2), Double().apply_async((3,)), Double().s(4).delay()]
    serve(app)

    assert [result.get() for result in results] == [4, 6, 8]
    assert Double().apply((5,)).get() == 10
    with pytest.raises(TypeError, match="missing a required argument"):
        Double().delay()


def test_what_is_no_class_of_tasks_is_refused_by_name(app: Celery) -> None:
    with pytest.raises(TypeError, match="base=5 is no class of tasks"):
        app.task(base=5)(lambda: None)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="takes a class-based task"):
        app.register_task(lambda: None)  # type: ignore[arg-type]
