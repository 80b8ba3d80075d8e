"""The README's first screen works as printed: its example in an empty folder, and its two commands exist."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

from cli.pages import ROOT, blocks
from cli.terminal import Terminal

README = ROOT / "README.md"


def test_the_first_commands_are_targets_of_the_makefile() -> None:
    commands = re.findall(r"^make (\w+)", blocks(README, "sh")[0], re.MULTILINE)

    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert commands == ["demo", "test"]
    assert set(commands) <= targets


def test_the_example_works_as_printed(terminal: Terminal, worker: Callable[..., subprocess.Popen[str]]) -> None:
    [example] = blocks(README, "python")
    activate, work, program = blocks(README, "sh")[1].splitlines()
    terminal.write("shop.py", example)

    worker()
    ran = terminal.run(program.split())

    assert activate.startswith(". .venv/bin/activate ")
    assert work == "celeriac -A shop worker --loglevel INFO &"
    assert ran.out == "5\n", ran.err


def test_the_example_is_short() -> None:
    [example] = blocks(README, "python")

    lines = [line for line in example.splitlines() if line.strip()]

    assert len(lines) <= 15
