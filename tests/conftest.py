"""A run of several processes: each has a Redis server of its own, and tests that share something dear share a process."""

from __future__ import annotations

import os

import pytest

TOGETHER = {"typing/test_typing.py": "typing", "system/test_bad_input.py": "bad-input", "wire/test_canvas.py": "wire-canvas"}
"""Files whose tests share what takes seconds to make."""


def pytest_configure(config: pytest.Config) -> None:
    """Give this process its server, before any test is imported. A database would not do: a server's channels are one room."""
    place, processes = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if "PYTEST_XDIST_WORKER" not in os.environ and config.getoption("numprocesses", None):
        return  # it only hands the tests out, and its environment down
    urls = os.environ.get("CELERIAC_TEST_REDIS", "").split()
    if 0 < len(urls) < processes:
        raise pytest.UsageError(
            f"CELERIAC_TEST_REDIS names {len(urls)} servers for {processes} processes: name more, or none, or use -n 0"
        )
    if urls:
        os.environ["CELERIAC_TEST_REDIS"] = urls[int(place.removeprefix("gw"))]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what is cheaper together."""
    for item in items:
        for file, name in TOGETHER.items():
            if item.path.as_posix().endswith(file):
                item.add_marker(pytest.mark.xdist_group(name))
