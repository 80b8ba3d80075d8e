"""``crontab_parser``: one field of a crontab by itself, for programs that look at what somebody typed.

In a program's life: outside of it. ``crontab`` reads its fields without it. Source: Celery's reference of
``celery.schedules.crontab_parser``. Does not know: crontabs.
"""

from __future__ import annotations

from celeriac.core.schedules import fields
from celeriac.core.schedules.fields import Field, ParseException


class crontab_parser:  # noqa: N801 - Celery's name
    """Reads one field of a crontab: ``crontab_parser(24).parse("8-17/2")``.

    Args:
        max_: How many numbers there are.
        min_: The first of them.
    """

    ParseException = ParseException

    def __init__(self, max_: int = 60, min_: int = 0) -> None:
        self.max_ = max_
        self.min_ = min_

    def parse(self, spec: str) -> set[int]:
        """Return the numbers that the text means. Names of days are known with 7 numbers from 0 on, of months with 12 from 1 on.

        Raises:
            ParseException: it cannot be read.
        """
        highest = self.min_ + self.max_ - 1
        named = (
            known for known in (fields.DAY_OF_WEEK, fields.MONTH_OF_YEAR) if (known.lowest, known.highest) == (self.min_, highest)
        )
        words = next((known.words for known in named), ())
        return set(Field(name="spec", lowest=self.min_, highest=highest, words=words).parse(spec))
