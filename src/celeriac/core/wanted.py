"""Find the messages of one task among many, by their bytes.

Beside a job's life: when somebody asks where it is. Pure. Does not know: stores.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from celeriac.core import envelope
from celeriac.core.message import Parcel


class Wanted:
    """The task of one id."""

    def __init__(self, id: str) -> None:
        self._id = id
        plain = json.dumps(id, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
        self.spellings: Sequence[bytes] = tuple({plain, json.dumps(id)[1:-1].encode()})
        """How the id may be written in an envelope. Each message of the task has one of them; others may, too."""

    def is_in(self, raw: bytes) -> bool:
        """Say whether these bytes are a message of the task."""
        # Most are not, and to look for the id costs a thousandth of reading the envelope.
        if not any(spelling in raw for spelling in self.spellings):
            return False
        parcel = envelope.unpack(raw)
        if not isinstance(parcel, Parcel):
            return False
        # Messages of protocol 1 have their id in the body, and here.
        return self._id in (parcel.headers.get("id"), parcel.properties.get("correlation_id"))
