"""What stands behind ``celeriac multi COMMAND``: names, options for all nodes, options for some of them.

First of three steps: words -> members -> processes. Pure. ``-c 3`` and ``--concurrency=3`` are for all, ``-c:1-3 8`` for those
that the colon names; a short option takes the next word as its value unless that begins with a dash; what follows ``--`` is
handed on. Does not know: which options there are. Source: Celery's reference of ``celery multi``.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

Options = dict[str, str | None]
"""Flag with its dashes -> value, in the order of the words."""


@dataclass
class Words:
    """A command line, taken apart."""

    names: list[str] = field(default_factory=list)
    options: Options = field(default_factory=dict)
    """For every node."""
    some: dict[str, Options] = field(default_factory=dict)
    """What stood behind the colon -> for these nodes."""
    rest: tuple[str, ...] = ()
    """From ``--`` on."""
    signal: signal.Signals = signal.SIGTERM
    """``-KILL``, ``-SIGKILL``, ``-9``: the last one named; only where signals are looked for."""


def parse_words(words: Sequence[str], *, signals: bool = False) -> Words:
    """Take a command line apart; ``signals``: options that are names or numbers of signals are not for the nodes."""
    parsed = Words()
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word == "--":
            parsed.rest = tuple(words[position - 1 :])
            break
        number = signal_of(word) if signals else None
        if number is not None:
            parsed.signal = number
        elif word.startswith("--"):
            name, _, value = word.partition("=")
            _add(parsed, name, value or None)
        elif word.startswith("-") and len(word) > 1:
            follows = position < len(words) and not words[position].startswith("-")
            _add(parsed, word, words[position] if follows else None)
            position += follows
        elif word:
            parsed.names.append(word)
    return parsed


def signal_of(word: str) -> signal.Signals | None:
    """Return the signal that a word such as ``-KILL``, ``-SIGKILL`` or ``-9`` names."""
    if not word.startswith("-") or word.startswith("--"):
        return None
    name = word[1:]
    try:
        if name.isdigit():
            return signal.Signals(int(name))
        return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"]
    except (KeyError, ValueError):
        return None


def _add(parsed: Words, name: str, value: str | None) -> None:
    flag, colon, where = name.partition(":")
    options = parsed.some.setdefault(where, {}) if colon else parsed.options
    options[flag] = value
