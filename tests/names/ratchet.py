"""Compare the shim with the inventory of Celery's names, and keep the list of what is not there yet.

    make names      writes missing.txt and the table in docs/shim.md anew

The inventory and its ``check.py`` lie beside the project, and are not part of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent.parent
CHECK: Final = ROOT.parent / "shared" / "parity" / "check.py"
MISSING: Final = Path(__file__).parent / "missing.txt"
PAGE: Final = ROOT / "docs" / "shim.md"
PARTS: Final = ("settings", "task_options", "signals", "api")
TIER: Final = 2
BEGIN: Final = "<!-- figures: written by tests/names/ratchet.py -->"
END: Final = "<!-- end of figures -->"

AREAS: Final[dict[str, tuple[str, ...]]] = {
    "workers as objects": (
        "celery.worker", "celery.bootsteps", "celery.concurrency", "celery.apps", "celery.app.base.Celery.Work",
        "celery.utils.timer2", "celery.utils.debug", "celery.utils.threads.bg", "celery.messaging", "worker_", "eventlet_",
        "celery.app.trace", "celery.platforms",
    ),
    "events": ("celery.events", "celery.app.events", "celery.app.base.Celery.events", "event_"),
    "remote control": ("celery.app.control", "celery.app.base.Celery.control", "control_", "revoke", "terminate"),
    "periodic tasks": ("celery.beat", "celery.schedules", "celery.app.base.Celery.Beat", "beat_", "celerybeat"),
    "workflows": (
        "celery.canvas", "celery.chain", "celery.chord", "celery.group", "Stamping", "Signature.freeze", "Signature.stamp",
        "Signature.election", "chain", "chord", "group", "chunks", "xmap", "xstarmap", "stamp",
    ),
    "brokers and result stores": ("celery.backends", "celery.app.backends"),
    "testing": ("celery.contrib.testing", "celery.contrib.pytest"),
    "integrations": ("celery.contrib", "celery.fixups", "celery.loaders"),
    "security": ("celery.security", "security_"),
    "command line": ("celery.bin",),
    "small works": ("celery.utils", "celery.local"),
    "app, tasks and results": ("",),
}  # fmt: skip
"""What will bring it -> how the names begin; the first that fits."""


def problems(part: str) -> list[dict[str, Any]]:
    """Return the rows of one part of the inventory that are missing or differ, and the part's figures as the first."""
    path = os.pathsep.join([str(ROOT / "shim" / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, str(CHECK), "celery", "--only", part, "--tier", str(TIER), "--json"]
    answer = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(answer.stdout)["files"][part]
    assert told["error"] is None, f"the inventory could not be read to its end: {told['error']}"
    return [told, *told["problems"]]


def lines(part: str, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield one line for each row; what is inside of something that is missing goes without saying."""
    whole: list[str] = []
    for row in rows:
        inside = any(row["id"].startswith(f"{name}.") for name in whole)
        if row["status"] == "missing" and row["section"] in {"module", "class"}:
            whole.append(row["id"])
        if not inside:
            yield f"{part} {row['section']}: {row['id']} {row['status']}"


def area(line: str) -> str:
    """Return what will bring it."""
    kind, _, name = line.partition(": ")
    if kind.endswith(("broker transport", "result store alias")):
        return "brokers and result stores"
    return next(area for area, starts in AREAS.items() if any(name.startswith(start) for start in starts))


def read_missing() -> set[str]:
    """Return the lines of the list."""
    return {line for line in MISSING.read_text().splitlines() if line and not line.startswith("#")}


def table(told: dict[str, list[dict[str, Any]]], missing: Iterable[str]) -> str:
    """Return the figures as they stand in the page."""
    rows = ["| what | used by programs | used by third parties |", "|---|---|---|"]
    for part, [figures, *_] in told.items():
        cells = [f"{present} of {all}" for present, all in (figures["by_tier"][tier] for tier in ("1", "2"))]
        rows.append(f"| {part.replace('_', ' ')} | {' | '.join(cells)} |")
    counts = Counter(area(line) for line in missing)
    rows += ["", "| not there yet, or otherwise | names |", "|---|---|"]
    rows += [f"| {name} | {counts[name]} |" for name in AREAS if counts[name]]
    return "\n".join(rows)


def write() -> None:
    """Write list and table."""
    told = {part: problems(part) for part in PARTS}
    found = [line for part, rows in told.items() for line in lines(part, rows[1:])]
    text = [f"# Names of Celery that the shim has not yet, or has otherwise. Written by {Path(__file__).name}."]
    for name in AREAS:
        if inside := sorted(line for line in found if area(line) == name):
            text += ["", f"# {name}", *inside]
    MISSING.write_text("\n".join(text) + "\n")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(told, found)}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    write()
