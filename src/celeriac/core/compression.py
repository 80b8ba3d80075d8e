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
"""Compressed bytes looked at in one step, where a library cannot be told how much it may return."""


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
    """Return ``data`` decompressed, at no time holding much more than ``limit`` bytes of it.

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
            return _inflate(data, limit)
        case "application/x-bz2":
            return _stepwise(bz2.BZ2Decompressor(), data, limit)
        case "application/x-lzma":
            return _stepwise(lzma.LZMADecompressor(memlimit=max(limit, 128 * 1024 * 1024)), data, limit)
        case "application/x-brotli":
            return _unbrotli(data, limit)
        case _:
            return _unzstd(data, limit)


def _inflate(data: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj()
    plain = stream.decompress(data, limit + 1)
    if len(plain) > limit:
        raise Oversized(_too_large(limit))
    if not stream.eof:
        raise DecodeError("the zlib stream is cut off")
    return plain


def _stepwise(stream: _Stepwise, data: bytes, limit: int) -> bytes:
    plain = stream.decompress(data, limit + 1)
    while len(plain) <= limit and not stream.eof:
        more = stream.decompress(b"", limit + 1 - len(plain))
        if not more:
            raise DecodeError("the stream is cut off")
        plain += more
    if len(plain) > limit:
        raise Oversized(_too_large(limit))
    return plain


def _unbrotli(data: bytes, limit: int) -> bytes:
    stream = _library("brotli", Unsupported).Decompressor()
    pieces, size = [], 0
    for piece in _brotli_pieces(stream, data):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise Oversized(_too_large(limit))
    if not stream.is_finished():
        raise DecodeError("the brotli stream is cut off")
    return b"".join(pieces)


def _brotli_pieces(stream: Any, data: bytes) -> Iterator[bytes]:
    """Yield what comes out, no more at a time than the library can be made to give."""
    if hasattr(stream, "can_accept_more_data"):  # brotli 1.2 takes a bound on its output
        piece = stream.process(data, output_buffer_limit=_STEP)
        while piece:
            yield piece
            piece = stream.process(b"", output_buffer_limit=_STEP)
    else:
        # Older ones cannot be bounded but by what they are given: a few bytes become 16 MB at most.
        for start in range(0, len(data), 16):
            yield stream.process(data[start : start + 16])


def _unzstd(data: bytes, limit: int) -> bytes:
    library = _zstd(Unsupported)
    if sys.version_info >= (3, 14):
        return _stepwise(library.ZstdDecompressor(), data, limit)
    decompressor = library.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    with decompressor.stream_reader(data) as stream:
        if len(stream.read(limit + 1)) > limit:
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
