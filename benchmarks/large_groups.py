"""Large groups and chords from the caller's side.

Run it: `.venv/bin/python benchmarks/large_groups.py redis://127.0.0.1:6379/12 -n 1000000`.

Starts a worker (two children), sends a group and a chord over a generator, joins them, and prints for each step the seconds and
how much the memory of the caller (VmHWM) has grown. `--send` sends only, to nobody: start it on an empty database.
`--list` gives the members as a list. The database is emptied before and after.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from celeriac import Celery, chord, group

URL = os.environ.get("LARGE_GROUPS_URL", "redis://127.0.0.1:6379/12")
app = Celery("large_groups", broker=URL, backend=URL)


@app.task
def same(x: int) -> int:
    return x


@app.task
def total(values: list[int]) -> int:
    return sum(values)


def peak_mib() -> float:
    """Return the highest resident memory of this process since it was last asked for, and begin anew."""
    status = Path("/proc/self/status").read_text()
    Path("/proc/self/clear_refs").write_text("5")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def measured(name: str, step: Callable[[], Any]) -> Any:
    peak_mib()
    before, began = peak_mib(), time.perf_counter()
    found = step()
    print(f"{name:<12}{time.perf_counter() - began:9.2f} s{peak_mib() - before:+9.1f} MiB", flush=True)
    return found


def run(count: int, *, as_list: bool, send_only: bool) -> None:
    def members() -> Any:
        made: Iterator[Any] = (same.s(number) for number in range(count))
        return list(made) if as_list else made

    same.delay(1).get(timeout=60) if not send_only else same.s(1).clone()
    results = measured("group sent", lambda: group(members()).delay())
    if send_only:
        return
    values = measured("joined", results.get)
    assert values == list(range(count)), "wrong values"
    del values
    assert measured("counted", results.completed_count) == count
    measured("forgotten", results.forget)
    result = measured("chord sent", lambda: chord(members())(total.s()))
    assert measured("joined", result.get) == sum(range(count)), "wrong sum"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("url", nargs="?", default=URL)
    arguments.add_argument("-n", type=int, default=10_000, dest="count")
    arguments.add_argument("--list", action="store_true", dest="as_list")
    arguments.add_argument("--send", action="store_true", dest="send_only")
    said = arguments.parse_args()
    environ = {**os.environ, "LARGE_GROUPS_URL": said.url}
    if said.url != URL:
        sys.exit(subprocess.run([sys.executable, *sys.argv], env=environ, check=False).returncode)
    app.store.purge(["celery"])
    command = [sys.executable, "-m", "celeriac", "-A", "large_groups", "worker", "-c", "2", "-l", "WARNING"]
    worker = None if said.send_only else subprocess.Popen(command, cwd=Path(__file__).parent, env=environ)
    try:
        run(said.count, as_list=said.as_list, send_only=said.send_only)
    finally:
        if worker is not None:
            worker.terminate()
            worker.wait(30)
        app.store.purge(["celery"])


if __name__ == "__main__":
    main()
