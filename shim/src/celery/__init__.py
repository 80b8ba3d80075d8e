"""Celery's import paths, answered by celeriac. Every name here is celeriac's own: what is patched here is what runs."""

from __future__ import annotations

import logging
from importlib import import_module
from types import ModuleType
from typing import Final, NamedTuple

from celeriac import Celery, Signature, Task, chain, chord, current_app, current_task, group, shared_task, signature
from celeriac.app.maps import chunks, xmap, xstarmap
from celeriac.app.signature import maybe_signature
from celeriac.worker.lanes.patching import maybe_patch_concurrency
from celery import _celeriac, _coming, _kin
from celery._ids import uuid
from celery.app.utils import bugreport

subtask = signature

PARTS: Final = frozenset({
    "backends", "bin", "canvas", "concurrency", "contrib", "events", "exceptions", "execute", "local", "log", "platforms",
    "registry", "result", "signals", "states", "utils", "worker",
})  # fmt: skip
"""Modules that ``import celery`` gives, and that are imported when they are asked for."""


class version_info_t(NamedTuple):  # noqa: N801 - Celery's name
    """A version, in parts."""

    major: int
    minor: int
    micro: int
    releaselevel: str
    serial: str


__version__: Final = _celeriac.CELERY_VERSION
VERSION: Final = version_info_t(*_celeriac.CELERY_VERSION_PARTS, "", "")
version_info: Final = VERSION
VERSION_BANNER: Final = f"{__version__} (celeriac)"
SERIES: Final = "celeriac"

# Levels and handlers that a program sets for the logger "celery" hold for our lines.
logging.getLogger("celeriac").parent = logging.getLogger("celery")

_coming.tell()
_kin.watch()


def __getattr__(name: str) -> ModuleType:
    """Import one of ``PARTS``: programs write ``celery.signals.task_success.connect`` after ``import celery``."""
    if name in PARTS:
        return import_module(f"celery.{name}")
    raise AttributeError(f"module 'celery' has no attribute {name!r}")
