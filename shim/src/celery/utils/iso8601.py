"""Moments as text, under Celery's path."""

from datetime import UTC, datetime


def parse_iso8601(datestring: str) -> datetime:
    """Return the moment; without a time zone it is UTC.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(datestring)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None and "T" in datestring.upper() else moment
