"""A Redis server of a test's own: it can be killed and started again, and keeps what it acknowledged."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from pathlib import Path

from system.patience import eventually

PROGRAM = shutil.which("redis-server")
_START_S = 15.0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """A server with its data in ``folder``; every write is on disk before it is answered."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again; return when it answers."""
        assert PROGRAM is not None
        words = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(self._folder), "save": "", "appendonly": "yes"}
        words["appendfsync"] = "always"
        command = [PROGRAM, *(word for name, value in words.items() for word in (f"--{name}", value))]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        eventually(self._answers, within_s=_START_S, what="the Redis server answers")

    def kill(self) -> None:
        """End it as a power failure would end it, but for the disk."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an administrator does."""
        self._end(signal.SIGTERM)

    def forget(self) -> None:
        """Lose what is on the disk of a server that does not run."""
        shutil.rmtree(self._folder / "appendonlydir", ignore_errors=True)
        (self._folder / "appendonly.aof").unlink(missing_ok=True)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_START_S)
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
