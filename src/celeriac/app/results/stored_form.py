"""The form of stored results, for programs that read or write it by hand: what a value, an exception, a key look like.

In a job's life: beside it; part of ``app.backend``. The forms are Celery's, so that either side reads what the other stored.
Source: Celery's reference of ``celery.backends.base``. Does not know: where results are.
"""

from __future__ import annotations

from typing import Any, Final

from celeriac.app.results.results import Results, accepted
from celeriac.core import codecs, exceptions

TASK_PREFIX: Final = "celery-task-meta-"
"""Before the id, where a store has keys. Redis may have another prefix before it, as ``global_keyprefix`` says."""
GROUP_PREFIX: Final = "celery-taskset-meta-"
CHORD_PREFIX: Final = "chord-unlock-"


class StoredForm:
    """The part of a result backend that says how things are written."""

    app: Any
    results: Results
    task_keyprefix: Final = TASK_PREFIX
    group_keyprefix: Final = GROUP_PREFIX
    chord_keyprefix: Final = CHORD_PREFIX

    @property
    def serializer(self) -> str:
        """``result_serializer``."""
        return str(self.app.settings.result.serializer)

    def encode(self, data: Any) -> str | bytes:
        """Return a value as ``result_serializer`` writes it: text where that writes text.

        Raises:
            EncodeError: it cannot be written; the message says what in it and where.
        """
        body, _, encoding = codecs.encode(data, self.serializer)
        return body if encoding == "binary" else body.decode(encoding)

    def decode(self, payload: str | bytes) -> Any:
        """Return the value that ``encode`` wrote.

        Raises:
            DecodeError: it cannot be read; ContentDisallowed: ``result_accept_content`` does not name its type.
        """
        [content_type] = codecs.content_types([self.serializer])
        body = payload.encode() if isinstance(payload, str) else payload
        return codecs.decode(body, content_type, "utf-8", accepted(self.app.settings))

    def prepare_exception(self, exc: BaseException, serializer: str | None = None) -> Any:
        """Return an exception as it is stored: ``exc_type``, ``exc_message``, ``exc_module``; itself, where it is pickled."""
        chosen = serializer or self.serializer
        return exc if chosen in {"pickle", codecs.PICKLE} else exceptions.describe(exc, serializer=chosen)

    def exception_to_python(self, exc: Any) -> BaseException | None:
        """Return the exception that was stored; a RemoteError where its class is not known, or not allowed, here."""
        return exc if exc is None or isinstance(exc, BaseException) else exceptions.rebuild(exc)

    def get_key_for_task(self, task_id: str, key: str = "") -> bytes:
        """Return the key under which a task's result is, where a store has keys."""
        return f"{TASK_PREFIX}{task_id}{key}".encode()

    def get_key_for_group(self, group_id: str, key: str = "") -> bytes:
        """Return the key under which a saved group is, where a store has keys."""
        return f"{GROUP_PREFIX}{group_id}{key}".encode()

    def get_key_for_chord(self, group_id: str, key: str = "") -> bytes:
        """Return the key under which Celery counts a chord's members on stores that cannot join. Here no store is such a one."""
        return f"{CHORD_PREFIX}{group_id}{key}".encode()

    def get(self, key: str | bytes) -> bytes | None:
        """Return what is stored under a task's key, as bytes; ``None``: nothing, or the key of no task."""
        name = key.decode() if isinstance(key, bytes) else key
        if not name.startswith(TASK_PREFIX):
            return None
        return self.results.backend.load([name.removeprefix(TASK_PREFIX)])[0]
