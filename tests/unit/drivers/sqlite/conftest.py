from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.drivers.sqlite.store import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Return the file of a database that does not exist yet."""
    return str(tmp_path / "celeriac.db")


@pytest.fixture
def store(path: str) -> Iterator[SqliteStore]:
    """Return a store on that file, with the machine's clock."""
    store = SqliteStore(path, runtime=SystemRuntime())
    yield store
    store.close()
