"""Compress a body, and decompress one from outside without letting it fill the memory.

In a job's life: protocol.encode compresses after serialization, protocol.decode decompresses before; results likewise.
The header ``compression`` names the method. Mind that ``application/x-gzip`` is a zlib stream and no gzip file: Celery's
choice, kept. Does not know: messages, results.
"""

from __future__ import annotations

import bz2
import importlib
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from celeriac.core.errors import DecodeError, EncodeError

_NAMES: Final = {
    "gzip": "application/x-gzip",
    "zlib": "application/x-gzip",
    "bzip2": "application/x-bz2",
    "bzip": "application/x-bz2",
    "lzma": "application/x-lzma",
    "xz": "application/x-lzma",
    "brotli": "application/x-brotli",
    "zstd": "application/zstd",
    "zstandard": "application/zstd",
}
_METHODS: Final = frozenset(_NAMES.values())
_ZSTD_WINDOW: Final = 2**27
_STEP: Final = 64 * 1024
"""Compressed bytes looked at in one step."""
_PIECE: Final = 1024 * 1024
"""Decompressed bytes made in one step, where a library can be told so."""
_KEPT: Final = 8 * 1024 * 1024
"""Decompressed bytes that are kept before it is known how many there are."""


class Oversized(DecodeError):
    """Decompressed it would be larger than allowed."""


class Unsupported(DecodeError):
    """The method is not known here, or its library is not installed."""


class _Stepwise(Protocol):
    """A decompressor of the standard library that can be told to stop."""

    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def method_of(name: str) -> str:
    """Return the header value for an option such as ``"gzip"``; a header value stays as it is.

    Raises:
        EncodeError: there is no such method.
    """
    method = _NAMES.get(name.lower(), name)
    if method not in _METHODS:
        raise EncodeError(f"there is no compression {name!r}: choose one of {', '.join(sorted(_NAMES))}")
    return method


def compress(data: bytes, method: str) -> bytes:
    """Return ``data`` compressed; ``method`` is a name or a header value.

    Raises:
        EncodeError: there is no such method, or its library is not installed.
    """
    match method_of(method):
        case "application/x-gzip":
            return zlib.compress(data)
        case "application/x-bz2":
            return bz2.compress(data)
        case "application/x-lzma":
            return lzma.compress(data)
        case "application/x-brotli":
            return bytes(_library("brotli", EncodeError).compress(data))
        case _:
            return bytes(_zstd(EncodeError).compress(data))


def decompress(data: bytes, method: str, *, limit: int) -> bytes:
    """Return ``data`` decompressed; of what is larger than ``limit`` a few megabytes are held at a time, and soon dropped.

    Raises:
        Oversized: it is larger than ``limit``.
        Unsupported: unknown method, or missing library.
        DecodeError: bytes that are no such stream.
    """
    name = _NAMES.get(method, method)
    if name not in _METHODS:
        raise Unsupported(f"unknown compression {method!r}"[:200])
    try:
        return _decompress(data, name, limit)
    except DecodeError:
        raise
    except Exception as problem:  # each library has errors of its own
        raise DecodeError(f"not {name}: {problem}"[:500]) from problem


def _decompress(data: bytes, method: str, limit: int) -> bytes:
    match method:
        case "application/x-gzip":
            return _gather(lambda: _inflate(data), limit)
        case "application/x-bz2":
            return _gather(lambda: _stepwise(bz2.BZ2Decompressor(), data), limit)
        case "application/x-lzma":
            memory = max(limit, 128 * 1024 * 1024)
            return _gather(lambda: _stepwise(lzma.LZMADecompressor(memlimit=memory), data), limit)
        case "application/x-brotli":
            return _gather(lambda: _unbrotli(data), limit)
        case _:
            return _unzstd(data, limit)


def _gather(pieces: Callable[[], Iterator[bytes]], limit: int) -> bytes:
    """Join the pieces. What is large is made twice: a bomb is measured before anything of it is kept."""
    kept, size = [], 0
    for piece in pieces():
        size += len(piece)
        if size > limit:
            raise Oversized(_too_large(limit))
        if size <= _KEPT:
            kept.append(piece)
    return b"".join(kept if size <= _KEPT else pieces())


def _inflate(data: bytes) -> Iterator[bytes]:
    stream = zlib.decompressobj()
    for start in range(0, len(data), _STEP):
        piece = stream.decompress(data[start : start + _STEP], _PIECE)
        while piece:
            yield piece
            piece = stream.decompress(stream.unconsumed_tail, _PIECE)
    if not stream.eof:
        raise DecodeError("the zlib stream is cut off")


def _stepwise(stream: _Stepwise, data: bytes) -> Iterator[bytes]:
    yield stream.decompress(data, _PIECE)
    while not stream.eof:
        piece = stream.decompress(b"", _PIECE)
        if not piece:
            raise DecodeError("the stream is cut off")
        yield piece


def _unbrotli(data: bytes) -> Iterator[bytes]:
    stream = _library("brotli", Unsupported).Decompressor()
    if hasattr(stream, "can_accept_more_data"):  # brotli 1.2 takes a bound on its output
        piece = stream.process(data, output_buffer_limit=_STEP)
        while piece:
            yield piece
            piece = stream.process(b"", output_buffer_limit=_STEP)
    else:
        # Older ones cannot be bounded but by what they are given: a few bytes become 16 MB at most.
        for start in range(0, len(data), 16):
            yield stream.process(data[start : start + 16])
    if not stream.is_finished():
        raise DecodeError("the brotli stream is cut off")


def _unzstd(data: bytes, limit: int) -> bytes:
    library = _zstd(Unsupported)
    if sys.version_info >= (3, 14):
        return _gather(lambda: _stepwise(library.ZstdDecompressor(), data), limit)
    decompressor, size = library.ZstdDecompressor(max_window_size=_ZSTD_WINDOW), 0
    with decompressor.stream_reader(data) as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > limit:
                raise Oversized(_too_large(limit))
    # The reader does not mind a stream that is cut off, the other interface has no bound: known to be small, so once more.
    whole = decompressor.decompressobj()
    plain = bytes(whole.decompress(data))
    if not whole.eof:
        raise DecodeError("the zstd stream is cut off")
    return plain


def _zstd(error: Callable[[str], Exception]) -> Any:
    """Return a module with zstd: the standard library's where there is one."""
    return _library("compression.zstd" if sys.version_info >= (3, 14) else "zstandard", error)


def _library(name: str, error: Callable[[str], Exception]) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        extra = "zstd" if "zst" in name else name
        raise error(f"{extra} compression needs a library: pip install 'celeriac[{extra}]'") from problem


def _too_large(limit: int) -> str:
    return f"more than {limit} bytes when decompressed"
