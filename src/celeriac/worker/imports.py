"""Import modules in a new child because an operator has said so (``pool_restart``).

In a node's life: children are forked from a process that has imported the app once for all; what has changed since is imported
here, in each of them. Source: Celery's reference of ``pool_restart``.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Sequence

log = logging.getLogger("celeriac.worker")


def import_anew(names: Sequence[str], *, reload: bool) -> None:
    """Import each module; ``reload``: anew, if it was imported before. One that cannot be imported is logged, and left out."""
    for name in names:
        try:
            if reload and name in sys.modules:
                importlib.reload(sys.modules[name])
            else:
                importlib.import_module(name)
        except Exception:
            log.exception("module %s could not be imported by this child", name)
