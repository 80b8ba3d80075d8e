"""Write docs/reference/settings.md and cli.md from the code, so that they cannot tell anything else than it.

    python scripts/generate_reference.py [--check]

``--check`` writes nothing, and fails if a page is not current.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
import msgspec

from celeriac.cli.main import celeriac
from celeriac.config import sections
from celeriac.config.aliases import old_names
from celeriac.config.catalog import option
from celeriac.config.sections import SECTIONS
from celeriac.config.sections.kinds import Harmless, Later, Mark, Unhonoured

PAGES = Path(__file__).parent.parent / "docs" / "reference"
WIDTH = 100
NOTE = "<!-- Written by `make reference` from the code. Do not edit. -->\n"


def field_docs(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Return the docstring below each field of a section."""
    [body] = [node for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef)]
    docs: dict[str, str] = {}
    for field, doc in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(doc, ast.Expr):
            docs[field.target.id] = " ".join(str(ast.literal_eval(doc.value)).split())
    return docs


def cell(text: str) -> str:
    """Return the text as one cell of a table."""
    return text.replace("``", "`").replace("|", "\\|")


def settings_page() -> str:
    """Return the page of settings."""
    lines = [NOTE, "# Settings", "", (sections.__doc__ or "").splitlines()[0].rstrip(), ""]
    lines += ["Names are Celery's; a bare number of a time is seconds. See [configuration](../guide/configuration.md)."]
    lines += ['A setting whose status is empty is honoured. One that "comes with" something is known and kept, and has no effect']
    lines += ['yet: setting it logs a warning, once. One that "needs no effect" is set without a word.']
    for prefix, kind in SECTIONS.values():
        docs = field_docs(kind)
        lines += [
            "",
            f"## {(kind.__doc__ or '').splitlines()[0].replace('``', '`')}",
            "",
            "| setting | type | default | unit | meaning | status | old names |",
            "|---|---|---|---|---|---|---|",
        ]
        for name in kind.__struct_fields__:
            # Each docstring begins with the setting's own name, which is in the first column already.
            meaning = docs[name].partition(": ")[2]
            said = option(prefix + name)
            row = [
                f"`{said.name}`",
                kind_text(said.kind),
                f"`{said.default!r}`",
                unit_of(said.kind),
                meaning[:1].upper() + meaning[1:],
                status_text(said.mark),
                ", ".join(f"`{old}`" for old in old_names(said.name)),
            ]
            lines.append(f"| {' | '.join(map(cell, row))} |")
    return "\n".join(lines) + "\n"


WORDS = {
    bool: "true or false", str: "text", int: "whole number", float: "number", bytes: "bytes", type(None): "`None`",
    timedelta: "timedelta", Any: "see the meaning",
}  # fmt: skip


def kind_text(kind: Any) -> str:
    """Return what values a type has, in words."""
    parts = get_args(kind)
    origin = get_origin(kind)
    if kind in WORDS:
        return WORDS[kind]
    if origin is Annotated:
        bounds = [note for note in parts[1:] if isinstance(note, msgspec.Meta)]
        return kind_text(parts[0]) + "".join(bound_text(bound) for bound in bounds)
    if origin is Literal:
        return ", ".join(f"`{choice!r}`" for choice in parts)
    if origin in {Union, UnionType}:
        return " or ".join(kind_text(part) for part in parts)
    if origin in {tuple, list}:
        return "list of texts"
    return "mapping"


def bound_text(bound: msgspec.Meta) -> str:
    """Return the bounds of a number or a text, in signs."""
    signs = (
        (bound.gt, "> "),
        (bound.ge, "≥ "),
        (bound.le, "≤ "),
        (bound.min_length, "length ≥ "),
        (bound.max_length, "length ≤ "),
    )
    return "".join(f" {sign}{value}" for value, sign in signs if value is not None)


def unit_of(kind: Any) -> str:
    """Return the unit of a number, wherever in the type it is."""
    notes = [note for note in get_args(kind) if isinstance(note, msgspec.Meta)]
    own = "".join(str((note.extra or {}).get("unit", "")) for note in notes)
    return own or next(filter(None, (unit_of(part) for part in get_args(kind) if get_args(part))), "")


def status_text(mark: Mark | None) -> str:
    """Return why a setting is not honoured."""
    match mark:
        case Later():
            return f"comes with {mark.what}"
        case Harmless():
            return f"needs no effect: {mark.why}"
        case Unhonoured():
            return f"not honoured: {mark.why}"
        case None:
            return ""


def commands(command: click.Command, parent: click.Context | None, name: str) -> Iterator[click.Context]:
    """Give a context for the command and for each below it."""
    ctx = click.Context(command, parent=parent, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
    yield ctx
    if isinstance(command, click.Group):
        for below in command.list_commands(ctx):
            found = command.get_command(ctx, below)
            assert found is not None
            yield from commands(found, ctx, below)


def cli_page() -> str:
    """Return the page of commands."""
    lines = [NOTE, "# Command line", "", "The help of each command, as `--help` prints it."]
    for ctx in commands(celeriac, None, "celeriac"):
        lines += ["", f"## {ctx.command_path}", "", "```text", ctx.get_help().rstrip(), "```"]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the pages, or check them."""
    pages = {PAGES / "settings.md": settings_page(), PAGES / "cli.md": cli_page()}
    if sys.argv[1:] == ["--check"]:
        stale = [path.name for path, text in pages.items() if not path.is_file() or path.read_text() != text]
        if stale:
            print(f"not current: {', '.join(stale)}; run `make reference`")
        return len(stale)
    PAGES.mkdir(parents=True, exist_ok=True)
    for path, text in pages.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
