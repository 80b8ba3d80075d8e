"""Rewrite the old names of settings in the source of a module: ``CELERYD_CONCURRENCY = 4`` becomes ``worker_concurrency = 4``.

In a program's life: once, when it moves over. Names are replaced where they are settings: assigned in the module, given by
keyword, read from ``conf``, or keys of a dict; never in comments, texts or other programs' objects. Pure. Does not know: files.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from celeriac.config.aliases import modern_name
from celeriac.config.catalog import NAMES

_NOT_CODE: Final = frozenset({tokenize.COMMENT, tokenize.NL})
_BEGINNINGS: Final = frozenset({tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING})
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


class Renamed(Struct, frozen=True):
    """One name that was replaced."""

    line: int
    """From 1."""
    old: str
    new: str


def upgrade(source: str, *, upper: bool) -> tuple[str, list[Renamed]]:
    """Return the source with today's names, and what was replaced.

    Args:
        source: Of a Python module.
        upper: In capitals with ``CELERY_`` before them, as in the settings of a Django project.

    Raises:
        SyntaxError: it is no Python.
    """
    ast.parse(source)
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in _NOT_CODE]
    spell: Callable[[str], str] = (lambda name: f"CELERY_{name.upper()}") if upper else (lambda name: name)
    lines = source.splitlines(keepends=True)
    renamed = []
    for token, name in reversed(list(_settings(tokens))):
        new = spell(modern_name(name, NAMES))
        if new == name:
            continue
        row, column = token.start
        begins = column + token.string.index(name)
        line = lines[row - 1]
        lines[row - 1] = line[:begins] + new + line[begins + len(name) :]
        renamed.append(Renamed(row, name, new))
    return "".join(lines), renamed[::-1]


def unknown(source: str) -> list[Renamed]:
    """Return names that are assigned as if they were settings, and that nobody knows."""
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in _NOT_CODE]
    found = (token for token, _ in _assigned(tokens) if token.string.startswith(("CELERY_", "CELERYD_", "CELERYBEAT_")))
    return [Renamed(token.start[0], token.string, "") for token in found if modern_name(token.string, NAMES) not in NAMES]


def _settings(tokens: Sequence[tokenize.TokenInfo]) -> Iterator[tuple[tokenize.TokenInfo, str]]:
    """Yield the tokens that are names of settings, in any spelling, with the name."""
    assigned = {token.string for token, _ in _assigned(tokens)}
    words = [token.string for token in tokens]
    for place, token in enumerate(tokens):
        name = _text_of(token)
        if name is None or name in NAMES or modern_name(name, NAMES) not in NAMES:
            continue
        of_conf = words[max(0, place - 2) : place] in (["conf", "."], ["conf", "["])
        after = words[place + 1] if place + 1 < len(words) else ""
        if token.type == tokenize.STRING:
            found = of_conf or after == ":"
        elif place and words[place - 1] == ".":
            found = of_conf
        else:
            found = name in assigned or after == "="
        if found:
            yield token, name


def _assigned(tokens: Sequence[tokenize.TokenInfo]) -> Iterator[tuple[tokenize.TokenInfo, int]]:
    """Yield the names that a statement begins with and gives a value to."""
    depth = 0
    for place, token in enumerate(tokens[:-1]):
        depth += (token.string in _OPENING) - (token.string in _CLOSING) if token.type == tokenize.OP else 0
        begins = place == 0 or tokens[place - 1].type in _BEGINNINGS or tokens[place - 1].string == ";"
        if token.type == tokenize.NAME and depth == 0 and begins and tokens[place + 1].string in {"=", ":", "+=", "|="}:
            yield token, place


def _text_of(token: tokenize.TokenInfo) -> str | None:
    if token.type == tokenize.NAME:
        return token.string
    if token.type == tokenize.STRING:
        try:
            value = ast.literal_eval(token.string)
        except (ValueError, SyntaxError):
            return None
        return value if isinstance(value, str) and value in token.string else None
    return None
