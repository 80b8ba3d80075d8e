"""The name of a log file, from the pattern of ``-f`` and the name of the node. Pure; placeholders are Celery's.

``%n`` the node's name before the ``@``, ``%h`` what follows it, ``%d`` the domain in that, ``%%`` a percent sign.
``%i`` and ``%I`` number the process in Celery; a whole node writes one file here, as Celery's main process does.
Does not know: logging.
"""

from __future__ import annotations

import re


def log_file(pattern: str, node: str) -> str:
    """Return the name of the file.

    Example:
        >>> log_file("/var/log/%n%I.log", "shop@web1")
        '/var/log/shop.log'
    """
    name, _, host = node.partition("@")
    values = {"h": host, "n": name, "d": host.partition(".")[2], "i": "0", "I": "", "%": "%"}
    return re.sub(r"%(.)", lambda found: values.get(found[1], found[0]), pattern)
