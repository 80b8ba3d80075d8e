"""What stands before the command's name."""

from __future__ import annotations

import pytest

from celeriac import __version__
from cli.quick import Quick
from cli.terminal import Terminal

LOADED = """
    from celeriac import Celery

    app = Celery("loaded")
"""
LOADER = """
    from celeriac.app.borrowed.loading import Loader


    class Mine(Loader):
        def read_configuration(self, env="CELERY_CONFIG_MODULE"):
            return {"task_default_queue": "from-loader"}
"""
ENVIRONMENT = """
    import os
    from celeriac import Celery

    app = Celery("environment")
    print(os.environ.get("CELERY_SKIP_CHECKS"))
"""


def test_without_a_command_the_help_is_printed(quick: Quick) -> None:
    ran = quick.celeriac(bare=True)

    assert ran.code == 0
    assert ran.out.startswith("Usage: celeriac")


def test_the_version_is_printed(quick: Quick) -> None:
    ran = quick.celeriac("--version", bare=True)

    assert (ran.code, ran.out) == (0, f"celeriac {__version__}\n")


def test_a_loader_says_where_the_settings_are(terminal: Terminal) -> None:
    terminal.write("loaded.py", LOADED)
    terminal.write("mine.py", LOADER)

    ran = terminal.celeriac("--loader", "mine:Mine", "-A", "loaded", "list", "queues", "--json")

    assert list(ran.json["queues"]) == ["from-loader"], ran.err


def test_a_loader_of_an_app_that_names_its_own_is_told_to_have_no_effect(terminal: Terminal) -> None:
    terminal.write("loaded.py", LOADED.replace('"loaded"', '"loaded", loader="default"'))
    terminal.write("mine.py", LOADER)

    ran = terminal.celeriac("--loader", "mine:Mine", "-A", "loaded", "list", "queues", "--json")

    assert list(ran.json["queues"]) == ["celery"]
    assert ran.err == "--loader mine:Mine has no effect: the app names its own loader\n"


@pytest.mark.parametrize(("words", "variables"), [(("--skip-checks",), {}), ((), {"SKIP_CHECKS": "yes please"})])
def test_whoever_checks_a_project_before_a_command_is_told_not_to(
    terminal: Terminal, words: tuple[str, ...], variables: dict[str, str]
) -> None:
    terminal.write("environment.py", ENVIRONMENT)
    terminal.variables.update(variables)

    ran = terminal.celeriac(*words, "-A", "environment", "list", "tasks")

    assert ran.out == "true\n"


def test_the_folder_is_changed_before_the_app_is_looked_for(terminal: Terminal) -> None:
    terminal.write("below/there.py", LOADED)

    ran = terminal.celeriac("--workdir", "below", "-A", "there", "list", "queues", "--json")

    assert ran.json["queues"] == {"celery": 0}, ran.err


@pytest.mark.parametrize("value", ["1", "anything at all"])
def test_no_color_may_be_set_to_anything(quick: Quick, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("NO_COLOR", value)

    ran = quick.celeriac("list", "tasks")

    assert (ran.code, ran.out) == (0, "quick.add\n")


@pytest.mark.parametrize("option", ["-A", "--app", "--broker", "--result-backend", "--workdir"])
def test_an_option_behind_the_command_is_told_where_it_stands(quick: Quick, option: str) -> None:
    ran = quick.celeriac("worker", option, "shop", bare=True)

    assert (ran.code, ran.err) == (2, f"celeriac: {option} stands before the command: celeriac {option} ... worker\n")


def test_in_a_group_the_whole_command_is_named(quick: Quick) -> None:
    ran = quick.celeriac("dlq", "list", "-A", "shop", bare=True)

    assert ran.err == "celeriac: -A stands before the command: celeriac -A ... dlq list\n"
