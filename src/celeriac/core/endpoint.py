"""The address of an endpoint, as people write it: ``unix:/run/shop.sock`` or ``host:port``. Pure."""

from __future__ import annotations

from msgspec import Struct

from celeriac.core.errors import ImproperlyConfigured


class UnixAddress(Struct, frozen=True):
    """A socket in the file system."""

    path: str


class TcpAddress(Struct, frozen=True):
    """A port."""

    host: str
    port: int


Address = UnixAddress | TcpAddress


def parse_address(text: str) -> Address:
    """Read ``unix:/path``, ``host:port``, ``[::1]:port``, or ``:port`` for this machine alone.

    Raises:
        ImproperlyConfigured: it is none of them.

    Example:
        >>> parse_address(":8080")
        TcpAddress(host='127.0.0.1', port=8080)
    """
    kind, _, path = text.partition(":")
    if kind == "unix" and path:
        return UnixAddress(path)
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535 or kind == "unix":
        raise ImproperlyConfigured(f"{text!r} is no address: write unix:/path, host:port, or :port for this machine alone")
    return TcpAddress(host.strip("[]") or "127.0.0.1", int(port))
