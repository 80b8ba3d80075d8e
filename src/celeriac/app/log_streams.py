"""The two ends of the worker's log: a file that many processes write, and what looks like stdout and is the log.

In a job's life: beside it. Does not know: formats, settings.
"""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import TextIO


class SharedLogFile(WatchedFileHandler):
    """Appends to a file that other processes append to as well, and opens it anew when a log rotator has moved it away."""

    def __init__(self, path: str) -> None:
        """Open the file.

        Raises:
            OSError: that cannot be done.
        """
        super().__init__(path, mode="a", encoding="utf-8", errors="backslashreplace")

    def _open(self) -> io.TextIOWrapper:
        # No buffer: a record is one write at the end of the file, so that lines of several processes never mix, however long.
        raw = Path(self.baseFilename).open("ab", buffering=0)  # noqa: SIM115 - the handler closes it
        return io.TextIOWrapper(raw, encoding=self.encoding, errors=self.errors, write_through=True)


class _Line(threading.local):
    """What one thread has printed of a line, and whether it is logging at the moment."""

    begun = ""
    logging = False


class LoggedStream(io.TextIOBase):
    """Looks like stdout, and logs each line that is written. Each thread writes lines of its own."""

    mode, name, encoding, errors = "w", None, "utf-8", "backslashreplace"

    loglevel = logging.ERROR

    def __init__(self, logger: logging.Logger, loglevel: int | None = None) -> None:
        """``loglevel``: of what is written; ``None``: ERROR."""
        super().__init__()
        self.logger = logger
        if loglevel is not None:
            self.loglevel = loglevel
        self._line = _Line()

    def writable(self) -> bool:
        """Say that one may write."""
        return True

    def isatty(self) -> bool:
        """Say that it is no terminal."""
        return False

    def write(self, data: str) -> int:
        """Log the lines that are complete, and keep the rest until its end comes."""
        if self._line.logging:
            # A handler that fails prints its complaint to stderr, which is us: without this it would never end.
            return len(data)
        *lines, self._line.begun = (self._line.begun + data).split("\n")
        self._log(lines)
        return len(data)

    def writelines(self, sequence: Iterable[str]) -> None:  # type: ignore[override]
        """Write one after the other."""
        for line in sequence:
            self.write(line)

    def flush(self) -> None:
        """Log a line though its end has not come."""
        begun, self._line.begun = self._line.begun, ""
        self._log([begun])

    def close(self) -> None:
        """Log what there is, and go on: who closes stdout does not close the log."""
        self.flush()

    def _log(self, lines: list[str]) -> None:
        self._line.logging = True
        try:
            for line in lines:
                if line.strip():
                    self.logger.log(self.loglevel, "%s", line.rstrip())
        finally:
            self._line.logging = False


@contextmanager
def redirected(logger: logging.Logger, level: int) -> Iterator[None]:
    """Log what is printed meanwhile. The sentence of an error that ends the program comes after, on stderr."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = LoggedStream(logger, level), LoggedStream(logger, level)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def standard_error() -> TextIO:
    """Return the stderr that the program was started with."""
    return sys.__stderr__ or sys.stderr
