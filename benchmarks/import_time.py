"""How long ``import celeriac`` takes, and a command's way to its own first line: medians of fresh interpreters.

    python benchmarks/import_time.py

A bare interpreter is measured beside them and taken off. No test: a time depends on the machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 15
STATEMENTS = {
    "import celeriac": "import celeriac",
    "the command line": "import celeriac.cli.main",
    "the worker command": "import celeriac.cli.worker",
}


def seconds(statement: str) -> float:
    """Return the median time of a fresh interpreter that runs the statement."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Print one line for each statement."""
    seconds("import celeriac.cli.main")  # once unmeasured: compiles what is new
    bare = seconds("pass")
    for name, statement in STATEMENTS.items():
        print(f"{name:20} {(seconds(statement) - bare) * 1000:6.1f} ms")


if __name__ == "__main__":
    main()
