"""Option types that click lacks: lists, JSON, moments. Each fails with a sentence that shows what is allowed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click


class CommaList(click.ParamType):
    """``a,b,c``."""

    name = "a,b,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Split at commas; blanks around names do not count."""
        if isinstance(value, tuple):
            return value
        return tuple(name.strip() for name in str(value).split(",") if name.strip())


class Json(click.ParamType):
    """JSON of one kind, such as an array."""

    def __init__(self, kind: type, name: str) -> None:
        self.kind, self.name = kind, name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse, and check the kind."""
        if isinstance(value, self.kind):
            return value
        try:
            parsed = json.loads(value)
        except ValueError as error:
            self.fail(f"{value!r} is not JSON: {error}", param, ctx)
        if not isinstance(parsed, self.kind):
            self.fail(f"{value!r} is JSON, but not {self.name}", param, ctx)
        return parsed


class Moment(click.ParamType):
    """ISO 8601, such as ``2030-01-31T08:00:00+01:00``."""

    name = "iso-8601"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Parse; without an offset it is in the app's time zone, as ``apply_async`` takes it."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a moment such as 2030-01-31T08:00:00+01:00", param, ctx)


class MomentOrSeconds(Moment):
    """ISO 8601, or seconds from now."""

    name = "iso-8601|seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Try a number first."""
        try:
            return float(value)
        except (TypeError, ValueError):
            return super().convert(value, param, ctx)


class Concurrency(click.ParamType):
    """A number, or ``auto``."""

    name = "n|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; 0 for ``auto``."""
        if value == "auto":
            return 0
        try:
            number = int(value)
        except ValueError:
            number = -1
        if number < 0:
            self.fail(f"{value!r} is neither a number of tasks nor 'auto'", param, ctx)
        return number


COMMA_LIST = CommaList()
CONCURRENCY = Concurrency()
JSON_ARRAY = Json(list, "a JSON array")
JSON_OBJECT = Json(dict, "a JSON object")
MOMENT = Moment()
MOMENT_OR_SECONDS = MomentOrSeconds()
