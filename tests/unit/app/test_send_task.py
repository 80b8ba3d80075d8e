"""Sending by name, signatures of an app, entries of its schedule."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import AsyncResult, Celery
from celeriac.core.errors import AlwaysEagerIgnored
from unit.app.serving import waiting


class Mine(AsyncResult[Any]):
    """A class of results of one's own."""


def test_options_may_be_given_in_the_order_of_celerys_parameters(app: Celery) -> None:
    result = app.send_task("elsewhere", [1], {"a": 2}, None, None, "an-id")

    [message] = waiting(app)
    assert (result.id, message.id, list(message.args), message.kwargs, message.eta) == ("an-id", "an-id", [1], {"a": 2}, None)


def test_an_option_that_is_given_twice_is_refused(app: Celery) -> None:
    with pytest.raises(TypeError, match="countdown twice"):
        app.send_task("elsewhere", None, None, 10, countdown=5)


def test_too_many_values_are_refused(app: Celery) -> None:
    with pytest.raises(TypeError, match="29 values at most"):
        app.send_task("elsewhere", None, None, *[None] * 27)


def test_the_result_may_be_of_a_class_of_ones_own(app: Celery) -> None:
    app.set_current()

    result = app.send_task("elsewhere", result_cls=Mine)

    assert type(result) is Mine
    assert [message.id for message in waiting(app)] == [result.id]


def test_who_runs_tasks_eagerly_is_warned_that_names_are_sent(app: Celery) -> None:
    app.conf.task_always_eager = True

    with pytest.warns(AlwaysEagerIgnored, match="no effect on send_task"):
        app.send_task("elsewhere")

    assert [message.task for message in waiting(app)] == ["elsewhere"]


def test_a_subclass_that_replaces_send_task_is_asked_for_every_call_of_a_task() -> None:
    class Tenant(Celery):
        def send_task(self, name: str, args: Any = None, kwargs: Any = None, *positional: Any, **options: Any) -> Any:
            options["headers"] = {"tenant": "blue"}
            return super().send_task(name, args, kwargs, *positional, **options)

    app = Tenant("tenant", broker="memory://tenant", set_as_current=False)

    @app.task(name="add")
    def add(x: int, y: int) -> int:
        return x + y

    add.delay(1, 2)
    add.apply_async((3, 4), countdown=0)

    assert [(list(m.args), m.headers["tenant"]) for m in waiting(app)] == [([1, 2], "blue"), ([3, 4], "blue")]


def test_a_signature_of_the_app_is_sent_by_it(app: Celery) -> None:
    app.signature("elsewhere", (1,), {"a": 2}, queue="other").delay()

    assert [message.task for message in waiting(app, "other")] == ["elsewhere"]


def test_periodic_tasks_are_entries_of_the_schedule_wherever_the_settings_come_from() -> None:
    app = Celery("beat", set_as_current=False)
    task = app.task(name="tick")(lambda *args: None)

    @app.on_after_configure.connect
    def setup(sender: Celery, **_: Any) -> None:
        sender.add_periodic_task(10.0, task.s(1), name="every ten", expires=5)

    before = app.add_periodic_task(30.0, task, ("x",))
    app.config_from_object({"beat_schedule": {"of the file": {"task": "tock", "schedule": 60}}})

    schedule = app.conf.beat_schedule
    assert sorted(schedule) == sorted([before, "every ten", "of the file"])
    assert schedule["every ten"] == {"schedule": 10.0, "task": "tick", "args": (1,), "kwargs": {}, "options": {"expires": 5}}
    assert (schedule[before]["task"], schedule[before]["args"]) == ("tick", ("x",))


def test_a_periodic_task_may_be_added_after_the_settings_were_read() -> None:
    app = Celery("beat", set_as_current=False)
    app.task(name="tick")(lambda: None)
    assert app.conf.beat_schedule == {}

    app.add_periodic_task(30.0, app.signature("tick"), name="later")

    assert list(app.conf.beat_schedule) == ["later"]
