"""Importing the modules that hold an app's tasks: whose module is missing is told."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from celeriac import Celery
from celeriac.core.errors import ImproperlyConfigured


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return tmp_path


@pytest.mark.parametrize("setting", ["imports", "include"])
def test_a_module_that_is_not_there_is_told_with_the_setting_that_names_it(app: Celery, setting: str) -> None:
    app.conf[setting] = ["absent_package.tasks"]

    with pytest.raises(ImproperlyConfigured) as caught:
        app.import_tasks()

    assert str(caught.value) == f"{setting} names the module 'absent_package.tasks': there is no module 'absent_package'"
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_module_that_imports_an_absent_one_is_told_with_its_file(app: Celery, folder: Path) -> None:
    file = folder / "shop_with_a_gap.py"
    file.write_text("import json\nimport absent_package\n")
    app.conf.include = ["shop_with_a_gap"]

    with pytest.raises(ImproperlyConfigured) as caught:
        app.import_tasks()

    assert "include names the module 'shop_with_a_gap'" in str(caught.value)
    assert f"No module named 'absent_package' ({file}, line 2)" in str(caught.value)


def test_an_error_of_the_program_itself_stays_what_it_is(app: Celery, folder: Path) -> None:
    (folder / "shop_that_divides.py").write_text("1 / 0\n")
    app.conf.include = ["shop_that_divides"]

    with pytest.raises(ZeroDivisionError):
        app.import_tasks()


def test_a_package_that_is_not_there_is_told_by_name(app: Celery) -> None:
    app.autodiscover_tasks(["absent_package"])

    with pytest.raises(ImproperlyConfigured) as caught:
        app.import_tasks()

    assert str(caught.value) == "autodiscover_tasks names the package 'absent_package': there is no module 'absent_package'"


def test_a_module_of_tasks_that_imports_an_absent_one_is_told_with_its_file(app: Celery, folder: Path) -> None:
    package = folder / "gappy"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "tasks.py").write_text("import absent_package\n")

    with pytest.raises(ImproperlyConfigured) as caught:
        app.autodiscover_tasks(["gappy"], force=True)

    assert "autodiscover_tasks found the module 'gappy.tasks'" in str(caught.value)
    assert f"{package / 'tasks.py'}, line 1" in str(caught.value)


def test_packages_may_be_given_as_a_function_that_is_called_when_they_are_needed(app: Celery, folder: Path) -> None:
    package = folder / "found_late"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "jobs.py").touch()
    asked: list[str] = []

    def packages() -> list[str]:
        asked.append("now")
        return ["found_late"]

    app.autodiscover_tasks(packages, related_name="jobs")
    before = list(asked)
    app.import_tasks()

    assert (before, asked, "found_late.jobs" in sys.modules) == ([], ["now"], True)


@pytest.mark.parametrize("said", ["", "    name = 'shelf'\n"])
def test_a_class_of_djangos_means_its_package(app: Celery, folder: Path, said: str) -> None:
    package = folder / "shelf"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "apps.py").write_text(f"class ShelfConfig:\n    label = 'shelf'\n{said}")
    (package / "tasks.py").touch()

    app.autodiscover_tasks(["shelf.apps.ShelfConfig"], force=True)

    assert "shelf.tasks" in sys.modules


def test_who_names_no_packages_is_told_that_nothing_is_found(app: Celery, caplog: pytest.LogCaptureFixture) -> None:
    app.autodiscover_tasks(force=True)

    assert "autodiscover_tasks was told no packages" in caplog.text


def test_a_subclass_may_say_which_packages_are_looked_into(folder: Path) -> None:
    (folder / "known_to_all").mkdir()
    (folder / "known_to_all" / "__init__.py").touch()
    (folder / "known_to_all" / "tasks.py").touch()

    class Framework(Celery):
        def default_packages(self) -> list[str]:
            return ["known_to_all"]

    Framework(set_as_current=False).autodiscover_tasks(force=True)

    assert "known_to_all.tasks" in sys.modules


def test_packages_themselves_are_imported_where_no_module_is_named(app: Celery, folder: Path) -> None:
    (folder / "lone_module.py").touch()

    app.autodiscover_tasks(["lone_module"], related_name=None, force=True)

    assert "lone_module" in sys.modules


def test_a_worker_that_could_not_import_looks_again_the_next_time(app: Celery, folder: Path) -> None:
    app.autodiscover_tasks(["comes_later"])
    with pytest.raises(ImproperlyConfigured):
        app.import_tasks()

    (folder / "comes_later").mkdir()
    (folder / "comes_later" / "__init__.py").touch()
    (folder / "comes_later" / "tasks.py").touch()
    importlib.invalidate_caches()
    app.import_tasks()

    assert "comes_later.tasks" in sys.modules
