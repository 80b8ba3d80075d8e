"""The name of a log file, from the pattern of ``-f`` and the name of the node. Pure; placeholders are Celery's.

``%p`` the node's whole name, ``%n`` what stands before the ``@``, ``%h`` what follows it, ``%d`` the domain in that, ``%%`` a
percent sign. ``%i`` is the process: 0 for the node itself, 1, 2, … for its children; a child that takes another's place takes its
number, too. ``%I`` is the same with a dash before it, and nothing for the node itself. Does not know: logging.
Source: Celery's guide "Workers", variables in file paths.
"""

from __future__ import annotations

import re


def log_file(pattern: str, node: str, index: int = 0) -> str:
    """Return the name of the file of one process.

    Example:
        >>> log_file("/var/log/%n%I.log", "shop@web1"), log_file("/var/log/%n%I.log", "shop@web1", index=2)
        ('/var/log/shop.log', '/var/log/shop-2.log')
    """
    name, _, host = node.partition("@")
    number = f"-{index}" if index else ""
    values = {"p": node, "h": host, "n": name, "d": host.partition(".")[2], "i": str(index), "I": number, "%": "%"}
    return re.sub(r"%(.)", lambda found: values.get(found[1], found[0]), pattern)


def is_for_each_process(pattern: str) -> bool:
    """Say whether every process of a node has a file of its own."""
    return any(mark in ("%i", "%I") for mark in re.findall(r"%.", pattern))
