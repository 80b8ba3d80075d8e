"""Write docs/reference/settings.md and cli.md from the code, so that they cannot tell anything else than it.

    python scripts/generate_reference.py [--check]

``--check`` writes nothing, and fails if a page is not current.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from celeriac.cli.main import celeriac
from celeriac.config import sections
from celeriac.config.known import HARMLESS, KNOWN
from celeriac.config.settings import SECTIONS

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
    for prefix, kind in SECTIONS.values():
        docs = field_docs(kind)
        lines += [
            "",
            f"## {(kind.__doc__ or '').splitlines()[0].replace('``', '`')}",
            "",
            "| setting | default | meaning |",
            "|---|---|---|",
        ]
        for name in kind.__struct_fields__:
            # Each docstring begins with the setting's own name, which is in the first column already.
            meaning = docs[name].partition(": ")[2]
            meaning = meaning[:1].upper() + meaning[1:]
            lines.append(f"| `{prefix}{name}` | `{cell(repr(getattr(kind(), name)))}` | {cell(meaning)} |")
    lines += ["", "## Known, not honoured by this version", "", "Setting one of these logs a warning.", ""]
    lines += [", ".join(f"`{name}`" for name in sorted(set(KNOWN) - HARMLESS))]
    lines += ["", "## Known, without effect", "", "They tune what this engine does not have. Setting one is not an error.", ""]
    lines += [", ".join(f"`{name}`" for name in sorted(HARMLESS & set(KNOWN)))]
    return "\n".join(lines) + "\n"


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
