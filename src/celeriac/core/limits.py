"""How large what comes from outside may be, and how deeply nested.

In a job's life: asked before anything is parsed, by ``core.envelope``, ``core.codecs`` and ``core.protocol``.
Does not know: what the bytes mean.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Final

from msgspec import Struct

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
"""One JSON string, or an unfinished one. Possessive: no input makes it look at a byte twice."""
_NO_BRACKETS: Final = bytes(sorted(set(range(256)) - set(b"[]{}")))
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""One level down, one level up, as signed bytes."""


class Limits(Struct, frozen=True, kw_only=True):
    """What a decoder accepts."""

    raw: int = 64 * 1024 * 1024
    """Bytes of a message as it lies in the store, and of its body."""
    decompressed: int = 64 * 1024 * 1024
    """Bytes of a body after decompression."""
    depth: int = 128
    """Lists and objects inside each other."""
    headers: int = 10_000
    """Headers of one message."""


DEFAULT_LIMITS: Final = Limits()


def too_deep(data: bytes, depth: int) -> bool:
    """Say whether this JSON text has more than ``depth`` lists and objects inside each other.

    Of text that is no JSON the answer says nothing: the parser will refuse it.
    """
    # Nearly every message has fewer brackets in all than it may have levels: there is nothing to look at.
    if len(data) <= depth or data.count(b"[") + data.count(b"{") <= depth:
        return False
    steps = _STRING.sub(b"", data).translate(_STEPS, _NO_BRACKETS)
    # All in C, and it stops at the first place that is too deep.
    return depth + 1 in accumulate(memoryview(steps).cast("b"))
