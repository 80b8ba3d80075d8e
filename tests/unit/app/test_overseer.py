"""What is told to whoever started the program."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Semaphore

import pytest

from celeriac.app.overseer import READY_VARIABLE, Overseer, forget_overseer


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(path)
        ear.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        yield ear


def told(ear: socket.socket) -> dict[str, str]:
    return dict(line.split("=", 1) for line in ear.recv(4096).decode().splitlines())


def test_systemd_is_told_of_a_start_a_restart_and_an_end(manager: socket.socket) -> None:
    overseer = Overseer()

    overseer.ready("here")
    overseer.reloading("again")
    overseer.stopping("gone")
    ready, again, gone = told(manager), told(manager), told(manager)

    assert (ready["READY"], ready["MAINPID"], ready["STATUS"]) == ("1", str(os.getpid()), "here")
    assert (again["RELOADING"], again["MONOTONIC_USEC"].isdigit()) == ("1", True)
    assert gone["STOPPING"] == "1"


def test_the_watchdog_hears_a_program_that_lives(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    overseer = Overseer()

    overseer.watch(lambda: True)
    beats = [told(manager) for _ in range(3)]
    overseer.close()

    assert beats == [{"WATCHDOG": "1"}] * 3


def test_the_watchdog_does_not_hear_one_that_is_stuck(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    overseer, asked = Overseer(), Semaphore(0)

    def lives() -> bool:
        asked.release()
        return False

    overseer.watch(lives)
    for _ in range(3):
        asked.acquire(timeout=5)
    overseer.close()
    manager.setblocking(False)

    with pytest.raises(BlockingIOError):
        manager.recv(100)


def test_a_manager_that_is_gone_keeps_nobody_from_working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    overseer = Overseer()

    overseer.ready("here")


def test_whoever_waits_on_a_pipe_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    heard, said = os.pipe()
    monkeypatch.setenv(READY_VARIABLE, str(said))
    overseer = Overseer()

    overseer.ready("here")
    overseer.ready("again")

    assert os.read(heard, 10) == b"1"
    assert READY_VARIABLE not in os.environ
    os.close(heard)


def test_children_do_not_speak_for_the_program(manager: socket.socket) -> None:
    forget_overseer()

    assert "NOTIFY_SOCKET" not in os.environ
