"""Where the server is: a URL, several of them, or what sentinels say; and how to open a connection there.

Does not know: what is said on a connection. Source of the URL forms: Celery's and kombu's pages on Redis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from celeriac.core.errors import ImproperlyConfigured

Opener = Callable[[], redis.Connection]
"""Makes a connection that has not connected yet; it bears its own time-outs."""

CONNECT_TIMEOUT_S = 5.0

_PASSED_ON = (
    "socket_keepalive", "socket_keepalive_options", "client_name", "ssl_keyfile", "ssl_certfile", "ssl_cert_reqs",
    "ssl_ca_certs", "ssl_ca_path", "ssl_ca_data", "ssl_check_hostname", "ssl_password", "username", "password",
)  # fmt: skip
"""Transport options that redis-py's connection takes under the same name."""


def openers(url: str, options: Mapping[str, Any]) -> Sequence[Opener]:
    """Return one opener for each server that ``url`` names, in order: the next is tried when one does not answer.

    Raises:
        ImproperlyConfigured: a URL that cannot be read, or sentinels without ``master_name``.
    """
    parts = [part for part in url.split(";") if part]
    if parts[0].startswith("sentinel"):
        return [_sentinel_opener(parts, options)]
    return [_opener(part, options) for part in parts]


def database(url: str) -> int:
    """Return the number of the database that ``url`` names; 0 if none."""
    split = urlsplit(url.split(";")[-1])
    if split.scheme in {"redis+socket", "unix"}:
        query = dict(parse_qsl(split.query))
        number = query.get("virtual_host", query.get("db", "0"))
    else:
        number = split.path.strip("/") or dict(parse_qsl(split.query)).get("db", "0")
    try:
        return int(number.strip("/") or 0)
    except ValueError:
        raise ImproperlyConfigured(f"the database of a Redis URL is a number, not {number!r}") from None


def server(url: str) -> str:
    """Return what is left of ``url`` without its database: equal for two URLs of one server."""
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}{split.path if split.scheme in {'redis+socket', 'unix'} else ''}"


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


def _opener(url: str, options: Mapping[str, Any]) -> Opener:
    common = _common(options)
    if url.startswith("redis+socket://"):
        url = "unix://" + url.removeprefix("redis+socket://").replace("virtual_host=", "db=")
    try:
        parsed: dict[str, Any] = dict(redis.connection.parse_url(url))
    except ValueError as error:
        raise ImproperlyConfigured(f"cannot read the Redis URL: {error}") from error
    kind: type[Any] = parsed.pop("connection_class", redis.Connection)
    if issubclass(kind, redis.UnixDomainSocketConnection):
        common.pop("socket_keepalive")
    arguments = {**common, **parsed}
    arguments["ssl_cert_reqs"] = _verification(arguments.get("ssl_cert_reqs"))
    if not issubclass(kind, redis.SSLConnection):
        arguments = {name: value for name, value in arguments.items() if not name.startswith("ssl_")}
    return lambda: kind(**arguments)


def _verification(value: object) -> str:
    """Translate the forms that Celery takes for ``ssl_cert_reqs``; certificates are verified unless the user says no."""
    names = {"cert_required": "required", "cert_optional": "optional", "cert_none": "none", "0": "none", "1": "optional"}
    text = str(getattr(value, "name", value) or "required").lower()
    return names.get(text, "required" if text == "2" else text)


def _sentinel_opener(parts: Sequence[str], options: Mapping[str, Any]) -> Opener:
    master = options.get("master_name")
    if not master:
        raise ImproperlyConfigured("sentinel:// needs broker_transport_options = {'master_name': ...}")
    addresses, password, number = [], None, database(parts[-1])
    for part in parts:
        split = urlsplit(part)
        addresses.append((split.hostname or "localhost", split.port or 26379))
        password = unquote(split.password) if split.password else password
    common = _common(options)
    if password is not None:
        common["password"] = password
    sentinel_arguments = dict(options.get("sentinel_kwargs") or {})
    sentinel_arguments.setdefault("socket_timeout", common["socket_connect_timeout"])
    ask = Sentinel(addresses, sentinel_kwargs=sentinel_arguments)

    def open_master() -> redis.Connection:
        host, port = ask.discover_master(str(master))
        return redis.Connection(host=host, port=port, db=number, **common)

    return open_master
