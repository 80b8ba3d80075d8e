"""Bodies are compressed as Celery does it, and no bomb fills the memory."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celeriac.core import compression
from celeriac.core.errors import DecodeError, EncodeError

METHODS = ["gzip", "bzip2", "lzma", "brotli", "zstd"]
MB = 1024 * 1024
ZSTD_MODULE = "compression.zstd" if sys.version_info >= (3, 14) else "zstandard"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 4000])
def test_what_is_compressed_comes_back(method: str, data: bytes) -> None:
    packed = compression.compress(data, method)

    assert compression.decompress(packed, compression.method_of(method), limit=10 * MB) == data


def test_gzip_is_a_zlib_stream_as_celery_has_it() -> None:
    assert zlib.decompress(compression.compress(b"data", "gzip")) == b"data"
    assert compression.method_of("gzip") == compression.method_of("zlib") == "application/x-gzip"


@pytest.mark.parametrize("method", METHODS)
def test_exactly_the_limit_is_let_through(method: str) -> None:
    packed = compression.compress(b"x" * 1000, method)

    assert len(compression.decompress(packed, method, limit=1000)) == 1000
    with pytest.raises(compression.Oversized):
        compression.decompress(packed, method, limit=999)


@pytest.mark.parametrize("method", METHODS)
def test_a_bomb_costs_no_more_than_the_limit(method: str) -> None:
    size = 200 * MB if method in {"gzip", "zstd"} else 60 * MB  # the others take long to make one
    bomb = compression.compress(b"\0" * size, method)
    tracemalloc.start()

    with pytest.raises(compression.Oversized):
        compression.decompress(bomb, method, limit=8 * MB)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * MB


@pytest.mark.parametrize("method", METHODS)
def test_a_stream_that_is_cut_off_is_a_decode_error(method: str) -> None:
    packed = compression.compress(bytes(range(256)) * 100, method)

    with pytest.raises(DecodeError):
        compression.decompress(packed[: len(packed) // 2], method, limit=MB)


def test_a_gzip_file_is_no_zlib_stream() -> None:
    with pytest.raises(DecodeError, match="application/x-gzip"):
        compression.decompress(gzip.compress(b"data"), "gzip", limit=MB)


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(EncodeError, match="gzpi"):
        compression.compress(b"", "gzpi")
    with pytest.raises(compression.Unsupported, match="gzpi"):
        compression.decompress(b"", "gzpi", limit=1)


@pytest.mark.parametrize(("method", "module"), [("brotli", "brotli"), ("zstd", ZSTD_MODULE)])
def test_a_missing_library_is_named_with_its_extra(method: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(EncodeError, match=rf"celeriac\[{method}\]"):
        compression.compress(b"data", method)
    with pytest.raises(compression.Unsupported, match=rf"celeriac\[{method}\]"):
        compression.decompress(b"data", method, limit=MB)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200), st.sampled_from(METHODS))
def test_any_bytes_are_data_or_a_decode_error(data: bytes, method: str) -> None:
    with suppress(DecodeError):
        compression.decompress(data, method, limit=MB)
