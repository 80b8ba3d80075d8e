"""Redis servers configured as people run them, and certificates for those that talk TLS. They keep nothing."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from system.patience import eventually
from system.redis_server import PROGRAM, free_port

redis = pytest.importorskip("redis")

from redis.backoff import NoBackoff  # noqa: E402 - redis may be absent
from redis.retry import Retry  # noqa: E402


class Server:
    """A server that keeps nothing, configured by a file."""

    def __init__(self, folder: Path, *lines: str, sentinel: bool = False) -> None:
        folder.mkdir()
        self.folder = folder
        config = folder / "redis.conf"
        config.write_text("\n".join([f'dir "{folder}"', "bind 127.0.0.1", *([] if sentinel else ['save ""']), *lines, ""]))
        with (folder / "redis.log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(PROGRAM), str(config), *(["--sentinel"] if sentinel else [])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def alive(self) -> bool:
        """Say whether it runs; it ends at once when it cannot have what it was told."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it without a goodbye."""
        self._process.kill()
        self._process.wait(10)


class Servers:
    """What a test has started."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._servers = folder, list[Server]()

    def start(self, *lines: str, sentinel: bool = False) -> Server:
        """Start one; it may not listen yet."""
        server = Server(self._folder / f"server-{len(self._servers)}", *lines, sentinel=sentinel)
        self._servers.append(server)
        return server

    def plain(self, *lines: str) -> tuple[Server, int]:
        """Start one on a free port and wait until it answers, if only to refuse."""
        port = free_port()
        server = self.start(f"port {port}", *lines)
        wait_for(port=port)
        return server, port

    def end(self) -> None:
        """End them all."""
        for server in self._servers:
            server.kill()


def wait_for(**where: Any) -> None:
    """Wait until the server there answers, if only to refuse."""

    def answers() -> bool:
        with closing(redis.Redis(**where, retry=Retry(NoBackoff(), 0))) as client:
            try:
                return bool(client.ping())
            except redis.AuthenticationError:
                return True
            except redis.ConnectionError:
                return False

    eventually(answers, what="the server answers")


class Authority:
    """A self-made certificate authority, and a certificate of it for 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.ca, self.key, self.certificate = folder / "ca.pem", folder / "key.pem", folder / "cert.pem"
        ca_key, request, names = folder / "ca.key", folder / "request.pem", folder / "names"
        names.write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        openssl("req", "-x509", *new_key, "-keyout", ca_key, "-out", self.ca, "-days", "2", "-subj", "/CN=shop", *usage)
        openssl("req", *new_key, "-keyout", self.key, "-out", request, "-subj", "/CN=127.0.0.1")
        signing = ("-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-extfile", names)
        openssl("x509", "-req", "-in", request, *signing, "-out", self.certificate, "-days", "2")


def openssl(*words: object) -> None:
    """Run one command of openssl."""
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=20)
