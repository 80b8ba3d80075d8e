"""The examples of Celery's chapter "Tasks": how a task is declared and named, what it knows of its call.

Each is an example of that chapter in words and names of our own, and a test of what it does, on every store.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from celeriac import Celery, Task, shared_task
from guide.conftest import Serve

# ---- Basics --------------------------------------------------------------------------------------------------------


def test_any_function_is_a_task_and_options_are_arguments_of_the_decorator(app: Celery, serve: Serve) -> None:
    users = {}

    @app.task(serializer="json")
    def create_user(name: str, password: str) -> int:
        users[name] = password
        return len(users)

    serve()

    assert create_user.delay("ada", password="difference").get(timeout=5) == 1
    assert users == {"ada": "difference"}


def test_a_library_declares_tasks_without_an_app(url: str, serve: Serve) -> None:
    @shared_task(name="library.plus")
    def plus(x: int, y: int) -> int:
        return x + y

    with Celery("program", broker=url, backend=url) as app:
        serve(serving=app)

        assert plus.delay(1, 2).get(timeout=5) == 3


def test_the_decorator_comes_first_above_others(app: Celery, serve: Serve) -> None:
    def twice(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any) -> Any:
            return [function(*args), function(*args)]

        return wrapped

    @app.task
    @twice
    def shout(text: str) -> str:
        return text.upper()

    serve()

    assert shout.name == f"{__name__}.shout"
    assert shout.delay("hey").get(timeout=5) == ["HEY", "HEY"]


def test_a_bound_task_is_handed_itself(app: Celery, serve: Serve) -> None:
    @app.task(bind=True)
    def who(self: Any, x: int) -> list[Any]:
        return [self.name, self.request.id, x]

    serve()
    result = who.delay(7)

    assert result.get(timeout=5) == [who.name, result.id, 7]


def test_a_base_class_hears_of_failures(app: Celery, serve: Serve) -> None:
    heard: list[Any] = []

    class Heard(Task[..., Any]):
        def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
            heard.append((task_id, repr(exc)))

    @app.task(base=Heard)
    def find(key: str) -> None:
        raise KeyError(key)

    serve()
    result = find.delay("x")

    with pytest.raises(KeyError):
        result.get(timeout=5)
    assert heard == [(result.id, "KeyError('x')")]


# ---- Names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sum-of-two-numbers", "tasks.plus"])
def test_a_task_may_be_named(app: Celery, serve: Serve, name: str) -> None:
    plus = app.task(name=name)(lambda x, y: x + y)
    serve()

    assert plus.name == name
    assert app.send_task(name, (1, 2)).get(timeout=5) == 3


def test_an_app_may_name_its_tasks_in_its_own_way(url: str, serve: Serve) -> None:
    class WithoutTasks(Celery):
        def gen_task_name(self, name: str, module: str) -> str:
            return super().gen_task_name(name, module.removesuffix(".tasks"))

    def charge() -> str:
        return "charged"

    charge.__module__ = "shop.orders.tasks"
    with WithoutTasks("main", broker=url, backend=url, set_as_current=False) as app:
        task = app.task(charge)
        serve(serving=app)

        assert task.name == "shop.orders.charge"
        assert app.send_task("shop.orders.charge").get(timeout=5) == "charged"


# ---- The request ---------------------------------------------------------------------------------------------------

ATTRIBUTES = (
    "id", "group", "chord", "correlation_id", "args", "kwargs", "origin", "retries", "is_eager", "eta", "expires", "hostname",
    "delivery_info", "reply_to", "called_directly", "timelimit", "time_limit", "soft_time_limit", "callbacks", "errbacks", "utc",
    "headers", "root_id", "parent_id", "chain", "properties", "replaced_task_nesting",
)  # fmt: skip


def test_the_request_tells_all_of_the_call(app: Celery, serve: Serve) -> None:
    seen: dict[str, Any] = {}

    @app.task(bind=True)
    def dump(self: Any, x: int, y: int) -> None:
        seen.update({name: getattr(self.request, name) for name in ATTRIBUTES})
        seen["text"] = f"{self.request.id}: {self.request.args!r} {self.request.kwargs!r}"

    serve()
    result = dump.apply_async((1,), {"y": 2}, headers={"asked-by": "cron"}, time_limit=60, soft_time_limit=50)
    result.get(timeout=5)

    assert (seen["id"], seen["correlation_id"], seen["root_id"], seen["parent_id"]) == (result.id, result.id, result.id, None)
    assert (list(seen["args"]), seen["kwargs"], seen["retries"]) == ([1], {"y": 2}, 0)
    assert (seen["called_directly"], seen["is_eager"]) == (False, False)
    assert (seen["hostname"], seen["origin"].count("@")) == ("guide@here", 1)
    assert seen["delivery_info"]["routing_key"] == "celery"
    assert (list(seen["timelimit"]), seen["time_limit"], seen["soft_time_limit"]) == ([60, 50], 60, 50)
    assert seen["headers"]["asked-by"] == "cron"
    assert seen["reply_to"]
    assert (seen["group"], seen["chord"], seen["eta"], seen["expires"], seen["replaced_task_nesting"]) == (None,) * 4 + (0,)
    assert not seen["callbacks"]
    assert not seen["errbacks"]
    assert not seen["chain"]
    assert isinstance(seen["properties"], dict)
    assert seen["text"].startswith(result.id)


def test_the_request_knows_who_called(app: Celery, serve: Serve) -> None:
    @app.task(bind=True)
    def inner(self: Any) -> list[str]:
        return [self.request.root_id, self.request.parent_id]

    @app.task
    def outer() -> str:
        return inner.delay().id

    serve()
    result = outer.delay()
    child = app.AsyncResult(result.get(timeout=5))

    assert child.get(timeout=5) == [result.id, result.id]
    assert result.children == [child]


def test_a_task_that_is_called_as_a_function_knows_it(app: Celery) -> None:
    @app.task(bind=True)
    def direct(self: Any, x: int, y: int) -> tuple[Any, ...]:
        return self.request.called_directly, self.request.id, self.request.args, self.request.kwargs

    assert direct(1, y=2) == (True, None, (1,), {"y": 2})


# ---- Arguments -----------------------------------------------------------------------------------------------------


def test_arguments_are_checked_where_the_task_is_called(app: Celery) -> None:
    @app.task
    def plus(x: int, y: int) -> int:
        return x + y

    plus.delay(8, 8)
    call: Any = plus.delay
    with pytest.raises(TypeError, match="y"):
        call(8)
    assert list(app.store.depth(["celery"])) == [1]


def test_a_task_without_typing_fails_in_the_worker(app: Celery, serve: Serve) -> None:
    @app.task(typing=False)
    def plus(x: int, y: int) -> int:
        return x + y

    serve()
    call: Any = plus.delay

    with pytest.raises(TypeError, match="y"):
        call(8).get(timeout=5)


def test_arguments_can_be_shown_otherwise_than_they_are(app: Celery, serve: Serve) -> None:
    shown: list[Any] = []

    @app.task(bind=True)
    def charge(self: Any, account: str, card: str) -> str:
        shown.append((self.request.get("argsrepr"), self.request.get("kwargsrepr")))
        return card[-4:]

    serve()
    first = charge.apply_async(("ada", "1234 5678"), argsrepr="(<account>, <card>)")
    second = charge.s("ada", card="1234 5678").set(kwargsrepr=repr({"card": "**** 5678"})).delay()

    assert (first.get(timeout=5), second.get(timeout=5)) == ("5678", "5678")
    assert shown == [("(<account>, <card>)", "{}"), ("('ada',)", "{'card': '**** 5678'}")]
