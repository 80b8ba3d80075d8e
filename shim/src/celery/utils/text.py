"""Small works on text, by Celery's names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pprint import pformat
from re import Pattern
from textwrap import fill
from typing import Any, Final

_KEY: Final = re.compile(r"%(\w|%)")


def str_to_list(s: str | Iterable[str]) -> list[str]:
    """Return the parts between commas; a list of parts as it is."""
    return [part.strip() for part in s.split(",")] if isinstance(s, str) else list(s)


def truncate(s: str, maxlen: int = 128, suffix: str = "...") -> str:
    """Return at most ``maxlen`` characters, ended by ``suffix`` where something is missing; whole words if possible."""
    if not maxlen or len(s) <= maxlen:
        return s
    kept, space, _ = s[:maxlen].rpartition(" ")
    return (kept if space else s[:maxlen]) + suffix


def abbr(S: str | None, max: int, ellipsis: str | bool = "...") -> str:  # noqa: N803 - Celery's name
    """Return the first ``max`` characters, the last of them ``ellipsis`` where something is missing; ``???`` for nothing."""
    if S is None:
        return "???"
    if len(S) <= max:
        return S
    return S[: max - len(ellipsis)] + ellipsis if isinstance(ellipsis, str) and ellipsis else S[:max]


def abbrtask(S: str | None, max: int) -> str:  # noqa: N803 - Celery's name
    """Return a task's name in ``max`` characters: the function in full, its module abbreviated."""
    if S is None:
        return "???"
    if len(S) <= max:
        return S
    module, _, function = S.rpartition(".")
    function = f"[.]{function}"
    return abbr(module, max - len(function), False) + function


def dedent(s: str, sep: str = "\n") -> str:
    """Return the lines without the indentation of the first of them that is indented."""
    lines = s.splitlines()
    margin = next((len(line) - len(line.lstrip()) for line in lines if line[:1].isspace() and line.strip()), 0)
    return sep.join(line[margin:] if line[:margin].isspace() else line for line in lines)


def indent(t: str, indent: int = 0, sep: str = "\n") -> str:
    """Return the text with ``indent`` spaces before each line."""
    return sep.join(" " * indent + line for line in t.split(sep))


def join(l: Iterable[str], sep: str = "\n") -> str:  # noqa: E741 - Celery's name
    """Return the texts that are not empty, joined."""
    return sep.join(text for text in l if text)


def ensure_sep(sep: str, s: str, n: int = 2) -> str:
    """Return the text, ended by at least ``n`` times ``sep``."""
    return s + sep * (n - s.count(sep))


def pluralize(n: float, text: str, suffix: str = "s") -> str:
    """Return the word, with ``suffix`` when there is more than one."""
    return text + suffix if n != 1 else text


def pretty(value: object, width: int = 80, nl_width: int = 80, sep: str = "\n", **kw: Any) -> str:
    """Return the value laid out for reading; a mapping and a text that is long begin on a line of their own."""
    if isinstance(value, Mapping):
        return "{" + sep + " " + pformat(value, 4, nl_width, **kw)[1:]
    if isinstance(value, tuple):
        return f"{sep}{' ' * 4}{pformat(value, width=nl_width, **kw)}"
    return pformat(value, width=width, **kw)


def simple_format(s: str, keys: Mapping[str, Any], pattern: Pattern[str] = _KEY, expand: str = r"\1") -> str:
    """Return the text with each ``%x`` replaced by ``keys["x"]``; ``%%`` is a ``%``. A function as value is called."""
    if not s:
        return s

    def value(match: re.Match[str]) -> str:
        found = {"%": "%", **keys}[match.expand(expand)]
        return str(found() if callable(found) else found)

    return pattern.sub(value, s)


def fill_paragraphs(s: str, width: int, sep: str = "\n") -> str:
    """Return the text with each of its paragraphs filled to ``width``."""
    return sep.join(fill(paragraph, width) for paragraph in s.split(sep))
