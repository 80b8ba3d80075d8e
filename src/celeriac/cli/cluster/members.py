"""Which nodes a command line of ``celeriac multi`` means, and the command that starts each.

Second of three steps: words -> members -> processes. Pure but for the name of this host, which is handed in. Names, order of
words and placeholders are Celery's, so that scripts and pid files fit. Does not know: processes. Source: Celery's reference of
``celery multi``.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from celeriac.app.log_file import log_file
from celeriac.cli.cluster.words import Options, Words
from celeriac.core.errors import ImproperlyConfigured

COMMAND: Final = "-m celeriac worker --detach"
PIDFILE: Final = "/var/run/celery/%n.pid"
LOGFILE: Final = "/var/log/celery/%n%I.log"
RANGE_PREFIX: Final = "celery"
BEFORE_COMMAND: Final = frozenset(
    {"-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config", "--workdir"}
    | {"-C", "--no-color", "-q", "--quiet", "--skip-checks"}
)
"""Options of ``celeriac`` itself: they stand before ``worker``."""


@dataclass(frozen=True)
class Member:
    """One node of a cluster."""

    name: str
    """Such as ``celery1@host``."""
    executable: str
    arguments: tuple[str, ...]
    """Of the Python that starts it."""
    pidfile: str
    logfile: str
    marks: dict[str, str] = field(repr=False)

    def expand(self, template: str) -> str:
        """Replace the placeholders: ``%n`` is its short name, ``%d`` its host, ``%h`` and ``%p`` its whole name."""
        return expanded(template, self.marks)

    def command_line(self) -> str:
        """Return what one would type."""
        return shlex.join(self.arguments)


def members_of(words: Words, *, host: str, python: str) -> list[Member]:
    """Return the nodes that are meant.

    Args:
        words: As typed.
        host: Name of this machine.
        python: Runs them, unless ``--executable`` names another.

    Raises:
        ImproperlyConfigured: an option is for a node that is not there.
    """
    options = dict(words.options)
    command = options.pop("--cmd", None) or COMMAND
    append = options.pop("--append", None)
    named = options.pop("-n", None)
    wanted = options.pop("--hostname", None) or named or host
    prefix = options.pop("--prefix", None) or ""
    suffix = options.pop("--suffix", None)
    range_prefix = options.pop("--range-prefix", None) or RANGE_PREFIX
    suffix = "" if suffix in ('""', "''") else suffix or wanted
    names, counted = words.names, len(words.names) == 1 and words.names[0].isdigit()
    if counted:
        names, prefix = [str(number) for number in range(1, int(names[0]) + 1)], range_prefix
    own = _options_by_name(words.some, names, counted=counted)
    members = []
    for name in names:
        short, whole = _names(name, prefix, suffix, host)
        chosen = options | (own.get(whole) or own.get(name) or own.get(short) or {})
        members.append(_member(short, whole, chosen, command=command, append=append, rest=words.rest, python=python))
    return members


def find(members: Iterable[Member], name: str) -> Member | None:
    """Return the member of this name, whole or short."""
    return next((member for member in members if name in (member.name, member.name.partition("@")[0])), None)


def expanded(template: str, marks: dict[str, str]) -> str:
    """Replace the placeholders; what is none stays."""
    return re.sub(r"%(.)", lambda found: marks.get(found[1], found[0]), template)


def _names(name: str, prefix: str, suffix: str, host: str) -> tuple[str, str]:
    if "@" not in name:
        return f"{prefix}{name}", f"{prefix}{name}@{suffix}"
    marks = {"h": host, "n": host.partition(".")[0], "d": host.partition(".")[2], "%": "%"}
    whole = expanded(name, marks)
    return whole.partition("@")[0], whole


def _options_by_name(some: dict[str, Options], names: Sequence[str], *, counted: bool) -> dict[str, Options]:
    found: dict[str, Options] = {}
    for where, options in some.items():
        for part in where.split(","):
            for name in _meant(part, names, counted=counted):
                found.setdefault(name, {}).update(options)
    return found


def _meant(part: str, names: Sequence[str], *, counted: bool) -> Iterable[str]:
    """Say whom one part of ``-c:PART`` means: a number is a place in the list of names, ``1-3`` a range of a counted cluster."""
    first, dash, last = part.partition("-")
    if counted and dash and first.isdigit() and last.isdigit():
        return [str(number) for number in range(int(first), int(last) + 1)]
    if part.isdigit():
        if not 1 <= int(part) <= len(names):
            raise ImproperlyConfigured(f"an option is for node {part}, and there are {len(names)}; the first is 1")
        return [names[int(part) - 1]]
    return [part]


def _member(
    short: str, name: str, options: Options, *, command: str, append: str | None, rest: tuple[str, ...], python: str
) -> Member:
    host = name.partition("@")[2]
    marks = {"p": name, "h": name, "n": short, "N": short, "d": host, "%": "%", "i": "%i", "I": "%I"}
    options = dict(options)
    options["-n"] = name
    pidfile = _default(options, ("--pidfile", "-p"), PIDFILE)
    logfile = _default(options, ("--logfile", "-f"), LOGFILE)
    executable = options.setdefault("--executable", python) or python
    start = shlex.split(expanded(command, marks))
    place = next((at + 1 for at, word in enumerate(start) if os.path.basename(word) in ("celeriac", "celery")), None)
    words: list[str] = []
    for flag, value in options.items():
        text = None if value is None else expanded(value, marks)
        if flag in BEFORE_COMMAND and place is not None:
            start[place:place] = _typed(flag, os.path.expanduser(text) if flag == "--workdir" and text else text)
        else:
            words += _typed(flag, text)
    last = [] if append is None else shlex.split(expanded(append, marks))
    # The worker expands both once more.
    files = [log_file(os.path.expanduser(expanded(path, marks)), name) for path in (pidfile, logfile)]
    return Member(name, executable, (*start, *words, *rest, *last), files[0], files[1], marks)


def _default(options: Options, flags: tuple[str, str], value: str) -> str:
    for flag in flags:
        if given := options.get(flag):
            options[flag] = os.path.expanduser(given)
            return given
    options[flags[0]] = value
    return value


def _typed(flag: str, value: str | None) -> list[str]:
    if not value:
        return [flag]
    return [f"{flag}={value}"] if flag.startswith("--") else [flag, value]
