"""What type checkers, mypy and pyright, say of users' programs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api")

HERE = Path(__file__).parent
SNIPPETS = HERE / "snippets"
EXPECTED = re.compile(r"# expect: (.+)$")
REPORTED = re.compile(r"^[^:]+:(\d+): error: .*\[([a-z-]+)\]$")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


def check(name: str, cache: Path) -> str:
    """Return what mypy says of a snippet."""
    arguments = [
        "--strict",
        "--no-error-summary",
        "--hide-error-context",
        f"--cache-dir={cache}",
        "--config-file=",
        str(SNIPPETS / name),
    ]
    recursion = sys.getrecursionlimit()
    try:
        out, err, _ = api.run(arguments)
    finally:
        sys.setrecursionlimit(recursion)  # mypy raises it, for the whole process
    assert err == ""
    return str(out)


def check_with_pyright(name: str, folder: Path) -> list[tuple[int, str]]:
    """Return the errors that pyright finds in a snippet: line and text."""
    pytest.importorskip("pyright")
    program = folder / "program.py"
    program.write_text((SNIPPETS / name).read_text())
    # A newer release is no business of this test, and asking for one needs the network.
    environment = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(program)]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    found = json.loads(answer.stdout)["generalDiagnostics"]
    return [(one["range"]["start"]["line"] + 1, one["message"]) for one in found if one["severity"] == "error"]


def expectations(name: str) -> dict[int, set[str]]:
    """Return the lines of a snippet that say which errors they expect of mypy."""
    lines = (SNIPPETS / name).read_text().splitlines()
    return {number: set(m[1].split(", ")) for number, line in enumerate(lines, 1) if (m := EXPECTED.search(line))}


@pytest.mark.timeout(300)
def test_programs_that_are_right_are_found_right(cache: Path) -> None:
    assert check("good.py", cache) == ""


@pytest.mark.timeout(300)
def test_a_wrong_argument_is_found_where_it_is_written(cache: Path) -> None:
    expected = {(line, kind) for line, kinds in expectations("bad.txt").items() for kind in kinds}

    out = check("bad.txt", cache)

    reported = {(int(m[1]), m[2]) for line in out.splitlines() if (m := REPORTED.match(line))}
    assert reported == expected, out


@pytest.mark.timeout(300)
def test_pyright_finds_programs_right_that_are_right(tmp_path: Path) -> None:
    assert check_with_pyright("good.py", tmp_path) == []


@pytest.mark.timeout(300)
def test_pyright_finds_a_wrong_argument_where_it_is_written(tmp_path: Path) -> None:
    found = check_with_pyright("bad.txt", tmp_path)

    assert {line for line, _ in found} == set(expectations("bad.txt")), found
