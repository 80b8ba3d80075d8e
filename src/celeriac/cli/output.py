"""How commands print: columns for people, JSON for programs, nothing that could command a terminal.

What comes out of a store was written by others: names, reasons and arguments may hold escape sequences. Does not know: commands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import click

as_json = click.option("-j", "--json", "as_json", is_flag=True, help="Print JSON.")


def printable(text: str) -> str:
    """Return the text on one line, with control characters shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_json(value: object) -> None:
    """Print a value as JSON; what JSON cannot say is shown as text."""
    click.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def print_columns(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns; numbers to the right."""
    cells = [[printable(str(value)) for value in row] for row in rows]
    numeric = [bool(cells) and all(row[i].isdigit() for row in cells) for i in range(len(headings))]
    widths = [max(len(row[i]) for row in [list(headings), *cells]) for i in range(len(headings))]
    for row in [list(headings), *cells]:
        shown = [
            cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        click.echo("  ".join(shown).rstrip())


def moment(seconds: float) -> str:
    """Show seconds since 1970 as UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="seconds")
