"""Importing the modules that hold an app's tasks: whose module is missing is told."""

from __future__ import annotations

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
