"""What a shell offers while a command is typed."""

from __future__ import annotations

import os
import shlex
import sys

import pytest

from celeriac import Celery
from cli.quick import Quick
from cli.terminal import Terminal

QUEUES = """
    from celeriac import Celery

    print("noise while the app is imported")
    app = Celery("queues", task_queues=["fast", "feeds", "slow"])


    @app.task
    def fetch() -> None: ...
"""


def offered(terminal: Terminal, *words: str) -> list[str]:
    """Return what bash is offered for the last word."""
    terminal.variables.update(
        _CELERIAC_COMPLETE="bash_complete", COMP_WORDS=shlex.join(["celeriac", *words]), COMP_CWORD=str(len(words))
    )
    ran = terminal.celeriac()
    return [line.removeprefix("plain,") for line in ran.out.split()]


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        (("pu",), ["purge"]),
        (("dlq", "re"), ["replay"]),
        (("purge", "--for"), ["--force"]),
        (("-A", "queues", "call", "queues.f"), ["queues.fetch"]),
        (("-A", "queues", "purge", "-Q", "f"), ["fast", "feeds"]),
        (("-A", "queues", "purge", "-Q", "fast,s"), ["fast,slow"]),
        (("-A", "nowhere", "purge", "-Q", "f"), []),
    ],
)
def test_commands_options_tasks_and_queues_are_offered(terminal: Terminal, words: tuple[str, ...], offers: list[str]) -> None:
    terminal.write("queues.py", QUEUES)

    found = offered(terminal, *words)

    assert found == offers


@pytest.mark.parametrize("command", [("status",), ("inspect", "ping"), ("control", "shutdown")])
def test_nodes_that_are_alive_are_offered(terminal: Terminal, command: tuple[str, ...]) -> None:
    app = Celery("nodes", broker=f"sqlite:///{terminal.folder}/nodes.db", set_as_current=False)
    app.store.keep("1", name="celery@here", info={}, queues=[])

    found = offered(terminal, "-b", f"sqlite:///{terminal.folder}/nodes.db", *command, "-d", "cel")

    assert found == ["celery@here"]


def test_bash_completes_a_line_as_it_is_typed(terminal: Terminal) -> None:
    folder = terminal.folder / "bin"
    terminal.write("bin/celeriac", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m celeriac "$@"\n')
    (folder / "celeriac").chmod(0o755)
    terminal.variables["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
    script = """
        eval "$(celeriac completion bash)"
        COMP_WORDS=(celeriac -A shop call shop.); COMP_CWORD=4
        _celeriac_completion celeriac
        echo "${COMPREPLY[@]}"
    """

    ran = terminal.run(["bash", "-c", script])

    assert ran.out == "shop.add shop.fail\n", ran.err


@pytest.mark.parametrize(("shell", "line"), [("zsh", "#compdef celery"), ("fish", "complete --no-files --command celery")])
def test_other_shells_and_names_have_their_lines(quick: Quick, shell: str, line: str) -> None:
    ran = quick.celeriac("completion", shell, "--command", "celery")

    assert line in ran.out


def test_an_unknown_shell_is_told(quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")

    ran = quick.celeriac("completion")

    assert (ran.code, ran.err.startswith("celeriac: say for which shell: bash, zsh, fish")) == (2, True)
