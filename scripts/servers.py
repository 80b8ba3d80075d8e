"""Start the servers that the tests need, run a command beside them, stop them again.

    python scripts/servers.py [--fast] [--each N] COMMAND [ARGUMENT ...]

``--fast``: keep nothing on disk, for benchmarks; the tests need what a restarted server remembers.
``--each N``: N servers of each kind, their addresses in one variable, divided by spaces: one for each process of the tests.
Each server runs on a free port of its own, with its data in a temporary folder, and its address goes into the
command's environment. An address that is already in the environment is used as it is, and nothing is started for it.
What is absent is installed with apt when that is allowed. Exits as the command does. Standard library only.

Another server is another class like ``Redis`` in ``SERVERS``.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

START_S = 20.0
STOP_S = 10.0


class Server(Protocol):
    """One kind of server."""

    variable: str
    """Environment variable that tells the tests its address."""
    program: str
    package: str
    """Debian package that has the program."""

    def command(self, port: int, folder: Path, *, fast: bool) -> Sequence[str]:
        """Return the command that runs it in the foreground."""

    def url(self, port: int) -> str:
        """Return its address."""

    def ready(self, port: int) -> bool:
        """Say whether it answers."""


class Redis:
    """Redis, with the append-only file on unless it must be fast."""

    variable = "CELERIAC_TEST_REDIS"
    program = "redis-server"
    package = "redis-server"

    def command(self, port: int, folder: Path, *, fast: bool) -> Sequence[str]:
        options = {"port": port, "bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "no" if fast else "yes"}
        return [self.program, *(word for name, value in options.items() for word in (f"--{name}", str(value)))]

    def url(self, port: int) -> str:
        return f"redis://127.0.0.1:{port}/0"

    def ready(self, port: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


SERVERS: Sequence[Server] = (Redis(),)


def install(server: Server) -> None:
    """Install the server's Debian package if its program is absent."""
    if shutil.which(server.program):
        return
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get") or (root and not shutil.which("sudo")):
        sys.exit(f"{server.program} is not installed, and cannot be installed here: set {server.variable} or install it")
    print(f"installing {server.package}", flush=True)
    # RUNLEVEL=1 keeps the package from starting a server of its own.
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "-q", "-y"]
    for arguments in (["update"], ["install", "--no-install-recommends", server.package]):
        done = subprocess.run([*apt, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"apt-get {arguments[0]} failed: set {server.variable} or install {server.package}\n{done.stderr}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that we started, by force if it does not listen."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running(server: Server, *, fast: bool) -> Iterator[str]:
    """Run the server, give its address, stop it and remove its data."""
    install(server)
    with tempfile.TemporaryDirectory(prefix="celeriac-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        with (folder / "log").open("wb") as log:
            # A session of its own: Ctrl-C reaches the tests first, and they still need it to clean up.
            process = subprocess.Popen(
                server.command(port, folder, fast=fast),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + START_S
            while not server.ready(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"{server.program} did not start:\n{(folder / 'log').read_text(errors='replace')}")
                time.sleep(0.05)
            yield server.url(port)
        finally:
            stop(process)


def run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run the command, hand it the signals that end us, return its exit code."""
    process = subprocess.Popen(command, env=environment)

    def pass_on(signum: int, _frame: object) -> None:
        process.send_signal(signum)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGHUP, pass_on)
    # The terminal sends Ctrl-C to the command too; we only wait for its end.
    signal.signal(signal.SIGINT, lambda *_: None)
    code = process.wait()
    return 128 - code if code < 0 else code


def interrupted(signum: int, _frame: object) -> None:
    """Leave through every ``finally``."""
    sys.exit(128 + signum)


def main() -> int:
    """Run the command of the command line beside its servers."""
    command = sys.argv[1:]
    if fast := command[:1] == ["--fast"]:
        del command[0]
    each = 1
    if command[:1] == ["--each"] and command[1:2] and command[1].isdecimal():
        each = int(command[1])
        del command[:2]
    if not command:
        sys.exit(__doc__)
    for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(signum, interrupted)
    environment = dict(os.environ)
    with ExitStack() as stack:
        for server in SERVERS:
            if not environment.get(server.variable):
                urls = [stack.enter_context(running(server, fast=fast)) for _ in range(each)]
                environment[server.variable] = " ".join(urls)
        return run(command, environment)


if __name__ == "__main__":
    sys.exit(main())
