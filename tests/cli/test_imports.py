"""A command imports what it needs: counted in modules, since seconds say more about the machine."""

from __future__ import annotations

import pytest

from cli.terminal import Terminal

COUNTED = """
    import contextlib, io, sys
    from celeriac.cli.main import run

    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        run({words!r})
    print(*sys.modules)
"""
NEVER = {"redis", "sqlite3", "asyncio", "rich", "textual", "pydantic", "yaml", "ssl", "http.client", "xml", "multiprocessing"}
MOST = 300
"""Modules that are not ours."""


@pytest.mark.parametrize("words", [("--help",), ("worker", "--help"), ("call", "--help"), ("purge", "--help"), ("dlq", "--help")])
def test_help_imports_no_driver_and_no_library_that_only_some_commands_need(terminal: Terminal, words: tuple[str, ...]) -> None:
    ran = terminal.python(COUNTED.format(words=list(words)))

    names = ran.out.split()
    assert NEVER.isdisjoint(names), ran.err
    assert len([name for name in names if not name.startswith("celeriac.")]) < MOST


def test_one_command_imports_no_other(terminal: Terminal) -> None:
    ran = terminal.python(COUNTED.format(words=["purge", "--help"]))

    commands = {name for name in ran.out.split() if name.startswith("celeriac.cli.")}
    others = {f"celeriac.cli.{name}" for name in ("worker", "call", "result", "graph", "dlq", "shell", "shim", "report")}
    assert "celeriac.cli.purge" in commands
    assert commands.isdisjoint(others)
