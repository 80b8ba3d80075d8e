"""Read URLs of stores: scheme, parts, what may be shown of them.

In a program's life: the registry asks which driver a URL names, logs and the banner ask for it without its secrets.
Does not know: drivers. Pure but for ``default_database``, which reads the environment that it is handed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from msgspec import Struct, structs

from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.masking import mask as mask  # read from here by whoever knows drivers

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*(?=://)")
_BARE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")


class Address(Struct, frozen=True, kw_only=True):
    """One URL, read. Percent escapes are undone."""

    scheme: str
    """In lower case: ``"redis"``."""
    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: str | None = None
    path: str = ""
    """What follows the host, without its first slash: a database, a virtual host, a file."""
    query: Mapping[str, str] = {}

    def __repr__(self) -> str:
        # Addresses end in logs and tracebacks; passwords must not.
        return f"<Address {self.scheme}://{self.host or ''}{f':{self.port}' if self.port else ''}/{self.path}>"


def scheme_of(url: str) -> str:
    """Return the scheme of ``url``, of the first one of several; a bare word such as ``redis`` is a scheme too.

    Raises:
        ImproperlyConfigured: this is no URL.
    """
    found = _SCHEME.match(url) or _BARE.fullmatch(url)
    if found is None:
        raise ImproperlyConfigured(f"{mask(url)!r} is not the URL of a store; such as 'redis://localhost:6379/0'")
    return found.group().lower()


def alternatives(url: str) -> tuple[str, ...]:
    """Split ``url`` at ``;`` into the servers to try in order. One without a scheme has that of the first."""
    first, *rest = (part.strip() for part in url.split(";") if part.strip())
    scheme = scheme_of(first)
    return (first, *(part if "://" in part else f"{scheme}://{part}" for part in rest))


def parse(url: str) -> Address:
    """Read one URL.

    Raises:
        ImproperlyConfigured: it cannot be read; the message does not show its secrets.
    """
    scheme = scheme_of(url)
    if "://" not in url:
        return Address(scheme=scheme)
    try:
        # The scheme is replaced since urlsplit treats some of them in a way of its own.
        split = urlsplit("x" + url[url.index("://") :])
        return Address(
            scheme=scheme,
            host=unquote(split.hostname) if split.hostname else None,
            port=split.port,
            user=unquote(split.username) if split.username else None,
            password=unquote(split.password) if split.password else None,
            path=unquote(split.path.removeprefix("/")),
            query=dict(parse_qsl(split.query)),
        )
    except ValueError:
        # Not the words of the library: what it takes for a port may be half of a password.
        raise ImproperlyConfigured(
            f"cannot read the URL {mask(url)!r}; in a password '/' is written as %2F, '@' as %40, '?' as %3F, ':' as %3A"
        ) from None


def same_server(one: str, other: str) -> bool:
    """Say whether two URLs name the same servers, whatever database each chooses there."""
    return _servers(one) == _servers(other)


def _servers(url: str) -> list[Address]:
    # The path of a socket names the server; of all others, a database.
    read = [parse(part) for part in alternatives(url)]
    databases = {"virtual_host", "db"}
    return [
        structs.replace(
            address,
            path=address.path if address.host is None else "",
            query={name: value for name, value in address.query.items() if name not in databases},
        )
        for address in read
    ]


def sqlite_file(url: str, environ: Mapping[str, str]) -> Path:
    """Return the file of ``sqlite:///relative.db``, ``sqlite:////absolute.db``, or, of ``sqlite://``, the default one.

    A relative file is looked up from the working folder once, here: a program that changes folder keeps its queue.

    Raises:
        ImproperlyConfigured: the URL names a host, or a database in memory.
    """
    address = parse(url)
    if address.host is not None:
        raise ImproperlyConfigured(f"{mask(url)!r} names a host; a file has three slashes: 'sqlite:///{address.host}'")
    if address.path == ":memory:":
        raise ImproperlyConfigured("a SQLite database in memory has no second process: use 'memory://' or a file")
    return Path(address.path).absolute() if address.path else default_database(environ)


def default_database(environ: Mapping[str, str]) -> Path:
    """Return the file of this user that holds queues and results when nothing is configured."""
    home = environ.get("XDG_DATA_HOME")
    folder = Path(home) if home else Path(environ.get("HOME") or Path.home()) / ".local" / "share"
    return folder / "celeriac" / "celeriac.db"


def sqlite_url(path: Path) -> str:
    """Return the URL that names this file."""
    return f"sqlite:///{quote(str(path))}"
