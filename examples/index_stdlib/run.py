"""Index the standard library of the running Python: one task a file, on the embedded store.

Starts a worker on a database of its own, sends one task for each file in one call, adds up the results as they
arrive, and stops the worker, whatever happens. ``make demo`` runs it.
"""

from __future__ import annotations

import os
import signal
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from beside import WorkerEnded, worker
from celeriac import group

PATIENCE_S = 600.0
TOP = 12


def source_files(root: Path) -> list[Path]:
    """Return the library's own files, without what was installed beside it."""
    return sorted(path for path in root.rglob("*.py") if not {"site-packages", "dist-packages"} & set(path.parts))


def module_of(path: str, root: Path) -> str:
    """Return the package, or the module, that a file belongs to."""
    return Path(path).relative_to(root).parts[0].removesuffix(".py")


def table(lines: Counter[str], functions: Counter[str], classes: Counter[str]) -> Table:
    """Show the largest packages."""
    shown = Table(title=f"the {TOP} largest of {len(lines):,} packages and modules")
    shown.add_column("name")
    for heading in ("lines", "functions", "classes"):
        shown.add_column(heading, justify="right")
    for name, count in lines.most_common(TOP):
        shown.add_row(name, f"{count:,}", f"{functions[name]:,}", f"{classes[name]:,}")
    shown.add_section()
    shown.add_row("all", f"{lines.total():,}", f"{functions.total():,}", f"{classes.total():,}")
    return shown


def index(console: Console) -> None:
    """Send the tasks, merge what comes back, show it."""
    from tasks import index_file  # late: the app reads the environment when it is made

    root = Path(sysconfig.get_path("stdlib"))
    paths = source_files(root)
    lines, functions, classes = Counter[str](), Counter[str](), Counter[str]()
    unparsed = 0
    began = time.perf_counter()
    results = group(index_file.s(str(path)) for path in paths).apply_async()
    columns = (TextColumn("indexing {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(str(root), total=len(paths))
        for contents in results.iterate(timeout=PATIENCE_S):
            name = module_of(contents["path"], root)
            lines[name] += contents["lines"]
            functions[name] += contents["functions"]
            classes[name] += contents["classes"]
            unparsed += not contents["parsed"]
            progress.advance(bar)
    seconds = time.perf_counter() - began
    console.print(table(lines, functions, classes))
    if unparsed:
        console.print(f"{unparsed} files are not valid Python on purpose; of them only lines were counted")
    console.print(f"{len(paths):,} tasks in {seconds:.1f} s: {len(paths) / seconds:,.0f} tasks/s, each a file read and parsed")


def use_only(store: str) -> None:
    """Let the environment name this store and nothing of the user's: it would win over what the app says."""
    for name in [name for name in os.environ if name.startswith("CELERY_")]:
        del os.environ[name]
    os.environ["CELERY_BROKER_URL"] = os.environ["CELERY_RESULT_BACKEND"] = store


def main() -> int:
    """Run the example; a failure shows what the worker said."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="index-stdlib-") as folder:
        log = Path(folder) / "worker.log"
        store = f"sqlite:///{folder}/store.db"
        use_only(store)
        try:
            with worker(store, log):
                index(console)
        except (WorkerEnded, TimeoutError) as error:
            console.print(f"{type(error).__name__}: {error}; the worker said:\n{log.read_text()}", style="red", markup=False)
            return 1
        except KeyboardInterrupt:
            console.print("interrupted")
            return 130
    return 0


def leave(signum: int, _frame: object) -> None:
    """End through every ``finally``: the worker must not outlive us."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
    sys.exit(main())
