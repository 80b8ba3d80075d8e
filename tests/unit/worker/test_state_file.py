"""Which tasks are revoked outlives a node in a file, if that is wanted."""

from __future__ import annotations

import os
import shelve
import stat
from pathlib import Path

import pytest

from celeriac.core.errors import ImproperlyConfigured
from celeriac.worker.state_file import Remembered, StateFile


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "worker.state"

    StateFile(str(file)).write(frozenset({"b", "a"}), 7)

    assert StateFile(str(file)).read() == Remembered(["a", "b"], 7)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_not_there_yet_remembers_nothing(tmp_path: Path) -> None:
    assert StateFile(str(tmp_path / "none")).read() == Remembered()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"revoked": 1}', b'{"revoked": [1]}', b"\x80\x04."])
def test_a_file_of_another_program_is_refused_and_kept(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "state"
    file.write_bytes(data)

    with pytest.raises(ImproperlyConfigured, match="not a state file"):
        StateFile(str(file)).read()

    assert file.read_bytes() == data


def test_a_shelf_of_celery_is_not_opened(tmp_path: Path) -> None:
    with shelve.open(str(tmp_path / "celery")) as shelf:
        shelf["zrevoked"] = b"x"

    for file in tmp_path.iterdir():
        with pytest.raises(ImproperlyConfigured, match="not a state file"):
            StateFile(str(file)).read()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"revoked": ["a"]}')
    os.symlink(tmp_path / "secret", tmp_path / "state")

    with pytest.raises(ImproperlyConfigured, match="cannot read"):
        StateFile(str(tmp_path / "state")).read()


def test_a_folder_that_is_not_there_costs_the_file_and_not_the_node(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    StateFile(str(tmp_path / "no" / "state")).write(["a"], 1)

    assert "cannot be written" in caplog.text
