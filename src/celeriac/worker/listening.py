"""Listen at an address; make way for a socket file that a dead program left behind.

In a node's life: when its health endpoint opens and closes. Does not know: what is said there.
"""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress

from celeriac.core.endpoint import Address, TcpAddress
from celeriac.core.errors import ImproperlyConfigured

_WAITING = 64


def open_listener(address: Address) -> socket.socket:
    """Listen there; a socket file is for this user alone.

    Raises:
        ImproperlyConfigured: the address is not to be had.
    """
    try:
        if isinstance(address, TcpAddress):
            family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
            return socket.create_server((address.host, address.port), family=family, backlog=_WAITING)
        _clear(address.path)
        return _listening(address.path)
    except OSError as error:
        raise ImproperlyConfigured(f"the health endpoint cannot listen at {shown(address)}: {error.strerror or error}") from error


def _listening(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(path)
        listener.listen(_WAITING)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def remove_listener(address: Address) -> None:
    """Take a socket file away."""
    if not isinstance(address, TcpAddress):
        with suppress(FileNotFoundError):
            os.unlink(address.path)


def shown(address: Address) -> str:
    """Return the address as people write it."""
    return f"{address.host}:{address.port}" if isinstance(address, TcpAddress) else f"unix:{address.path}"


def _clear(path: str) -> None:
    """Remove a socket at which nobody listens; anything else is not ours to remove."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return  # binding says what is wrong
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
