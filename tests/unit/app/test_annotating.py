"""``task_annotations``: the settings change tasks without touching their code."""

from __future__ import annotations

from typing import Any

import pytest

from celeriac import Celery
from celeriac.core.errors import ImproperlyConfigured
from unit.app.serving import serve, waiting


def declare(app: Celery) -> tuple[Any, Any]:
    @app.task(name="add")
    def add(x: int, y: int) -> int:
        return x + y

    @app.task(name="sub", priority=3)
    def sub(x: int, y: int) -> int:
        return x - y

    return add, sub


def test_attributes_are_set_for_one_task_and_for_all(app: Celery) -> None:
    app.conf.task_annotations = {"*": {"rate_limit": "1/s", "time_limit": 9}, "sub": {"time_limit": 4, "priority": 7}}
    add, sub = declare(app)

    add.delay(1, 2)
    sub.delay(1, 2)

    assert (add.rate_limit, add.time_limit) == ("1/s", 9)
    assert (sub.rate_limit, sub.time_limit) == ("1/s", 4)
    assert sorted((message.task, message.time_limit, message.priority) for message in waiting(app)) == [
        ("add", 9, 0),
        ("sub", 4, 7),
    ]


def test_handlers_may_be_annotated_and_methods_surrounded(app: Celery) -> None:
    heard: list[Any] = []

    def around_run(run: Any) -> Any:
        def surrounded(*args: Any, **kwargs: Any) -> Any:
            heard.append("before")
            return run(*args, **kwargs) * 10

        return surrounded

    def on_success(retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        heard.append(retval)

    app.conf.task_annotations = {"add": {"@run": around_run, "on_success": on_success}}
    add, _ = declare(app)

    add.delay(1, 2)
    serve(app)
    app.conf.timezone = "Europe/Berlin"  # everything is resolved anew, and surrounded once
    add.delay(1, 2)
    serve(app)

    assert heard == ["before", 30, "before", 30]


def test_objects_and_lists_are_annotations_too_and_the_first_one_wins(app: Celery) -> None:
    class OnlySub:
        def annotate(self, task: Any) -> dict[str, Any] | None:
            return {"max_retries": 1} if task.name == "sub" else None

    app.conf.task_annotations = [OnlySub(), {"sub": {"max_retries": 2}, "add": {"max_retries": 5}}]
    add, sub = declare(app)

    add.recipe()
    sub.recipe()

    assert (add.max_retries, sub.max_retries) == (5, 1)


def test_what_is_no_annotation_is_refused(app: Celery) -> None:
    with pytest.raises(ImproperlyConfigured, match="task_annotations"):
        app.conf.task_annotations = [object()]


def test_a_dotted_name_of_annotations_that_leads_nowhere_is_told_with_the_setting(app: Celery) -> None:
    app.conf.task_annotations = "no_such_module.annotations"

    with pytest.raises(ImproperlyConfigured, match=r"cannot import what task_annotations names, 'no_such_module"):
        app.import_tasks()
