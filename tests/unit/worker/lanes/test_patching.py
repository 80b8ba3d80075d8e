"""A program that starts a worker itself can have its interpreter patched by the words of its command line."""

from __future__ import annotations

import pytest

from celeriac.worker.lanes.patching import maybe_patch_concurrency


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("prog worker -P gevent", ["gevent"]),
        ("prog worker -Pgevent -c 4", ["gevent"]),
        ("prog worker --pool eventlet", ["eventlet"]),
        ("prog worker --pool=eventlet", ["eventlet"]),
        ("prog worker --pool=prefork", []),
        ("prog worker -c 4", []),
        ("prog worker -P", []),
    ],
)
def test_the_pool_that_the_command_line_names_is_patched_for(words: str, expected: list[str]) -> None:
    patched: list[str] = []
    patches = {pool: lambda pool=pool: patched.append(pool) for pool in ("gevent", "eventlet")}

    maybe_patch_concurrency(words.split(), patches=patches)

    assert patched == expected
