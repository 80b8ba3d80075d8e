"""From URLs to a store: the only place that knows all drivers, and the only late imports there are.

In a program's life: the app asks once, when it first needs its store. Nothing is connected here.
Does not know: settings, tasks; options arrive by the names of the drivers.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from threading import Lock
from typing import Any, Final, cast

from msgspec import Struct

from celeriac.abc import Broker, ResultBackend, Runtime, Store, Timetable
from celeriac.core.errors import CeleriacError, ImproperlyConfigured, MissingExtra
from celeriac.core.rules import remembered
from celeriac.drivers.disabled import NoResults
from celeriac.drivers.outboxed import Outboxed
from celeriac.drivers.pair import Pair
from celeriac.drivers.url import alternatives, default_database, mask, parse, same_server, scheme_of, sqlite_file, sqlite_url

REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "redis+socket", "sentinel", "unix"})
SCHEMES: Final = ("memory", "sqlite", *sorted(REDIS_SCHEMES))
DISABLED: Final = "disabled"
PROCESS_CACHE: Final = "cache+memory"
LATER: Final = frozenset({
    "amqp", "amqps", "pyamqp", "rpc", "postgresql", "postgres", "db", "database", "mongodb", "cache", "file", "filesystem",
    "sqs", "kafka", "confluentkafka", "elasticsearch", "couchdb", "dynamodb", "s3", "gs", "azureblockblob", "cassandra",
})  # fmt: skip
"""Schemes of Celery that no driver of this version serves."""

_memory: Final[dict[str, Store]] = {}
"""All apps of a process that use one ``memory://`` name share one store."""
_memory_lock: Final = Lock()


class Places(Struct, frozen=True, kw_only=True):
    """Where messages and results are."""

    broker: str
    """URL of the broker, never empty."""
    results: str | None
    """URL of the result backend. ``None``: there is none."""

    def __repr__(self) -> str:
        return "<Places>"  # tracebacks and error reports show it, and URLs have passwords


class DriverOptions(Struct, frozen=True, kw_only=True):
    """Options of the two drivers, by their own names."""

    broker: Mapping[str, Any] = {}
    results: Mapping[str, Any] = {}


def places(broker_url: str | None, result_url: str | None, environ: Mapping[str, str]) -> Places:
    """Fill in what was not configured: no broker means the embedded store of this user; a broker alone means no results."""
    results = None if result_url in {None, "", DISABLED, f"{DISABLED}://"} else own_url(result_url or "")
    if broker_url:
        return Places(broker=broker_url, results=results)
    embedded = sqlite_url(default_database(environ))
    return Places(broker=embedded, results=results if result_url else embedded)


def open_store(
    broker_url: str | None,
    result_url: str | None,
    *,
    runtime: Runtime,
    environ: Mapping[str, str],
    options: DriverOptions = DriverOptions(),  # noqa: B008 - frozen
) -> Store:
    """Return the store that keeps messages where ``broker_url`` says and results where ``result_url`` says.

    Nothing is connected yet. Where both are one place, broker and results settle in one step.

    Raises:
        ImproperlyConfigured: a URL that cannot be read, or a scheme that no driver serves.
        MissingExtra: the client library of the driver is not installed.
    """
    where = places(broker_url, result_url, environ)
    opening = _Opening(runtime, environ, options)
    if where.results is None:
        return Pair(opening.store(where.broker, where.broker), NoResults())
    if opening.same_place(where.broker, where.results):
        return opening.store(where.broker, where.results)
    # A store that keeps only results has no use for the broker's options, and the reverse.
    results: Store = opening.store(where.results, where.results, only_results=True)
    broker: Broker = opening.store(where.broker, where.broker)
    return Pair(broker, results)


def open_results(
    url: str,
    broker_url: str | None,
    result_url: str | None,
    *,
    runtime: Runtime,
    environ: Mapping[str, str],
    options: DriverOptions = DriverOptions(),  # noqa: B008 - frozen
) -> ResultBackend | None:
    """Return one more place for results, beside that of ``open_store(broker_url, result_url)``; ``None``: it is the same place.

    Raises:
        ImproperlyConfigured, MissingExtra: as ``open_store``.
    """
    if url in {DISABLED, f"{DISABLED}://"}:
        return NoResults()
    url, opening = own_url(url), _Opening(runtime, environ, options)
    own = places(broker_url, result_url, environ).results
    if own is not None and opening.same_place(own, url):
        return None
    return opening.store(url, url, only_results=True)


def same_queues(one: str, other: str, environ: Mapping[str, str]) -> bool:
    """Say whether queues of one name are the same queues at both URLs, as far as URLs tell."""
    kinds = scheme_of(one), scheme_of(other)
    if kinds[0] in REDIS_SCHEMES and kinds[1] in REDIS_SCHEMES:
        return _redis_place(one) == _redis_place(other)
    if kinds == ("sqlite", "sqlite"):
        return sqlite_file(one, environ) == sqlite_file(other, environ)
    return kinds == ("memory", "memory") and _memory_name(one) == _memory_name(other)


def _redis_place(url: str) -> tuple[str | None, int, str]:
    """Return server and database of the first of the servers of a URL; ways to write the same are one."""
    address = parse(alternatives(_full(url))[0])
    host = address.path if address.host is None else address.host.replace("localhost", "127.0.0.1")
    number = address.query.get("virtual_host") or address.query.get("db") or (address.path if address.host else "")
    return host, address.port or 6379, number or "0"


def open_timetable(store: object, name: str, *, file: str, runtime: Runtime) -> Timetable:
    """Return the timetable ``name`` of a store; where neither broker nor result backend keep any, one in a file of this machine.

    Raises:
        ImproperlyConfigured: they keep none, and the file cannot be one.
    """
    keeps = getattr(store, "timetable", None)
    found: Timetable | None = None if keeps is None else keeps(name)
    if found is not None:
        return found
    from celeriac.drivers.sqlite.store import SqliteStore  # late: imports sqlite3

    try:
        aside = SqliteStore(file, runtime=runtime)
        kept = aside.timetable(name)
        kept.count()  # now, or nobody would know until the first tick
    except CeleriacError as error:
        raise ImproperlyConfigured(
            f"this broker keeps no timetable, nor does a result backend, and {file!r} cannot be one, so nothing would keep two "
            f"beats from sending the same task: {error}"
        ) from error
    return Outboxed(kept, cast("Broker", store).publish)


def own_url(result_url: str) -> str:
    """Return the URL of the same place by our name for it: Celery's cache of one process is our memory."""
    return f"memory{result_url.removeprefix(PROCESS_CACHE)}" if scheme_of(result_url) == PROCESS_CACHE else result_url


class _Opening:
    """One call of ``open_store``: what each step of it needs."""

    def __init__(self, runtime: Runtime, environ: Mapping[str, str], options: DriverOptions) -> None:
        self._runtime, self._environ, self._options = runtime, environ, options

    def same_place(self, broker_url: str, result_url: str) -> bool:
        """Say whether one store can be both: then they settle in one step."""
        kinds = scheme_of(broker_url), scheme_of(result_url)
        if kinds[0] in REDIS_SCHEMES and kinds[1] in REDIS_SCHEMES:
            return same_server(_full(broker_url), _full(result_url))
        if kinds == ("sqlite", "sqlite"):
            return sqlite_file(broker_url, self._environ) == sqlite_file(result_url, self._environ)
        if kinds == ("memory", "memory"):
            return _memory_name(broker_url) == _memory_name(result_url)
        return False

    def store(self, broker_url: str, result_url: str, *, only_results: bool = False) -> Store:
        """Return the store of one driver."""
        match scheme_of(broker_url):
            case "memory":
                return self._memory(broker_url)
            case "sqlite":
                from celeriac.drivers.sqlite.store import SqliteStore  # late: imports sqlite3

                file = sqlite_file(broker_url, self._environ)
                # A path that somebody typed may be a wrong one; ours is right, but nobody has made its folder.
                ours = file.absolute() == default_database(self._environ).absolute()
                store = SqliteStore(str(file), runtime=self._runtime, create_parents=ours)
                store.remembered = remembered(self._environ)
                return store
            case scheme if scheme in REDIS_SCHEMES:
                return self._redis(broker_url, result_url, only_results=only_results)
            case unknown:
                raise unknown_scheme(unknown, broker_url)

    def _memory(self, url: str) -> Store:
        from celeriac.drivers.memory.store import MemoryStore  # late: a program uses one driver

        name = _memory_name(url)
        with _memory_lock:
            if name not in _memory:
                store = MemoryStore(runtime=self._runtime)
                store.remembered = remembered(self._environ)
                _memory[name] = store
            return _memory[name]

    def _redis(self, broker_url: str, result_url: str, *, only_results: bool) -> Store:
        url, other = _full(broker_url), _full(result_url)
        try:
            from celeriac.drivers.redis.store import RedisStore  # late: users install what they use
        except ModuleNotFoundError as error:
            if error.name not in {"redis", "hiredis"}:
                raise
            raise MissingExtra(scheme_of(url), "redis") from error
        options = self._options.results if only_results else self._options.broker
        store = RedisStore(url, runtime=self._runtime, options=options, result_url=other, result_options=self._options.results)
        store.remembered = remembered(self._environ)
        return store


def unknown_scheme(scheme: str, url: str) -> ImproperlyConfigured:
    """Return the error for a URL that no driver serves; it names the nearest that one does."""
    if scheme in LATER:
        return ImproperlyConfigured(f"{mask(url)!r}: no driver of this version serves {scheme}://; there are {_schemes()}")
    near = get_close_matches(scheme, SCHEMES, n=1)
    hint = f"did you mean {near[0]}://?" if near else f"there are {_schemes()}"
    return ImproperlyConfigured(f"{mask(url)!r}: no driver serves {scheme}://; {hint}")


def _schemes() -> str:
    return ", ".join(f"{scheme}://" for scheme in SCHEMES)


def _memory_name(url: str) -> str:
    address = parse(url)
    return address.host or address.path


def _full(url: str) -> str:
    return url if "://" in url else f"{url}://localhost:6379/0"
