"""One field of a crontab: from what a program wrote to the numbers that it means.

In a program's life: when a settings module makes a crontab. Syntax: ``*``, ``*/n``, ``a``, ``a-b``, ``a-b/n``, several with
commas, names of days and months in any case; or a number, or any iterable of numbers. A range may wrap: ``22-2`` of hours is
22, 23, 0, 1, 2. Steps count from the beginning of the range. Source: Celery's reference of ``celery.schedules.crontab_parser``.
Does not know: what the fields together mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

from celeriac.core.errors import CeleriacError

DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_SHORTEST_NAME: Final = 3
_PART: Final = re.compile(r"(?P<star>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?")


class ParseException(CeleriacError, ValueError):
    """A field of a crontab cannot be read, or means no moment at all. Also a ``ValueError``, as some of these are with Celery."""


class Field(Struct, frozen=True, kw_only=True):
    """Which numbers a field may name, and how it is called in messages."""

    name: str
    """As the argument of ``crontab``."""
    lowest: int
    highest: int
    words: tuple[str, ...] = ()
    """Names of the numbers, from ``lowest`` on; the first three letters or more of one will do."""

    def read(self, given: Any) -> frozenset[int]:
        """Return the numbers that ``given`` means.

        Raises:
            ParseException: it cannot be read, names no number, or one that is out of bounds.
            TypeError: it is neither text, nor a number, nor an iterable of numbers.
        """
        if isinstance(given, str):
            return self.parse(given)
        numbers = [given] if isinstance(given, int) else list(given) if isinstance(given, Iterable) else None
        if numbers is None or not all(isinstance(number, int) for number in numbers):
            raise TypeError(f"{self.name} = {given!r} is neither text, nor a number, nor an iterable of numbers")
        if not numbers:
            raise self._wrong(given, "it names no number")
        return frozenset(self._bounded(int(number), given) for number in numbers)

    def parse(self, text: str) -> frozenset[int]:
        """Return the numbers that the text means, such as ``"1,13,30-45,50-59/2"``.

        Raises:
            ParseException: it cannot be read.
        """
        numbers: set[int] = set()
        for part in text.split(","):
            numbers.update(self._expand(part.strip(), text))
        return frozenset(numbers)

    def _expand(self, part: str, text: str) -> Iterable[int]:
        if not part:
            raise self._wrong(text, "a part of it is empty")
        span, slash, step = part.partition("/")
        found = _PART.fullmatch(span)
        if found is None:
            why = "negative numbers mean nothing" if span.startswith("-") else f"{part!r} is no number, range or '*'"
            raise self._wrong(text, why)
        if slash and not (found["star"] or found["last"]):
            raise self._wrong(text, f"{part!r} has a step; that needs a range, or '*', before it")
        numbers = self._span(found["first"], found["last"], text)
        return numbers[:: self._step(step, text)] if slash else numbers

    def _span(self, first: str | None, last: str | None, text: str) -> list[int]:
        if first is None:
            return list(range(self.lowest, self.highest + 1))
        begin = self._number(first, text)
        if last is None:
            return [begin]
        end = self._number(last, text)
        if begin <= end:
            return list(range(begin, end + 1))
        return [*range(begin, self.highest + 1), *range(self.lowest, end + 1)]

    def _number(self, word: str, text: str) -> int:
        if word.isascii() and word.isdigit():
            return self._bounded(int(word), text)
        if len(word) >= _SHORTEST_NAME:
            for number, name in enumerate(self.words, self.lowest):
                if name.startswith(word.lower()):
                    return number
        raise self._wrong(text, f"{word!r} is no number" + (f", nor a name such as {self.words[0][:3]!r}" if self.words else ""))

    def _step(self, word: str, text: str) -> int:
        if not (word.isascii() and word.isdigit() and int(word)):
            raise self._wrong(text, f"the step {word!r} is no number of 1 or more")
        return int(word)

    def _bounded(self, number: int, given: Any) -> int:
        if not self.lowest <= number <= self.highest:
            raise self._wrong(given, f"{number} is not from {self.lowest} to {self.highest}")
        return number

    def _wrong(self, given: Any, why: str) -> ParseException:
        return ParseException(f"{self.name} = {given!r} cannot be read: {why}")


MINUTE: Final = Field(name="minute", lowest=0, highest=59)
HOUR: Final = Field(name="hour", lowest=0, highest=23)
DAY_OF_WEEK: Final = Field(name="day_of_week", lowest=0, highest=6, words=DAYS)
DAY_OF_MONTH: Final = Field(name="day_of_month", lowest=1, highest=31)
MONTH_OF_YEAR: Final = Field(name="month_of_year", lowest=1, highest=12, words=MONTHS)
