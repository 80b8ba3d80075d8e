"""A worker that runs as root: a warning; and no worker at all where messages could hold code.

Unpickling runs what the message says, so with pickle accepted whoever reaches the broker would be root. Celery's variable
``C_FORCE_ROOT`` permits it nevertheless. Source: Celery's guide, "Running the worker with superuser privileges".
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from typing import Final

from celeriac.core.errors import ImproperlyConfigured

log = logging.getLogger("celeriac.worker")
CODE: Final = frozenset({"pickle", "application/x-python-serialize"})


def check_superuser(accept: Collection[str]) -> None:
    """Warn a worker of root; refuse it if the app accepts pickle.

    Raises:
        ImproperlyConfigured: root, pickle, and no ``C_FORCE_ROOT``.
    """
    if os.geteuid() != 0 and os.getuid() != 0:
        return
    if CODE & set(accept) and not os.environ.get("C_FORCE_ROOT"):
        raise ImproperlyConfigured(
            "a worker of root must not accept pickle: a message could do anything. Run it as another user, take pickle out of "
            "accept_content, or set C_FORCE_ROOT=1"
        )
    log.warning("this worker runs as root: another user would be safer")
