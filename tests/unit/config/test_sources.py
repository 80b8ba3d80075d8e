"""Where settings come from."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celeriac.config.sources import default_source, from_environment, from_object
from celeriac.core.errors import ImproperlyConfigured


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_module_may_hold_other_names_too() -> None:
    module = types.ModuleType("m")
    module.__dict__.update(os=types, helper=lambda: 1, task_serializer="json", BROKER_URL="redis://", redbeat_redis_url="r")
    module.__dict__.update(task_routes=len, _hidden=1)

    found = from_object(module)

    assert found == {"task_serializer": "json", "BROKER_URL": "redis://", "redbeat_redis_url": "r", "task_routes": len}


class Parent:
    task_serializer = "pickle"


class Child(Parent):
    task_acks_late = True


@pytest.mark.parametrize("source", [Child, Child(), {"task_serializer": "pickle", "task_acks_late": True}])
def test_a_class_an_instance_and_a_mapping_are_sources(source: Any) -> None:
    assert from_object(source) == {"task_serializer": "pickle", "task_acks_late": True}


def test_an_object_is_not_asked_for_what_cannot_be_a_setting() -> None:
    class Settings:
        task_serializer = "json"
        redbeat_redis_url = "r"

        @property
        def costly(self) -> str:
            raise AssertionError("nobody needs it")

        @property
        def task_default_queue(self) -> str:
            return "computed"

    assert from_object(Settings()) == {"task_serializer": "json", "redbeat_redis_url": "r", "task_default_queue": "computed"}


def test_settings_that_appear_when_they_are_asked_for_are_found() -> None:
    class Lazy:
        """As Django's settings are."""

        def __dir__(self) -> list[str]:
            return ["CELERY_TASK_SERIALIZER", "CELERY_SHOP", "BROKER_URL", "DEBUG"]

        def __getattr__(self, name: str) -> str:
            return f"value of {name}"

    found, prefixed = from_object(Lazy()), from_object(Lazy(), namespace="CELERY")

    assert found == {name: f"value of {name}" for name in ("CELERY_TASK_SERIALIZER", "BROKER_URL")}
    assert prefixed == {"task_serializer": "value of CELERY_TASK_SERIALIZER", "shop": "value of CELERY_SHOP"}


def test_a_namespace_takes_its_own_names_and_what_was_written_for_an_old_celery() -> None:
    class Django:
        CELERY_TASK_SERIALIZER = "json"
        CELERY_BROKER_URL = "redis://"
        CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = ()
        CELERY_ALWAYS_EAGER = True
        CELERYD_CONCURRENCY = 3
        CELERY_SHOP_CURRENCY = "EUR"
        BROKER_URL = "redis://somebody"
        DATABASES = object()
        TIME_ZONE = "Europe/Paris"

    assert from_object(Django, namespace="CELERY") == {
        "task_serializer": "json",
        "broker_url": "redis://",
        "result_backend_transport_options": (),
        "CELERY_ALWAYS_EAGER": True,
        "CELERYD_CONCURRENCY": 3,
        "shop_currency": "EUR",
        "TIME_ZONE": "Europe/Paris",
    }
    assert from_object(Django, namespace="CELERY_") == from_object(Django, namespace="CELERY")


def test_a_dotted_name_may_lead_into_a_module(folder: Path) -> None:
    (folder / "conf_for_test.py").write_text("class Production:\n    task_default_queue = 'p'\n")

    found = [from_object(name) for name in ("conf_for_test:Production", "conf_for_test.Production")]

    assert found == [{"task_default_queue": "p"}] * 2


def test_the_working_folder_is_looked_in_and_not_left_on_the_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in {"", str(folder)}])
    (folder / "conf_in_folder.py").write_text("task_default_queue = 'p'\n")

    found = from_object("conf_in_folder")

    assert (found, str(folder) in sys.path) == ({"task_default_queue": "p"}, False)


def test_a_program_has_its_own_folder_before_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = folder / "program"
    own.mkdir()
    monkeypatch.setattr(sys, "path", [str(own), *(place for place in sys.path if place not in {"", str(folder)})])
    for place, queue in ((folder, "stranger"), (own, "own")):
        (place / "conf_in_both.py").write_text(f"task_default_queue = {queue!r}\n")

    assert from_object("conf_in_both") == {"task_default_queue": "own"}


@pytest.mark.parametrize("name", ["no_such_module_here", "os:nothing", "os.nothing", "no.such.module"])
def test_what_cannot_be_imported_is_said_in_one_sentence(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="cannot import the configuration"):
        from_object(name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import no_such_module_here", "No module named 'no_such_module_here'"),
        ("broker_url = ", "SyntaxError: invalid syntax"),
    ],
)
def test_a_configuration_that_fails_is_named_with_its_error(folder: Path, text: str, said: str) -> None:
    (folder / "broken_conf.py").write_text(text)

    with pytest.raises(ImproperlyConfigured, match=f"cannot import the configuration 'broken_conf': {said}"):
        from_object("broken_conf")


def test_four_variables_of_the_environment_are_read() -> None:
    environ = {
        "CELERY_BROKER_URL": "redis://b",
        "CELERY_BROKER_READ_URL": "redis://r",
        "CELERY_BROKER_WRITE_URL": "redis://w",
        "CELERY_RESULT_BACKEND": "",
        "CELERY_TASK_SERIALIZER": "pickle",
    }

    found = from_environment(environ)

    assert found == {"broker_url": "redis://b", "broker_read_url": "redis://r", "broker_write_url": "redis://w"}


@pytest.mark.parametrize("module", ["celeriacconfig", "celeryconfig"])
def test_an_app_that_was_told_nothing_reads_the_default_module(folder: Path, module: str) -> None:
    (folder / f"{module}.py").write_text("task_default_queue = 'by-default'\n")

    found = default_source({}, told_nothing=True)

    assert (found, default_source({}, told_nothing=False)) == ({"task_default_queue": "by-default"}, {})


def test_no_default_module_is_no_error_and_a_broken_one_is(folder: Path) -> None:
    absent = default_source({}, told_nothing=True)
    (folder / "celeryconfig.py").write_text("import no_such_module_here\n")

    assert absent == {}
    with pytest.raises(ImproperlyConfigured, match="'celeryconfig': No module named 'no_such_module_here'"):
        default_source({}, told_nothing=True)


def test_a_variable_names_the_module_of_every_app_that_names_none(folder: Path) -> None:
    (folder / "named_conf.py").write_text("task_default_queue = 'named'\n")
    (folder / "celeryconfig.py").write_text("task_default_queue = 'by-default'\n")

    found = default_source({"CELERY_CONFIG_MODULE": "named_conf"}, told_nothing=False)

    assert found == {"task_default_queue": "named"}
    with pytest.raises(ImproperlyConfigured, match="absent_conf"):
        default_source({"CELERY_CONFIG_MODULE": "absent_conf"}, told_nothing=True)
