"""What ``import celeriac`` brings into a program."""

from __future__ import annotations

import subprocess
import sys

import celeriac

STRANGERS = (
    "redis", "hiredis", "sqlite3", "click", "rich", "asyncio", "yaml", "zstandard", "brotli", "multiprocessing",
    "pydantic", "pydantic_core",
)  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after ``statement``."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True)
    return set(answer.stdout.split())


def test_importing_celeriac_loads_no_client_library_and_no_event_loop() -> None:
    before = loaded_by("pass")

    loaded = loaded_by("import celeriac") - before

    assert loaded & set(STRANGERS) == set()


def test_every_public_name_is_there() -> None:
    public: list[str] = getattr(celeriac, "__all__", [])

    missing = [name for name in public if not hasattr(celeriac, name)]

    assert missing == []


def test_every_name_that_is_at_celerys_root_for_programs_is_at_ours() -> None:
    names = {"Celery", "Signature", "Task", "bugreport", "chain", "chord", "chunks", "current_app", "current_task", "group"}
    names |= {"maybe_signature", "shared_task", "signature", "subtask", "uuid", "xmap", "xstarmap"}

    assert names <= set(celeriac.__all__)
    assert len({celeriac.uuid() for _ in range(3)}) == 3
    with celeriac.Celery("reported", broker="memory://", set_as_current=False) as app:
        assert celeriac.bugreport(app) == app.bugreport()
