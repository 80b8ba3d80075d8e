"""Where settings come from."""

from __future__ import annotations

import types
from pathlib import Path

import pytest

from celeriac.config.sources import from_environment, from_object
from celeriac.core.errors import ImproperlyConfigured


def test_a_module_may_hold_other_names_too() -> None:
    module = types.ModuleType("m")
    module.__dict__.update(os=types, helper=lambda: 1, task_serializer="json", BROKER_URL="redis://", DEBUG=True)

    found = from_object(module)

    assert found == {"task_serializer": "json", "BROKER_URL": "redis://"}


def test_a_name_that_nearly_is_a_setting_was_meant_to_be_one() -> None:
    class Source:
        task_seralizer = "json"

    with pytest.raises(ImproperlyConfigured, match="did you mean 'task_serializer'"):
        from_object(Source)


def test_a_mapping_holds_nothing_but_settings() -> None:
    with pytest.raises(ImproperlyConfigured, match="no setting 'debug'"):
        from_object({"debug": True})


def test_a_dotted_name_may_lead_into_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf_for_test.py").write_text("class Production:\n    task_default_queue = 'p'\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert from_object("conf_for_test:Production") == from_object("conf_for_test.Production") == {"task_default_queue": "p"}


@pytest.mark.parametrize("name", ["no_such_module_here", "os:nothing", "os.nothing", "no.such.module"])
def test_what_cannot_be_imported_is_said_in_one_sentence(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="cannot import the configuration"):
        from_object(name)


def test_only_two_variables_of_the_environment_are_read() -> None:
    environ = {"CELERY_BROKER_URL": "redis://b", "CELERY_RESULT_BACKEND": "", "CELERY_TASK_SERIALIZER": "pickle"}

    assert from_environment(environ) == {"broker_url": "redis://b"}
