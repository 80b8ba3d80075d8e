"""Where the server is: a URL, several of them, or what sentinels say; and how to open a connection there.

Does not know: what is said on a connection. Source of the URL forms: Celery's and kombu's pages on Redis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import redis
import redis.connection
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from celeriac.core.errors import ImproperlyConfigured
from celeriac.drivers.url import Address, alternatives, mask, parse

SOCKET_SCHEMES = frozenset({"redis+socket", "unix"})
"""Their path is a file."""

Opener = Callable[[], redis.Connection]
"""Makes a connection that has not connected yet; it bears its own time-outs."""

CONNECT_TIMEOUT_S = 5.0
SENTINEL_TIMEOUT_S = 1.0
"""A sentinel that is silent must leave time, within the deadline of a call, to ask the next one."""

_PASSED_ON = (
    "socket_keepalive", "socket_keepalive_options", "client_name", "ssl_keyfile", "ssl_certfile", "ssl_cert_reqs",
    "ssl_ca_certs", "ssl_ca_path", "ssl_ca_data", "ssl_check_hostname", "ssl_password", "username", "password",
)  # fmt: skip
"""Transport options that redis-py's connection takes under the same name."""


_VERIFICATION = {
    "required": "required", "cert_required": "required", "2": "required",
    "optional": "optional", "cert_optional": "optional", "1": "optional",
    "none": "none", "cert_none": "none", "0": "none",
}  # fmt: skip
"""The forms in which Celery takes ``ssl_cert_reqs`` -> redis-py's."""


def openers(url: str, options: Mapping[str, Any]) -> Sequence[Opener]:
    """Return one opener for each server that ``url`` names, in order: the next is tried when one does not answer.

    Raises:
        ImproperlyConfigured: a URL or option that cannot be read, or sentinels without ``master_name``.
    """
    parts, number = alternatives(url), database(url)
    if parts[0].startswith("sentinel"):
        return [_sentinel_opener([_read(part) for part in parts], number, options)]
    return [_opener(part, number, options) for part in parts]


def database(url: str) -> int:
    """Return the number of the database that ``url`` names; 0 if none. All servers of a list are asked for the same.

    Raises:
        ImproperlyConfigured: it is not a number, or the servers of a list name several.
    """
    named = {number for part in alternatives(url) if (number := _database(_read(part))) is not None}
    if len(named) > 1:
        # A settlement that spans two databases must find them under the same numbers after a failover.
        raise ImproperlyConfigured(f"the servers of one Redis URL name several databases: {sorted(named)}; choose one")
    return named.pop() if named else 0


def _database(address: Address) -> int | None:
    text = address.query.get("virtual_host", address.query.get("db", ""))
    if not text and address.scheme not in SOCKET_SCHEMES:
        text = address.path
    text = text.strip("/")
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    # What stands behind an unescaped "/" may be half of a password.
    shown = "" if "@" in text else f", not {text!r}"
    raise ImproperlyConfigured(f"the database of a Redis URL is a number{shown}; '/' in a password is written as %2F")


def server(url: str) -> str:
    """Return what is left of ``url`` without its database: equal for two URLs of one server."""
    if "://" not in url:
        return url.partition("/")[0]  # one of a list
    address = _read(url)
    if address.scheme in SOCKET_SCHEMES:
        return f"{address.scheme}:///{address.path}"
    return f"{address.scheme}://{address.host or ''}{f':{address.port}' if address.port else ''}"


def _read(url: str) -> Address:
    try:
        return parse(url)
    except ImproperlyConfigured:
        # Not the words of whoever tried, nor the traceback: they may quote half of a password.
        raise ImproperlyConfigured(f"cannot read the Redis URL {mask(url)!r}") from None


def _common(options: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: options[name] for name in _PASSED_ON if name in options}
    # Every call sets its own read time-out; redis-py's retries would add to our deadlines.
    return {
        "socket_connect_timeout": float(options.get("socket_connect_timeout") or CONNECT_TIMEOUT_S),
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        **given,
    }


def _opener(url: str, number: int, options: Mapping[str, Any]) -> Opener:
    common = _common(options)
    try:
        parsed: dict[str, Any] = dict(redis.connection.parse_url(url.replace("redis+socket://", "unix://", 1)))
    except ValueError:
        raise ImproperlyConfigured(f"cannot read the Redis URL {mask(url)!r}") from None
    kind: type[Any] = parsed.pop("connection_class", redis.Connection)
    parsed.pop("virtual_host", None)
    if issubclass(kind, redis.UnixDomainSocketConnection):
        common.pop("socket_keepalive")
        common.pop("socket_keepalive_options", None)
    return _checked(kind, {**common, **parsed, "db": number}, mask(url))


def _checked(kind: type[Any], arguments: dict[str, Any], name: str) -> Opener:
    """Return an opener whose arguments the library is known to take: what is misspelt is told now, not at the first call."""
    arguments["ssl_cert_reqs"] = _verification(arguments.get("ssl_cert_reqs"))
    if not issubclass(kind, redis.SSLConnection):
        arguments = {name: value for name, value in arguments.items() if not name.startswith("ssl_")}
    try:
        kind(**arguments)
    except (TypeError, RedisError) as error:
        reason = str(error).rpartition("__init__() ")[2]
        raise ImproperlyConfigured(f"cannot connect to {name!r} in this way: {reason}") from None
    return lambda: kind(**arguments)


def _verification(value: object) -> str:
    """Translate the forms that Celery takes for ``ssl_cert_reqs``; certificates are verified unless the user says no."""
    if value is None or value == "":
        return "required"
    found = _VERIFICATION.get(str(getattr(value, "name", value)).lower())
    if found is None:
        raise ImproperlyConfigured(f"ssl_cert_reqs is {value!r}; it is required, optional or none")
    return found


def _sentinel_opener(sentinels: Sequence[Address], number: int, options: Mapping[str, Any]) -> Opener:
    master = options.get("master_name")
    if not master:
        raise ImproperlyConfigured("sentinel:// needs broker_transport_options = {'master_name': ...}")
    common = _common(options)
    for sentinel in reversed(sentinels):
        # The login in the URL is the master's; the first that is given counts.
        login = {"username": sentinel.user, "password": sentinel.password}
        common.update({name: value for name, value in login.items() if value is not None})
    patience = min(SENTINEL_TIMEOUT_S, common["socket_connect_timeout"])
    asking = {"socket_timeout": patience, "socket_connect_timeout": patience, "retry": Retry(NoBackoff(), 0)}
    asking |= dict(options.get("sentinel_kwargs") or {})
    ask = Sentinel(
        [(sentinel.host or "localhost", sentinel.port or 26379) for sentinel in sentinels],
        min_other_sentinels=int(options.get("min_other_sentinels", 0)),
        sentinel_kwargs=asking,
    )
    # Who gave options of TLS must not talk in plain text.
    secured = any(name.startswith("ssl_") for name in common)
    kind: type[redis.Connection] = redis.SSLConnection if secured else redis.Connection
    _checked(kind, {**common, "db": number}, f"sentinel://{master}")
    if secured:
        common["ssl_cert_reqs"] = _verification(common.get("ssl_cert_reqs"))

    def open_master() -> redis.Connection:
        host, port = ask.discover_master(str(master))
        return kind(host=host, port=port, db=number, **common)

    return open_master
