"""What a type checker says of users' programs."""

from __future__ import annotations

import re
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
    out, err, _ = api.run(arguments)
    assert err == ""
    return str(out)


@pytest.mark.timeout(300)
def test_programs_that_are_right_are_found_right(cache: Path) -> None:
    assert check("good.py", cache) == ""


@pytest.mark.timeout(300)
def test_a_wrong_argument_is_found_where_it_is_written(cache: Path) -> None:
    lines = (SNIPPETS / "bad.txt").read_text().splitlines()
    expected = {(n, kind) for n, line in enumerate(lines, 1) if (m := EXPECTED.search(line)) for kind in m[1].split(", ")}

    out = check("bad.txt", cache)

    reported = {(int(m[1]), m[2]) for line in out.splitlines() if (m := REPORTED.match(line))}
    assert reported == expected, out
