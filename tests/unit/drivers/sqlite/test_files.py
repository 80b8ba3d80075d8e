"""The files are private, and what could be changed by others, or is somebody else's, is refused."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.core.errors import ImproperlyConfigured, StoreRefused
from celeriac.core.settlement import Opening
from celeriac.drivers.sqlite.opening import SCHEMA_VERSION, check_version
from celeriac.drivers.sqlite.store import SqliteStore


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: str | Path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.mark.usefixtures("no_umask")
def test_files_are_private_even_without_a_umask(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    path = folder / "celeriac.db"

    with closing(SqliteStore(str(path), runtime=SystemRuntime(), create_parents=True)) as store:
        store.store_results([])
        store.keep("node", name="node", info={}, queues=[])

        files = [path, folder / "celeriac.db-wal", folder / "celeriac.db-shm"]
        folders = [tmp_path / "new", folder, folder / "celeriac.db-bells"]
        assert [mode(file) for file in files] == [0o600] * 3
        assert [mode(folder) for folder in folders] == [0o700] * 3


def test_a_missing_folder_is_named_and_not_created(tmp_path: Path) -> None:
    folder = tmp_path / "mistyped" / "folder"
    store = SqliteStore(str(folder / "celeriac.db"), runtime=SystemRuntime())

    with pytest.raises(ImproperlyConfigured, match=f"there is no folder '{folder}'"):
        store.depth(["q"])

    assert not list(tmp_path.iterdir())


def test_a_file_that_everybody_may_write_to_is_refused(path: str) -> None:
    Path(path).touch()
    os.chmod(path, 0o666)
    store = SqliteStore(path, runtime=SystemRuntime())

    with pytest.raises(ImproperlyConfigured, match="everybody may write"):
        store.depth(["q"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_refused(path: str) -> None:
    Path(path).touch()
    os.chown(path, 12345, -1)
    store = SqliteStore(path, runtime=SystemRuntime())

    with pytest.raises(ImproperlyConfigured, match="belongs to user 12345"):
        store.depth(["q"])


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path), runtime=SystemRuntime())

    with pytest.raises(ImproperlyConfigured, match="not a file"):
        store.depth(["q"])


def test_a_file_of_something_else_is_refused_and_left_alone(path: str) -> None:
    Path(path).write_bytes(b"my diary\n" * 1000)
    os.chmod(path, 0o600)
    store = SqliteStore(path, runtime=SystemRuntime())

    with pytest.raises(StoreRefused, match=f"{path}: it is not a SQLite database"):
        store.depth(["q"])

    assert Path(path).read_bytes() == b"my diary\n" * 1000


def test_nothing_is_made_beside_a_file_of_something_else(path: str) -> None:
    Path(path).write_text("root:x:0:0:root:/root:/bin/sh\n")
    os.chmod(path, 0o600)
    store = SqliteStore(path, runtime=SystemRuntime())

    with pytest.raises(StoreRefused, match="not a SQLite database"):
        store.keep("node", name="node", info={}, queues=[])
    with pytest.raises(StoreRefused, match="not a SQLite database"):
        store.doze(0.0)

    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]


def test_the_database_of_another_program_is_refused(path: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE customer (name)")
    os.chmod(path, 0o600)
    store = SqliteStore(path, runtime=SystemRuntime())

    with pytest.raises(ImproperlyConfigured, match="another program"):
        store.depth(["q"])


def test_tables_of_a_newer_version_are_refused(path: str, store: SqliteStore) -> None:
    store.depth(["q"])
    store.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")

    with pytest.raises(ImproperlyConfigured, match="version 99"):
        store.depth(["q"])


def test_an_unknown_way_to_commit_is_refused_at_once(path: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="synchronous='off'"):
        SqliteStore(path, runtime=SystemRuntime(), synchronous="off")


def test_an_old_sqlite_is_refused_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"SQLite 3\.35\.0 or newer is needed, this Python brings 3\.34\.1"):
        check_version((3, 34, 1))


def test_the_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE note (text TEXT)")
        theirs.commit()
    before = path.read_bytes()

    with pytest.raises(ImproperlyConfigured, match="another program"):
        SqliteStore(str(path), runtime=SystemRuntime()).depth(["q"])

    assert path.read_bytes() == before


def test_a_file_of_the_first_version_gets_what_is_new_and_keeps_what_it_has(path: str) -> None:
    first = resources.files("celeriac.drivers.sqlite").joinpath("schema.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"{first}; PRAGMA user_version=1; INSERT INTO result VALUES (1, 'old', 'SUCCESS', x'01', NULL);")
    store = SqliteStore(path, runtime=SystemRuntime())

    store.open_chords([Opening("c", 2, None)])
    with closing(sqlite3.connect(path)) as db:
        [[version], [kept]] = [*db.execute("PRAGMA user_version"), *db.execute("SELECT count(*) FROM result")]
    store.close()

    assert (version, kept) == (SCHEMA_VERSION, 1)
