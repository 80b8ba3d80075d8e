"""The app: declaring tasks, reading settings, current app, life."""

from __future__ import annotations

import logging
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from celeriac import Celery, NotRegistered, Task
from celeriac.app.parts.assembly import driver_options
from celeriac.app.parts.declaring import task_name
from celeriac.core.errors import ImproperlyConfigured
from unit.app.serving import waiting


def test_a_task_is_named_after_its_module_and_function(app: Celery) -> None:
    @app.task
    def charge() -> None:
        """Charge a card."""

    assert charge.name == f"{__name__}.charge"
    assert (charge.__name__, charge.__doc__) == ("charge", "Charge a card.")
    assert app.tasks[charge.name] is charge


@pytest.mark.parametrize(
    ("module", "main", "program", "name"),
    [
        ("shop.tasks", None, None, "shop.tasks.add"),
        ("__main__", "shop", "/srv/run.py", "shop.add"),
        ("__main__", None, "/srv/run.py", "run.add"),
        ("__main__", None, None, "__main__.add"),
        ("__mp_main__", "shop", "/srv/run.py", "shop.add"),
        ("__mp_main__", None, "/srv/run.py", "run.add"),
    ],
)
def test_tasks_of_a_program_have_the_name_that_a_worker_will_know(module: str, main: str, program: str, name: str) -> None:
    assert task_name("add", module, main, program) == name


def test_an_unknown_task_is_named_with_the_nearest(app: Celery) -> None:
    app.task(name="shop.charge")(lambda: None)

    with pytest.raises(NotRegistered, match=r"did you mean 'shop\.charge'"):
        app.tasks["shop.chrage"]


def test_of_two_functions_with_one_name_the_first_answers_and_a_warning_says_so(
    app: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    first = app.task(name="same")(lambda: 1)

    with caplog.at_level(logging.WARNING, "celeriac.app"):
        second = app.task(name="same")(lambda: 2)

    assert second is first
    assert "two functions are called 'same'" in caplog.text


def test_an_option_that_is_nearly_right_is_refused_and_one_of_the_users_own_is_kept(app: Celery) -> None:
    with pytest.raises(TypeError, match="'max_retry': did you mean 'max_retries'"):
        app.task(name="a", max_retry=3)(lambda: None)  # type: ignore[call-overload]

    own: Any = app.task(name="b", tenant="x")(lambda: None)  # type: ignore[call-overload]
    assert own.tenant == "x"


def test_attributes_come_from_the_task_then_its_base_then_the_settings(app: Celery) -> None:
    class Late(Task[..., Any]):
        acks_late = True
        max_retries = 7

    mine = app.task(name="mine", base=Late, max_retries=None)(lambda: None)
    plain = app.task(name="plain")(lambda: None)
    app.conf.task_track_started = True

    assert (mine.acks_late, mine.max_retries, mine.track_started) == (True, None, True)
    assert (plain.acks_late, plain.max_retries, plain.time_limit) == (False, 3, None)


def test_a_class_based_task_can_be_registered_and_keeps_its_state(app: Celery) -> None:
    class Counter(Task[[], int]):
        name = "counter"
        count = 0

        def run(self) -> int:
            self.count += 1
            return self.count

    counter = app.register_task(Counter())
    counter.delay()

    assert (counter(), counter()) == (1, 2)
    assert [message.task for message in waiting(app)] == ["counter"]


def test_an_async_task_returns_its_coroutine_when_called(app: Celery) -> None:
    import asyncio

    @app.task
    async def add(x: int, y: int) -> int:
        return x + y

    assert asyncio.run(add(1, 2)) == 3


def test_a_wrong_setting_fails_where_it_is_written() -> None:
    with pytest.raises(ImproperlyConfigured, match="did you mean 'task_serializer'"):
        Celery("wrong", task_seralizer="json", set_as_current=False)


def test_settings_come_from_a_module_an_object_or_a_mapping_and_what_the_app_was_made_with_wins() -> None:
    module = types.ModuleType("settings_for_test")
    module.__dict__.update(os=os, task_default_queue="from-module", result_backend="redis://elsewhere", CELERY_TIMEZONE="UTC")
    sys.modules[module.__name__] = module
    app = Celery("c", backend="memory://", set_as_current=False)
    app.conf.task_serializer = "pickle"

    app.config_from_object("settings_for_test")

    assert (app.conf.task_default_queue, app.conf.result_backend, app.conf.timezone) == ("from-module", "memory://", "UTC")
    assert app.conf.task_serializer == "json"  # forgotten, as Celery forgets it


def test_a_namespace_takes_only_its_own_names() -> None:
    class Django:
        CELERY_TASK_DEFAULT_QUEUE = "ns"
        DATABASES = object()

    app = Celery("c", set_as_current=False)
    app.config_from_object(Django, namespace="CELERY")

    assert app.conf.task_default_queue == "ns"


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "memory://from-environment")

    app = Celery("c", broker="redis://written", set_as_current=False)

    assert (app.conf.broker_url, app.places.broker) == ("memory://from-environment", "memory://from-environment")


def test_with_nothing_configured_both_are_the_file_of_this_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    places = Celery("c", set_as_current=False).places

    assert places.broker == places.results == f"sqlite:///{tmp_path}/celeriac/celeriac.db"


def test_an_app_that_was_closed_may_be_used_again(app: Celery) -> None:
    with app:
        app.send_task("a")

    app.send_task("b")

    assert [message.task for message in waiting(app)] == ["a", "b"]


def test_a_process_that_was_forked_sends_with_a_name_of_its_own(app: Celery) -> None:
    app.send_task("parent")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, app.producer.here.origin.encode())
        os._exit(0)
    os.waitpid(pid, 0)
    told = os.read(read, 200).decode()
    os.close(read)
    os.close(write)

    assert told.startswith(f"gen{pid}@")


def test_discovery_imports_the_related_module_of_each_package(
    app: Celery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, files in {"found_pkg": ("__init__.py", "tasks.py"), "bare_pkg": ("__init__.py",)}.items():
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    app.autodiscover_tasks(["found_pkg", "bare_pkg", "json.decoder"])
    before = "found_pkg.tasks" in sys.modules
    app.import_tasks()

    assert (before, "found_pkg.tasks" in sys.modules) == (False, True)


def test_a_configuration_that_is_not_there_may_be_passed_over_in_silence() -> None:
    app = Celery("c", set_as_current=False)

    app.config_from_object("no_such_module_here", silent=True)

    with pytest.raises(ImproperlyConfigured, match="cannot import the configuration"):
        app.config_from_object("no_such_module_here", force=True)


def test_who_asks_for_tls_gets_it_whatever_the_url_says() -> None:
    app = Celery("c", broker=["redis://a", "redis://b"], backend="redis://a/1", set_as_current=False)

    app.conf.update(broker_use_ssl=True, redis_backend_use_ssl={"ssl_cert_reqs": "none"})

    assert (app.places.broker, app.places.results) == ("rediss://a;rediss://b", "rediss://a/1")


def test_who_asks_for_tls_with_sentinels_gets_an_option_that_means_it() -> None:
    app = Celery("c", broker="sentinel://a", backend="sentinel://a", set_as_current=False)

    app.conf.update(broker_use_ssl=True, redis_backend_use_ssl=True)

    options = driver_options(app.settings)
    assert (options.broker["ssl_cert_reqs"], options.results["ssl_cert_reqs"]) == ("required", "required")


def test_options_of_drivers_come_from_their_settings() -> None:
    app = Celery("c", set_as_current=False)
    app.conf.update(
        broker_transport_options={"visibility_timeout": 60},
        broker_use_ssl={"ssl_ca_certs": "/ca.pem"},
        result_backend_transport_options={"global_keyprefix": "shop"},
        redis_password="hunter2",
    )

    options = driver_options(app.settings)

    assert options.broker == {"visibility_timeout": 60, "ssl_ca_certs": "/ca.pem", "socket_connect_timeout": 4.0}
    assert options.results == {"global_keyprefix": "shop", "password": "hunter2"}


def test_a_name_in_place_of_the_function_is_refused_with_what_to_write(app: Celery) -> None:
    with pytest.raises(TypeError, match="name=") as caught:
        app.task("shop.charge")  # type: ignore[call-overload]

    assert "shop.charge" in str(caught.value)
