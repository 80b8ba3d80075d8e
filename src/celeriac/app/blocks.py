"""Write and read the parts of workflows that are kept in the result backend.

In a job's life: beside ``launching`` and ``following``, which write blocks, and ``worker/rests.py``, which reads them. What is
kept, and why, says ``flows.keeping``. A block is kept far longer than results are: a workflow may wait for a date. When its
step has been made, as long as results. Does not know: drivers.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from celeriac.abc import ResultBackend
from celeriac.app.flows.keeping import Keeping, has_chord, opened
from celeriac.app.flows.stored import Stored
from celeriac.app.home import Home
from celeriac.config.sections.result import WAITED_FOR_S
from celeriac.core import codecs, embedded
from celeriac.core.errors import DecodeError, ImproperlyConfigured, NoResultBackend
from celeriac.core.settlement import StoredResult

STATE: Final = "KEPT"
"""What a result backend says of a block: a state that is never final."""


class Found(Struct, frozen=True):
    """A block that was read."""

    content: Stored
    spent: StoredResult
    """To be stored when its step has been made: the same, for a shorter time."""


def check_joins(app: Home, frozen: Stored) -> None:
    """Refuse a workflow with a chord in it where nobody keeps results: nobody would bring the values of its members together.

    Raises:
        NoResultBackend: it has one; names the backend and the setting.
    """
    if not app.keeps_results and has_chord(frozen):
        require_joins(app)


def require_joins(app: Home) -> None:
    """Refuse a chord where nobody keeps results.

    Raises:
        NoResultBackend: so it is; names the backend and the setting.
    """
    if not app.keeps_results:
        raise NoResultBackend(
            "a chord needs a result backend that brings the values of its members together, and the setting result_backend is "
            "'disabled' or not set: give the app backend=..., such as Celery('name', broker='redis://', backend='redis://')"
        )


def keep(app: Home, frozen: Stored) -> tuple[Stored, tuple[StoredResult, ...]]:
    """Return a frozen workflow as it is to be sent, and the blocks to be stored before.

    Raises:
        EncodeError: an argument in it cannot be written.
    """
    keeping = _keeping(app)
    return (frozen, ()) if keeping is None else (keeping.thin(frozen), _stored(app, keeping))


def keep_body(app: Home, body: Stored, calls: int) -> tuple[Stored, tuple[StoredResult, ...]]:
    """Return the frozen body of a chord as the ``calls`` of its header carry it, and the blocks to be stored before.

    Raises:
        EncodeError: an argument in it cannot be written.
    """
    keeping = _keeping(app)
    return (body, ()) if keeping is None else (keeping.thin_body(body, calls), _stored(app, keeping))


def _keeping(app: Home) -> Keeping | None:
    settings = app.conf.settings().task
    limit, serializer = settings.workflow_embed_limit, settings.serializer
    if limit is None or not app.keeps_results:
        return None
    return Keeping(lambda each: len(_written(each, serializer)), limit, serializer)


def _stored(app: Home, keeping: Keeping) -> tuple[StoredResult, ...]:
    settings = app.conf.settings()
    ttl_s = settings.result.ttl_s
    life_s = None if ttl_s is None else max(ttl_s, WAITED_FOR_S)
    return tuple(
        StoredResult(each.key, STATE, _written(each.content, settings.task.serializer), life_s) for each in keeping.blocks
    )


def find(backend: ResultBackend, reference: Stored, *, accept: frozenset[str], ttl_s: float | None) -> Found:
    """Return the block that a reference stands for, with what was attached to the reference since.

    Args:
        backend: Where it is.
        reference: A call of ``celeriac.kept``.
        accept: Content types that may be read.
        ttl_s: How long results are kept, seconds; ``None``: for ever.

    Raises:
        LookupError: it is not there: forgotten, or never written.
        DecodeError: it cannot be read.
        BrokerUnreachable: the backend does not answer.
    """
    kwargs = reference.get("kwargs") or {}
    key, serializer = kwargs.get("key"), kwargs.get("serializer")
    if not isinstance(key, str) or not isinstance(serializer, str):
        raise DecodeError(f"not a reference to a part of a workflow: {dict(kwargs)!r:.200}")
    [body] = backend.load([key])
    if body is None:
        raise LookupError(f"the part of this workflow that was kept as {key!r} is gone")
    try:
        [content_type] = codecs.content_types([serializer])
    except ImproperlyConfigured as problem:
        raise DecodeError(str(problem)) from problem
    content: Any = codecs.decode(body, content_type, "utf-8", accept)
    embedded.check(key, content)  # whoever can write results may have written it
    return Found(opened(reference, content), StoredResult(key, STATE, body, ttl_s))


def _written(signature: Stored, serializer: str) -> bytes:
    return codecs.encode(signature, serializer, place="a signature").data
