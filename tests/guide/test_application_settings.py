"""The examples of Celery's chapter "Application", about configuration: where settings come from, and how they are shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from celeriac import Celery
from guide.conftest import Serve

MODULE = """
enable_utc = True
timezone = "Europe/Lisbon"
broker_url = result_backend = {url!r}

class Night:
    timezone = "Pacific/Auckland"
    broker_url = result_backend = {url!r}
"""


@pytest.fixture
def module(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the name of a module of settings that can be imported."""
    name = f"shopconfig_{abs(hash(url + str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(MODULE.format(url=url))
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def runs(app: Celery, serve: Serve) -> bool:
    """Say whether a job of the app is done: its broker and its results are where the settings say."""
    double = app.task(name="double", shared=False)(lambda x: 2 * x)
    serve(serving=app)
    return bool(double.delay(2).get(timeout=5) == 4)


def test_settings_are_read_set_and_updated_on_the_app(app: Celery, serve: Serve) -> None:
    app.conf.enable_utc = True
    app.conf.update(timezone="Europe/Lisbon", task_serializer="json")

    assert (app.conf.timezone, app.conf["enable_utc"]) == ("Europe/Lisbon", True)
    assert str(app.timezone) == "Europe/Lisbon"
    assert runs(app, serve)


def test_changes_win_over_the_module_and_that_over_added_defaults(module: str, serve: Serve) -> None:
    app = Celery("shop", set_as_current=False)
    app.config_from_object(module)
    app.add_defaults({"timezone": "America/Lima", "task_default_queue": "celery", "task_track_started": True})
    app.add_defaults(lambda: {"task_time_limit": 99})

    before = app.conf.timezone
    app.conf.timezone = "Asia/Tokyo"

    assert (before, app.conf.timezone, app.conf.task_track_started) == ("Europe/Lisbon", "Asia/Tokyo", True)
    assert (app.conf.task_time_limit, app.conf.task_serializer) == (99, "json")
    assert runs(app, serve)
    app.close()


def test_settings_may_be_a_module_by_its_name(module: str, serve: Serve) -> None:
    app = Celery("shop", set_as_current=False)
    app.config_from_object(module)

    assert app.conf.timezone == "Europe/Lisbon"
    assert runs(app, serve)
    app.close()


def test_settings_may_be_an_attribute_of_a_module_by_its_name(module: str, serve: Serve) -> None:
    app = Celery("shop", set_as_current=False)
    app.config_from_object(f"{module}:Night")

    assert app.conf.timezone == "Pacific/Auckland"
    assert runs(app, serve)
    app.close()


def test_settings_may_be_a_module_itself(module: str, serve: Serve) -> None:
    app = Celery("shop", set_as_current=False)
    __import__(module)
    app.config_from_object(sys.modules[module])

    assert app.conf.timezone == "Europe/Lisbon"
    assert runs(app, serve)
    app.close()


def test_settings_may_be_a_class_or_an_object(url: str, serve: Serve) -> None:
    class Settings:
        timezone = "Europe/Lisbon"
        broker_url = result_backend = url

    for source in (Settings, Settings()):
        app = Celery("shop", set_as_current=False)
        app.config_from_object(source)

        assert app.conf.timezone == "Europe/Lisbon"
        assert runs(app, serve)
        app.close()


def test_config_from_object_forgets_what_was_set_before(app: Celery) -> None:
    class Settings:
        task_track_started = True

    app.conf.task_ignore_result = True
    assert app.conf.task_ignore_result is True
    app.config_from_object(Settings)

    assert (app.conf.task_ignore_result, app.conf.task_track_started) == (False, True)


def test_an_environment_variable_may_name_the_module(module: str, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_CONFIG", module)
    app = Celery("shop", set_as_current=False)
    app.config_from_envvar("SHOP_CONFIG")

    assert app.conf.timezone == "Europe/Lisbon"
    assert runs(app, serve)
    app.close()


def test_settings_can_be_shown_without_their_secrets(app: Celery) -> None:
    app.conf.update(broker_url="redis://:hunter2@redis.example/0", redis_backend_use_ssl={"ssl_keyfile": "k"})
    app.conf.update(timezone="Europe/Lisbon", elasticsearch_save_meta_as_text=False, security_key_password=b"hunter2")

    text = app.conf.humanize(with_defaults=False, censored=True)
    table = app.conf.table(with_defaults=False, censored=True)

    assert "hunter2" not in text
    assert "hunter2" not in repr(table)
    assert "Europe/Lisbon" in text
    assert table["timezone"] == "Europe/Lisbon"
    assert "task_default_queue" not in table


def test_defaults_are_shown_on_request_and_secrets_too(app: Celery) -> None:
    app.conf.security_key_password = b"hunter2"

    table = app.conf.table(with_defaults=True, censored=False)

    assert table["task_default_queue"] == "celery"
    assert table["security_key_password"] == b"hunter2"
    assert "task_default_queue" in app.conf.humanize(with_defaults=True)


def test_settings_of_ones_own_are_masked_by_their_names(app: Celery) -> None:
    secrets = {f"SHOP_{word}": "hunter2" for word in ("API", "TOKEN", "KEY", "SECRET", "PASS", "SIGNATURE", "DATABASE")}
    app.conf.update(secrets)
    app.conf.update({"SHOP_NAME": "corner"})

    text = app.conf.humanize(with_defaults=True, censored=True)

    assert "hunter2" not in text
    assert app.conf["SHOP_API"] == "hunter2"
