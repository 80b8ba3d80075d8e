"""Options that a program adds to commands."""

from __future__ import annotations

import click
import pytest

from cli.quick import Quick
from cli.terminal import Terminal

ADDING = """
    import click
    from celeriac import Celery, signals

    app = Celery("adding", broker="redis://127.0.0.1:1/0", broker_connection_retry_on_startup=False)
    app.user_options["worker"].add(click.Option(["--enable-extra"], is_flag=True, help="Enable the extra."))
    app.user_options["preload"].add(click.Option(["-Z", "--template"], default="plain", help="Configuration template."))


    @signals.user_preload_options.connect
    def preloaded(app, options, **kwargs):
        print("PRELOADED", app.main, options, flush=True)
        if options["template"] == "none":
            raise SystemExit(9)


    @signals.celeryd_init.connect
    def named(options, **kwargs):
        print("WORKER", options["enable_extra"], options["concurrency"], flush=True)
"""
WRONG = """
    from celeriac import Celery

    app = Celery("wrong")
    app.user_options["preload"].add("--template")
"""


def test_options_of_the_program_are_in_the_help_of_its_commands(terminal: Terminal) -> None:
    terminal.write("adding.py", ADDING)

    of_worker, of_status = (terminal.celeriac("-A", "adding", name, "--help") for name in ("worker", "status"))

    assert ("Enable the extra." in of_worker.out, "Configuration template." in of_worker.out) == (True, True)
    assert ("Enable the extra." in of_status.out, "Configuration template." in of_status.out) == (False, True)


@pytest.mark.parametrize(
    "words", [("list", "tasks"), ("dlq", "list"), ("queue", "list"), ("amqp", "queue.declare"), ("explain",)]
)
def test_those_of_every_command_are_those_of_the_commands_in_groups_too(quick: Quick, words: tuple[str, ...]) -> None:
    quick.app.user_options["preload"].add(click.Option(["-Z", "--template"], help="Configuration template."))

    ran = quick.celeriac(*words, "--help")

    assert "Configuration template." in ran.out


def test_what_they_were_given_is_told_by_signal(terminal: Terminal) -> None:
    terminal.write("adding.py", ADDING)

    ran = terminal.celeriac("-A", "adding", "worker", "-c", "3", "--enable-extra", "-Z", "fancy")

    assert ran.out.splitlines()[:2] == ["PRELOADED adding {'template': 'fancy'}", "WORKER True 3"]


def test_a_receiver_may_end_the_program(terminal: Terminal) -> None:
    terminal.write("adding.py", ADDING)

    ran = terminal.celeriac("-A", "adding", "status", "-Z", "none")

    assert (ran.code, ran.out) == (9, "PRELOADED adding {'template': 'none'}\n")


def test_without_such_options_nothing_is_told(terminal: Terminal) -> None:
    terminal.write("adding.py", ADDING.replace('app.user_options["preload"]', "set()"))

    ran = terminal.celeriac("-A", "adding", "worker")

    assert "PRELOADED" not in ran.out
    assert "WORKER False None" in ran.out


def test_what_is_no_option_is_named(terminal: Terminal) -> None:
    terminal.write("wrong.py", WRONG)

    ran = terminal.celeriac("-A", "wrong", "status")

    assert ran.code == 2
    assert "app.user_options['preload'] holds '--template', which is no click.Option" in ran.err
