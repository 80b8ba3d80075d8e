"""What a user may type wrongly: one clear sentence, an exit code that is not 0, no traceback."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from system.fleet import Fleet
from system.test_silence import assert_one_sentence

NO_REDIS = 'raise ModuleNotFoundError("No module named \'redis\'", name="redis")\n'


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("redis//localhost", "redis//localhost"),
        ("reddis://:hunter2@localhost/0", "reddis"),
        ("http://localhost/", "http"),
        ("redis://:hunter2@localhost:port/0", "port"),
        ("redis://:hunter2@localhost/db", "db"),
        ("amqp://guest:hunter2@localhost//", "amqp"),
        ("sqlite:////dev/null/store.db", "/dev/null"),
    ],
)
@pytest.mark.parametrize("command", [("worker", "-c", "1"), ("status",), ("call", "jobs.add")])
def test_a_wrong_url_is_named(
    fleets: Callable[..., Fleet], url: str, word: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    fleet = fleets(f"sqlite:///{tmp_path / 'store.db'}")

    ran = fleet.celeriac("--quiet", *command, JOBS_STORE=url)

    assert_one_sentence(ran)
    assert word in ran.stderr


@pytest.mark.parametrize("command", [("worker", "-c", "1"), ("call", "jobs.add")])
def test_a_missing_extra_is_named_with_the_command_that_installs_it(local_fleet: Fleet, command: tuple[str, ...]) -> None:
    stub = local_fleet.folder / "stub"
    stub.mkdir()
    (stub / "redis.py").write_text(NO_REDIS)

    ran = local_fleet.celeriac("--quiet", *command, JOBS_STORE="redis://localhost", PYTHONPATH=str(stub))

    assert_one_sentence(ran)
    assert "pip install 'celeriac[redis]'" in ran.stderr


@pytest.mark.parametrize("setting", ["task_ack_late=true", "worker_concurency=3", "task_acks_late=maybe"])
def test_a_misspelt_setting_is_named(local_fleet: Fleet, setting: str) -> None:
    ran = local_fleet.celeriac("--quiet", "worker", setting)

    assert_one_sentence(ran)
    assert setting.partition("=")[0] in ran.stderr


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("app.py", "from celeriac import Celery\n\napp = Celery('a', task_ack_late=True)\n"),
        ("app.py", "from celeriac import Celery\n\napp = Celery('a')\napp.conf.task_ack_late = True\n"),
        ("app.py", "from celeriac import Celery\n\napp = Celery('a')\napp.conf.update(task_acks_late='perhaps')\n"),
    ],
)
def test_a_misspelt_setting_in_a_program_is_named(local_fleet: Fleet, module: str, text: str) -> None:
    (local_fleet.folder / module).write_text(text)

    ran = local_fleet.celeriac("-A", "app", "--workdir", os.fspath(local_fleet.folder), "report")

    assert_one_sentence(ran)
    assert "task_ack" in ran.stderr


@pytest.mark.parametrize("name", ["nowhere", "jobs:nothing", "jobs.nothing", "jobs:JOURNAL", "os", "", "a b", "../jobs"])
def test_an_app_that_is_not_there_is_named(local_fleet: Fleet, name: str) -> None:
    ran = local_fleet.celeriac("-A", name, "report")

    assert_one_sentence(ran)


def test_a_module_that_fails_is_named_with_its_error(local_fleet: Fleet) -> None:
    (local_fleet.folder / "broken.py").write_text("1 / 0\n")

    ran = local_fleet.celeriac("-A", "broken", "--workdir", os.fspath(local_fleet.folder), "report")

    assert_one_sentence(ran)
    assert "broken" in ran.stderr
    assert "ZeroDivisionError" in ran.stderr or "division by zero" in ran.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("worker", "-P", "nowhere"),
        ("worker", "-c", "-1"),
        ("worker", "-c", "many"),
        ("worker", "-l", "loud"),
        ("worker", "-X", "celery"),
        ("worker", "--time-limit", "soon"),
        ("worker", "--nonsense"),
        ("wurker",),
        ("call",),
        ("call", "jobs.add", "-a", "[1, 2"),
        ("call", "jobs.add", "-a", "17"),
        ("dlq", "show", "17"),
        ("dlq", "replay", "17"),
        ("dlq", "purge"),
        ("result",),
    ],
)
def test_other_words_that_make_no_sense_are_answered_in_a_sentence(local_fleet: Fleet, words: tuple[str, ...]) -> None:
    ran = local_fleet.celeriac("--quiet", *words)

    assert_one_sentence(ran)
