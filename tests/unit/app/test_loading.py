"""A loader of a program's own: where the settings are, and what is done at the moments of a worker."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from celeriac import Celery, ImproperlyConfigured, signals
from celeriac.app.borrowed.loading import Loader
from unit.app.serving import serve


class FileLoader(Loader):
    """Knows where the settings are, one more module, and what to do around each run."""

    builtin_modules = frozenset({"json.tool"})

    def read_configuration(self, env: str = "") -> Mapping[str, Any]:
        return {"task_default_queue": "from-the-loader"}

    def on_worker_process_init(self) -> None:
        self.app.moments.append("process")

    def on_task_init(self, task_id: str, task: Any) -> None:
        self.app.moments.append(("begins", task.name))

    def on_process_cleanup(self) -> None:
        self.app.moments.append("ended")


class Loaded(Celery):
    """An app that remembers what its loader was told."""

    loader_cls = FileLoader

    def on_init(self) -> None:
        self.moments: list[Any] = []


def test_a_loader_says_where_the_settings_are_unless_the_program_names_others() -> None:
    by_loader, told = Loaded(set_as_current=False), Loaded(set_as_current=False)
    told.config_from_object({"task_default_queue": "named"})

    assert (by_loader.conf.task_default_queue, told.conf.task_default_queue) == ("from-the-loader", "named")


def test_a_loader_is_told_of_processes_and_runs_once_a_worker_has_begun() -> None:
    app = Loaded("loaded", broker="memory://loaded", backend="memory://loaded", set_as_current=False)
    app.config_from_object({"task_default_queue": "celery"})
    app.task(name="works")(lambda: None).delay()

    before = app.loader_cls is FileLoader and list(app.moments)
    app.import_tasks()
    signals.worker_process_init.send(None)
    serve(app)

    assert before == []
    assert app.moments == ["process", ("begins", "works"), "ended"]
    assert "json.tool" in sys.modules


def test_a_loader_imports_what_a_dotted_name_means_and_says_what_is_not_there(app: Celery) -> None:
    assert app.loader.import_from_cwd("json") is sys.modules["json"]
    assert app.loader.find_module("json:dumps") is sys.modules["json"].dumps
    with pytest.raises(ImproperlyConfigured, match="cannot import the module 'absent_module'"):
        app.loader.find_module("absent_module")


def test_a_class_of_tasks_that_is_not_there_is_told() -> None:
    app = Celery(task_cls="absent_module:Task", set_as_current=False)

    with pytest.raises(ImproperlyConfigured, match="cannot import the class of tasks 'absent_module:Task'"):
        app.task(name="a")(lambda: None)


def test_a_loader_that_replaces_nothing_changes_nothing(app: Celery) -> None:
    assert app.loader.read_configuration("NO_SUCH_VARIABLE") == {}
    assert app.loader.configured is app.configured
    assert not app.loader.reads_configuration


def test_a_loader_can_have_the_app_take_its_settings_from_an_object(app: Celery) -> None:
    app.loader.config_from_object({"task_default_queue": "by-hand"})

    assert app.loader.conf.task_default_queue == "by-hand"
