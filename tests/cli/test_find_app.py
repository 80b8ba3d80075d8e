"""``-A`` finds the app as Celery does, and says in one sentence why it does not."""

from __future__ import annotations

import pytest

from cli.terminal import Terminal


@pytest.mark.parametrize("spec", ["shop", "shop:app", "shop.app"])
def test_an_app_is_found_by_its_module_or_its_name(terminal: Terminal, spec: str) -> None:
    words = ("-A", spec, "list", "tasks")

    ran = terminal.celeriac(*words)

    assert ran.out.split() == ["shop.add", "shop.fail"], ran.err


def test_an_app_is_found_in_the_celery_module_of_a_package(terminal: Terminal) -> None:
    terminal.write("proj/__init__.py", "")
    terminal.write("proj/celery.py", "from celeriac import Celery\nanything = Celery('proj', include=['proj.jobs'])\n")
    terminal.write("proj/jobs.py", "from proj.celery import anything\n@anything.task\ndef run() -> None: ...\n")

    ran = terminal.celeriac("-A", "proj", "list", "tasks", "--json")

    assert ran.json == ["proj.jobs.run"], ran.err


def test_an_app_is_found_under_the_name_celery(terminal: Terminal) -> None:
    terminal.write("other.py", "from celeriac import Celery\ncelery = Celery('other')\n")

    ran = terminal.celeriac("-A", "other", "list", "tasks")

    assert (ran.code, ran.out) == (0, "")


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("shoop", "there is no module 'shoop'"),
        ("shop.nothing", "'shop' has no attribute 'nothing'"),
        ("shop:nothing", "'shop' has no attribute 'nothing'"),
        ("shop:add", "that is no app"),
        ("", "-A '': that names no module; write it as in -A shop, -A shop.tasks or -A shop:app"),
        (":", "-A ':': that names no module"),
        (":app", "-A ':app': that names no module"),
        (".shop", "-A '.shop': that names no module"),
        ("shop..app", "-A 'shop..app': that names no module"),
        ("empty", "has no app"),
        ("broken", "importing 'broken' failed with NameError: name 'nonsense' is not defined"),
        ("unparsed", "importing 'unparsed' failed with SyntaxError"),
        ("needy", "importing 'needy' failed with ModuleNotFoundError: No module named 'missing_library'"),
    ],
)
def test_a_bad_app_is_told_in_one_sentence(terminal: Terminal, spec: str, sentence: str) -> None:
    terminal.write("empty.py", "x = 1\n")
    terminal.write("broken.py", "x = nonsense\n")
    terminal.write("unparsed.py", "def f(:\n")
    terminal.write("needy.py", "import missing_library\n")

    ran = terminal.celeriac("-A", spec, "worker")

    assert sentence in ran.err
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)


def test_a_misspelt_setting_is_told_with_the_line_of_the_program_that_has_it(terminal: Terminal) -> None:
    terminal.write("set1.py", "from celeriac import Celery\napp = Celery('set1')\napp.conf.task_defaul_queue = 'x'\n")
    terminal.write("set2.py", "from celeriac import Celery\n\n\napp = Celery('set2', task_defaul_queue='x')\n")

    set_later, set_at_once = terminal.celeriac("-A", "set1", "worker"), terminal.celeriac("-A", "set2", "worker")

    assert "set1.py, line 3)" in set_later.err
    assert "set2.py, line 4)" in set_at_once.err
    assert "settings.py" not in set_later.err + set_at_once.err


def test_a_missing_module_that_include_names_is_told_in_one_sentence(terminal: Terminal) -> None:
    terminal.write("shop2.py", "from celeriac import Celery\napp = Celery('shop2', include=['shop2_absent'])\n")

    ran = terminal.celeriac("-A", "shop2", "list", "tasks")

    assert ran.err == "celeriac: include names the module 'shop2_absent': there is no module 'shop2_absent'\n"
    assert (ran.code, ran.out) == (1, "")


def test_the_traceback_is_shown_when_it_is_asked_for(terminal: Terminal) -> None:
    terminal.write("broken.py", "x = nonsense\n")

    ran = terminal.celeriac("--traceback", "-A", "broken", "worker")

    assert "Traceback" in ran.err


def test_no_app_at_all_is_told_with_what_to_type(terminal: Terminal) -> None:
    words = ("worker",)

    ran = terminal.celeriac(*words)

    assert "say which app: celeriac -A module" in ran.err
    assert ran.code == 2
