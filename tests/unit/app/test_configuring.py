"""Configuring an app: sources, laziness, hooks; settings that change after the first use."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from celeriac import Celery
from celeriac.app.parts.assembly import broker_url, result_url, router_of
from celeriac.config.settings import Conf
from celeriac.core.errors import ImproperlyConfigured


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    """A module that can be imported as ``settings_of_shop``."""
    made = sys.modules["settings_of_shop"] = types.ModuleType("settings_of_shop")
    yield made
    del sys.modules["settings_of_shop"]


@pytest.fixture
def bare() -> Iterator[Celery]:
    """An app that was told nothing."""
    with Celery("shop", set_as_current=False) as app:
        yield app


def test_a_module_is_read_when_a_setting_is_first_needed(bare: Celery, module: types.ModuleType) -> None:
    bare.config_from_object("settings_of_shop")
    module.__dict__["task_default_queue"] = "set-after-it-was-named"
    before = bare.configured

    queue = bare.conf.task_default_queue

    assert (before, queue, bare.configured) == (False, "set-after-it-was-named", True)


def test_a_module_of_settings_may_import_the_app_and_set_what_wins_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ring_app.py").write_text(
        "from celeriac import Celery\n"
        "app = Celery('ring', set_as_current=False)\n"
        "app.config_from_object('ring_settings')\n"
        "app.conf.task_default_queue = 'from-the-app'\n"
    )
    (tmp_path / "ring_settings.py").write_text(
        "from ring_app import app\n"
        "task_default_queue, task_serializer = 'from-the-settings', 'pickle'\n"
        "task_compression = app.conf.task_compression\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    app = __import__("ring_app").app

    found = (app.conf.task_default_queue, app.settings.task.serializer)

    assert found == ("from-the-app", "pickle")
    for name in ("ring_app", "ring_settings"):
        del sys.modules[name]


def test_a_module_of_settings_that_is_imported_first_and_asks_for_a_setting_is_read_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_app.py").write_text(
        "from celeriac import Celery\napp = Celery('half', set_as_current=False)\napp.config_from_object('half_settings')\n"
        "calls = []\nhook = lambda **kwargs: calls.append(1)\napp.on_configure.connect(hook)\n"
    )
    (tmp_path / "half_settings.py").write_text(
        "from half_app import app\ntask_serializer = 'pickle'\nseen = app.conf.task_default_queue\ntask_default_queue = 'late'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    settings = __import__("half_settings")

    half = sys.modules["half_app"]
    assert (settings.seen, half.app.conf.task_default_queue, half.app.conf.task_serializer) == ("celery", "late", "pickle")
    assert half.calls == [1]
    for name in ("half_app", "half_settings"):
        del sys.modules[name]


def test_with_force_it_is_read_at_once(bare: Celery, module: types.ModuleType) -> None:
    module.__dict__["task_seralizer"] = "json"

    with pytest.raises(
        ImproperlyConfigured, match="in the configuration 'settings_of_shop': there is no setting 'task_seralizer'"
    ):
        bare.config_from_object("settings_of_shop", force=True)


def test_silence_is_for_a_module_that_is_not_there_and_not_for_one_that_fails(
    bare: Celery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing_settings.py").write_text("import no_such_module_here\n")
    monkeypatch.syspath_prepend(tmp_path)

    bare.config_from_object("no_such_settings.anywhere", silent=True, force=True)

    with pytest.raises(ImproperlyConfigured, match="no_such_module_here"):
        bare.config_from_object("failing_settings", silent=True, force=True)


def test_a_namespace_holds_for_later_sources_too() -> None:
    class Django:
        CELERY_TASK_DEFAULT_QUEUE = "ns"
        TIME_ZONE = "Europe/Paris"

    app = Celery("shop", set_as_current=False, namespace="CELERY")

    app.config_from_object(Django)

    assert (app.conf.task_default_queue, str(app.timezone)) == ("ns", "Europe/Paris")


def test_a_variable_of_the_environment_names_the_module(
    bare: Celery, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    module.__dict__["task_default_queue"] = "by-variable"
    monkeypatch.setenv("SHOP_SETTINGS", "settings_of_shop")

    bare.config_from_envvar("SHOP_SETTINGS")
    bare.config_from_envvar("SHOP_NOTHING", silent=True)

    assert bare.conf.task_default_queue == "by-variable"
    with pytest.raises(ImproperlyConfigured, match="SHOP_NOTHING names no module"):
        bare.config_from_envvar("SHOP_NOTHING")


def test_celery_config_module_is_for_every_app_and_the_default_module_for_one_that_was_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: types.ModuleType
) -> None:
    (tmp_path / "celeriacconfig.py").write_text("task_default_queue = 'default-module'\n")
    monkeypatch.syspath_prepend(tmp_path)
    module.__dict__["task_default_queue"] = "by-variable"

    untold = Celery("a", set_as_current=False).conf.task_default_queue
    told = Celery("b", broker="memory://", set_as_current=False).conf.task_default_queue
    monkeypatch.setenv("CELERY_CONFIG_MODULE", "settings_of_shop")
    named = Celery("c", broker="memory://", set_as_current=False).conf.task_default_queue

    assert (untold, told, named) == ("default-module", "celery", "by-variable")
    del sys.modules["celeriacconfig"]


def test_receivers_are_called_around_the_reading(bare: Celery) -> None:
    calls: list[Any] = []

    @bare.on_configure.connect
    def before(sender: Celery, **kwargs: Any) -> None:
        calls.append(("before", sender, sender.configured))

    @bare.on_after_configure.connect
    def after(sender: Celery, source: Conf, **kwargs: Any) -> None:
        calls.append(("after", sender, source.task_default_queue))
        source.task_compression = "gzip"

    bare.config_from_object({"task_default_queue": "mail"})
    named = list(calls)
    compression = bare.conf.task_compression

    assert (named, compression) == ([], "gzip")
    assert calls == [("before", bare, False), ("after", bare, "mail")]


def test_defaults_of_a_program_are_weaker_than_what_is_set(bare: Celery) -> None:
    bare.add_defaults(lambda: {"task_default_queue": "default", "task_serializer": "pickle"})

    bare.conf.task_serializer = "yaml"

    assert (bare.conf.task_default_queue, bare.conf.task_serializer) == ("default", "yaml")


def test_a_subclass_may_change_what_a_source_says(module: types.ModuleType) -> None:
    class Shop(Celery):
        def prepare_config(self, c: Mapping[str, Any]) -> Mapping[str, Any]:
            return {**c, "task_serializer": "pickle"}

    module.__dict__["task_default_queue"] = "mail"
    app = Shop("shop", set_as_current=False)

    app.config_from_object("settings_of_shop")

    assert (app.conf.task_default_queue, app.conf.task_serializer) == ("mail", "pickle")


def test_words_of_a_command_line_are_settings(bare: Celery) -> None:
    bare.config_from_cmdline(["worker.concurrency=3", "task_acks_late=true"])

    assert (bare.conf.worker_concurrency, bare.conf.task_acks_late) == (3, True)
    with pytest.raises(ImproperlyConfigured, match="'worker' is no setting"):
        bare.config_from_cmdline(["worker"])


def test_signing_is_refused_rather_than_forgotten(bare: Celery) -> None:
    with pytest.raises(ImproperlyConfigured, match="cannot sign messages"):
        bare.setup_security()


def test_two_apps_of_one_process_have_settings_of_their_own() -> None:
    one = Celery("one", broker="memory://one", set_as_current=False, task_default_queue="one")
    other = Celery("other", broker="memory://other", set_as_current=False)

    other.conf.task_default_queue = "other"

    assert (one.conf.task_default_queue, one.places.broker) == ("one", "memory://one")
    assert (other.conf.task_default_queue, other.places.broker) == ("other", "memory://other")


def test_settings_may_be_set_after_tasks_are_declared_and_again_after_their_first_use(bare: Celery) -> None:
    @bare.task(name="shop.add")
    def add(x: int, y: int) -> int:
        return x + y

    bare.conf.update(broker_url="memory://first-broker", result_backend="memory://first-broker")
    add.delay(1, 2)
    first = bare.store
    same = bare.store
    bare.conf.broker_url = bare.conf.result_backend = "memory://second-broker"
    add.delay(3, 4)

    stores = [bare.store, Celery("b", broker="memory://second-broker", backend="memory://second-broker").store]
    assert (first is same, first is bare.store, stores[0] is stores[1]) == (True, False, True)
    assert [*first.depth(["celery"]), *bare.store.depth(["celery"])] == [1, 1]


def test_a_setting_that_concerns_no_store_leaves_it_open(bare: Celery) -> None:
    bare.conf.update(broker_url="memory://stays", result_backend="memory://stays")
    first = bare.store

    bare.conf.task_acks_late = True

    assert bare.store is first


def test_an_app_travels_with_what_was_set() -> None:
    app = Celery("shop", broker="memory://travels", set_as_current=False)
    app.conf.update(task_default_queue="mail", result_expires=60)

    arrived = pickle.loads(pickle.dumps(app))

    assert (arrived.conf.broker_url, arrived.conf.task_default_queue, arrived.settings.result.ttl_s) == (
        "memory://travels",
        "mail",
        60.0,
    )


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"broker_url": "redis://a", "broker_read_url": "redis://b", "broker_write_url": "redis://b"}, "redis://b"),
        ({"broker_url": "redis://a", "broker_read_url": "redis://a"}, "redis://a"),
        ({"broker_url": ["redis://a", "redis://b"]}, "redis://a;redis://b"),
        ({"broker_host": "h", "broker_transport": "redis", "broker_password": "p/w", "broker_port": 1}, "redis://:p%2Fw@h:1/"),
        ({"broker_host": "h", "broker_user": "u", "broker_password": "p", "broker_vhost": "/shop"}, "amqp://u:p@h/shop"),
        ({"broker_host": "redis://h/1"}, "redis://h/1"),
        ({"broker_url": "redis://a", "broker_host": "h"}, "redis://a"),
        ({"broker_transport": "memory"}, "memory:///"),
    ],
)
def test_the_broker_may_be_named_in_several_ways(settings: dict[str, Any], url: str) -> None:
    assert broker_url(Conf(settings).settings()) == url


def test_a_broker_that_is_read_in_one_place_and_written_in_another_is_refused() -> None:
    conf = Conf({"broker_url": "redis://:hunter2@a", "broker_read_url": "redis://:hunter2@b"})

    with pytest.raises(ImproperlyConfigured, match=r"broker_read_url .*'redis://:\*\*@b'.* differ") as caught:
        broker_url(conf.settings())

    assert "hunter2" not in str(caught.value)


def test_the_bare_word_redis_is_the_server_that_the_settings_of_redis_name() -> None:
    settings = Conf({"result_backend": "redis", "redis_host": "h", "redis_db": 3}).settings()

    assert (result_url(settings), result_url(Conf({"result_backend": "redis"}).settings())) == ("redis://h:6379/3", "redis")


def test_the_type_of_the_default_exchange_is_set() -> None:
    settings = Conf({"task_default_exchange_type": "topic", "task_default_exchange": "mail"}).settings()

    [queue] = router_of(settings.task).queues.values()

    assert (queue.source.name, queue.source.type) == ("mail", "topic")
