"""Have gevent or eventlet replace what waits in the standard library: sockets, locks, ``time.sleep``.

In a node's life: the very first thing in a child of ``-P gevent`` or ``-P eventlet``. What was imported before it may have taken
hold of the originals, so such a child is an interpreter of its own, whose first line is one of these. Nothing of ours is
imported by that line. Source: Celery's guides to these pools, and its reference of ``maybe_patch_concurrency``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

from celeriac.core.errors import ImproperlyConfigured

FIRST_LINES: Final[Mapping[str, str]] = MappingProxyType({
    "gevent": "from gevent import monkey; monkey.patch_all()",
    # It warns of its own old age whenever it is imported; who chooses it knows.
    "eventlet": (
        "import os, warnings; warnings.filterwarnings('ignore', r'\\s*Eventlet is deprecated'); import eventlet, eventlet.debug; "
        "eventlet.monkey_patch(); block = float(os.environ.get('EVENTLET_NOBLOCK', 0)); "
        "block and eventlet.debug.hub_blocking_detection(block, block)"
    ),
})  # fmt: skip
"""By pool: Python that patches the interpreter in which it runs."""


def check_library(pool: str) -> None:
    """Make sure that the library of this pool is installed.

    Raises:
        ImproperlyConfigured: it is not.
    """
    if pool in FIRST_LINES and find_spec(pool) is None:
        raise ImproperlyConfigured(f"-P {pool} needs a library that is not installed: pip install 'celeriac[{pool}]'")


def patch(pool: str) -> None:
    """Patch this interpreter, as far as that is still possible: what has taken hold of the originals keeps them."""
    check_library(pool)
    exec(FIRST_LINES[pool], {})  # noqa: S102 -- a constant of this file


def maybe_patch_concurrency(
    argv: Sequence[str] | None = None,
    short_opts: Sequence[str] | None = None,
    long_opts: Sequence[str] | None = None,
    patches: Mapping[str, Callable[[], None]] | None = None,
) -> None:
    """Patch this interpreter if its command line asks for a pool that needs it: for programs that start a worker themselves.

    Args:
        argv: The command line; by default that of this process.
        short_opts: Options that name the pool; by default ``-P``.
        long_opts: The same in their long form; by default ``--pool``.
        patches: By pool, what patches; by default gevent's and eventlet's own.
    """
    pool = _option(list(sys.argv if argv is None else argv), short_opts or ["-P"], long_opts or ["--pool"])
    if pool is None:
        return
    if patches is None:
        patches = {known: partial(patch, known) for known in FIRST_LINES}
    if pool in patches:
        patches[pool]()


def _option(argv: Sequence[str], short: Sequence[str], long: Sequence[str]) -> str | None:
    for place, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name in long and equals:
            return value
        if word in (*short, *long) and place + 1 < len(argv):
            return argv[place + 1]
        for letter in short:
            if word.startswith(letter) and len(word) > len(letter) and not word.startswith("--"):
                return word.removeprefix(letter)
    return None
