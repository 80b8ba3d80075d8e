"""The benchmarks that the documentation names run: what nobody runs breaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize(
    ("script", "words", "told"),
    [
        ("hot_paths.py", ["-n", "3"], "send and run 3 tasks"),
        ("sqlite_store.py", ["--messages", "200", "--workers", "1"], "messages"),
        ("large_groups.py", ["sqlite:///{folder}/b.db", "-n", "30"], "group"),
    ],
)
def test_a_benchmark_runs_and_says_what_it_found(script: str, words: list[str], told: str, tmp_path: Path) -> None:
    words = [word.format(folder=tmp_path) for word in words]

    ran = subprocess.run(
        [sys.executable, BENCHMARKS / script, *words], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )

    assert (ran.returncode, "Traceback" in ran.stderr) == (0, False), ran.stderr
    assert told in ran.stdout
