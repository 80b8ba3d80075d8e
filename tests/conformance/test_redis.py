"""The Redis store keeps the contract, on the server that ``CELERIAC_TEST_REDIS`` names; its database is emptied.

The server's clock is real, so leases are short and the tests wait for them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from celeriac.app.runtime import SystemRuntime
from celeriac.drivers.redis.store import RedisStore
from celeriac.testing.conformance import Conformance, Subject

URL = os.environ.get("CELERIAC_TEST_REDIS", "")

redis = pytest.importorskip("redis")
pytestmark = pytest.mark.skipif(not URL, reason="CELERIAC_TEST_REDIS names no server")


class TestRedisStore(Conformance):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        runtime = SystemRuntime()
        with closing(redis.Redis.from_url(URL)) as client, closing(RedisStore(URL, runtime=runtime)) as store:
            client.flushdb()
            with closing(RedisStore(URL, runtime=runtime)) as another:
                yield Subject(
                    store=store,
                    runtime=runtime,
                    advance=time.sleep,
                    another=lambda: another,
                    inject=client.lpush,
                    lease_s=0.3,
                )
            client.flushdb()
