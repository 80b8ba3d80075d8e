"""Look at a server or file as its operator would: will it keep what it is given? For ``celeriac doctor``.

Beside a job's life. Each technology has its file in its own folder; this one knows which. Does not know: the app.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from celeriac.abc import Runtime
from celeriac.core.remark import Remark
from celeriac.drivers.registry import REDIS_SCHEMES
from celeriac.drivers.url import scheme_of, sqlite_file


def examine(url: str, *, options: Mapping[str, Any], runtime: Runtime, environ: Mapping[str, str]) -> Sequence[Remark]:
    """Say what is remarkable about the store at ``url``; nothing, where there is nothing to ask.

    Raises:
        BrokerUnreachable, StoreRefused: it did not answer, or said no.
    """
    match scheme_of(url):
        case scheme if scheme in REDIS_SCHEMES:
            from celeriac.drivers.redis.examining import examine_redis  # late: users install what they use

            return examine_redis(url, options=options, runtime=runtime)
        case "sqlite":
            from celeriac.drivers.sqlite.examining import examine_sqlite  # late: imports sqlite3

            return examine_sqlite(str(sqlite_file(url, environ)))
        case _:
            return ()
