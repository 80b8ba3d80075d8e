"""Exceptions of a user's own, in a module that both sides have loaded: so the caller can catch them by their class."""

from __future__ import annotations


class Busy(Exception):
    """The bank is busy."""


class HttpError(Exception):
    """Keeps its arguments by itself: Python remembers those of every exception."""


class StatusError(Exception):
    """Takes what it also hands on."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code
        super().__init__(status_code)


class FullError(Exception):
    """Takes several, with defaults, and hands all of them on."""

    def __init__(self, status_code: int, headers: dict[str, str] | None = None, body: str | None = None) -> None:
        self.status_code, self.headers, self.body = status_code, headers, body
        super().__init__(status_code, headers, body)


class ForgetfulError(Exception):
    """Takes what it does not hand on; ``__new__`` of every exception keeps it, nevertheless."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


class PickyError(Exception):
    """Wants what it does not keep: it cannot be made again."""

    def __init__(self, *, status_code: int) -> None:
        self.status_code = status_code
        super().__init__(f"status {status_code}")
