"""Where the settings of a command's app come from, and what is said when they cannot be read."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from cli.terminal import Terminal

APP = """
    from celeriac import Celery

    app = Celery("shop")
    {source}


    @app.task
    def add(x: int, y: int) -> int:
        return x + y
"""
SOURCE = "app.config_from_object('shop_settings')"
SETTINGS = "task_default_queue = 'from-the-settings'\nresult_backend = broker_url = 'sqlite:///shop.db'\n"


def queue_of(terminal: Terminal, *words: str) -> str:
    """Return the default queue of the app that the command line means."""
    ran = terminal.celeriac(*words, "report", "--json")
    assert ran.code == 0, ran.err
    queue: str = ran.json["settings"].get("task_default_queue", "celery")
    return queue


def test_a_worker_and_its_callers_read_the_same_module(terminal: Terminal, worker: Callable[..., subprocess.Popen[str]]) -> None:
    terminal.write("shop.py", APP.format(source=SOURCE))
    terminal.write("shop_settings.py", SETTINGS)
    worker()

    ran = terminal.celeriac("-A", "shop", "call", "shop.add", "--args", "[2, 3]", "--wait", "--timeout", "20")

    assert (ran.out.split()[-1:], queue_of(terminal, "-A", "shop")) == (["5"], "from-the-settings"), ran.err


@pytest.mark.parametrize("command", ["worker", "report"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task_seralizer = 'json'", "in the configuration 'shop_settings': there is no setting 'task_seralizer'"),
        ("task_time_limit = -1", "in the configuration 'shop_settings': the setting task_time_limit = -1 is wrong"),
        ("1 / 0", "cannot import the configuration 'shop_settings': ZeroDivisionError"),
    ],
)
def test_settings_that_cannot_be_read_are_told_in_one_sentence(terminal: Terminal, command: str, text: str, said: str) -> None:
    terminal.write("shop.py", APP.format(source=SOURCE))
    terminal.write("shop_settings.py", text)

    ran = terminal.celeriac("-A", "shop", command)

    assert said in ran.err
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)


@pytest.mark.parametrize("module", ["celeriacconfig", "celeryconfig"])
def test_an_app_that_was_told_nothing_reads_the_module_of_the_working_folder(terminal: Terminal, module: str) -> None:
    terminal.write(f"{module}.py", SETTINGS)

    assert queue_of(terminal, "-A", "shop") == "from-the-settings"


def test_a_worker_that_is_told_more_by_its_command_line_reads_it_too(terminal: Terminal) -> None:
    terminal.write("celeryconfig.py", "task_default_queue = 'from-the-settings'")
    words = ("-A", "shop", "-b", "redis://127.0.0.1:1", "worker", "broker_connection_retry_on_startup=false")

    ran = terminal.celeriac(*words)

    assert " .> from-the-settings" in ran.out.splitlines()


def test_an_option_and_a_variable_name_the_module_of_an_app_that_names_none(terminal: Terminal) -> None:
    terminal.write("shop_settings.py", SETTINGS)

    by_option = queue_of(terminal, "-A", "shop", "--config", "shop_settings")
    terminal.variables["CELERY_CONFIG_MODULE"] = "shop_settings"

    assert (by_option, queue_of(terminal, "-A", "shop")) == ("from-the-settings", "from-the-settings")


def test_an_app_that_names_a_module_keeps_it_and_who_named_another_is_told(terminal: Terminal) -> None:
    terminal.write("shop.py", APP.format(source=SOURCE))
    terminal.write("shop_settings.py", SETTINGS)
    terminal.write("other_settings.py", "task_default_queue = 'other'")

    ran = terminal.celeriac("-A", "shop", "--config", "other_settings", "report")

    assert "task_default_queue: from-the-settings" in ran.out
    assert "--config other_settings has no effect: the app names its own source of settings" in ran.err


def test_the_command_line_wins_over_the_environment_and_that_over_the_program(terminal: Terminal) -> None:
    terminal.write("shop_settings.py", "broker_url = 'memory://module'")
    terminal.write("shop.py", APP.format(source=SOURCE))
    terminal.variables["CELERY_BROKER_URL"] = "memory://environment"

    reports = [terminal.celeriac("-A", "shop", *words, "report").out for words in ((), ("-b", "memory://option"))]

    assert ["broker_url: memory://environment" in reports[0], "broker_url: memory://option" in reports[1]] == [True, True]
