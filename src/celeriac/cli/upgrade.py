"""``celeriac upgrade``: move a program's own files to today's names.

In a program's life: once. Does not know: which names are old (``config.aliases``), where they stand (``upgrading``).
"""

from __future__ import annotations

import os
import shutil
import tokenize
from pathlib import Path

import click
import msgspec

from celeriac.cli.output import as_json, print_json
from celeriac.cli.upgrading import unknown, upgrade


@click.group("upgrade")
def command() -> None:
    """Move the files of a program to today's names."""


@command.command("settings")
@click.argument("filename", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--django", is_flag=True, help="Names of a Django project: in capitals, with CELERY_ before them.")
@click.option("--compat", is_flag=True, help="The same: capitals with CELERY_ before them.")
@click.option("--no-backup", is_flag=True, help="Do not keep the file as it was.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@as_json
def settings(filename: Path, django: bool, compat: bool, no_backup: bool, dry_run: bool, as_json: bool) -> None:
    """Rewrite the old names of settings in the Python file FILENAME; keep it as FILENAME.orig.

    Names in comments and texts are left alone, and so is whatever only looks like a setting.
    """
    source, encoding = content_of(filename)
    try:
        new, renamed = upgrade(source, upper=django or compat)
    except SyntaxError as error:
        raise click.UsageError(f"{filename} is no Python: {error.msg}, line {error.lineno}") from None
    backup = None if no_backup or dry_run or not renamed else filename.with_name(f"{filename.name}.orig")
    strange = unknown(new)
    if backup is not None:
        keep(filename, backup)
    if renamed and not dry_run:
        replace(filename, new.encode(encoding))
    if as_json:
        print_json({
            "file": str(filename), "written": bool(renamed) and not dry_run, "backup": backup and str(backup),
            "renamed": msgspec.to_builtins(renamed), "unknown": [{"line": one.line, "name": one.old} for one in strange],
        })  # fmt: skip
        return
    for one in renamed:
        click.echo(f"{filename}:{one.line}: {one.old} -> {one.new}")
    for one in strange:
        click.echo(f"{filename}:{one.line}: {one.old}: there is no such setting", err=True)
    click.echo(told(len(renamed), backup, dry_run=dry_run))


def content_of(filename: Path) -> tuple[str, str]:
    """Return the text of a Python file with its line ends, and its encoding."""
    try:
        with tokenize.open(filename) as file:
            encoding = file.encoding
        return filename.read_bytes().decode(encoding), encoding
    except (SyntaxError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{filename} cannot be read: {error}") from None


def keep(filename: Path, backup: Path) -> None:
    """Copy the file as it is."""
    if backup.exists():
        raise click.UsageError(f"{backup} is there already: move it away, or say --no-backup")
    shutil.copy2(filename, backup)


def replace(filename: Path, content: bytes) -> None:
    """Write the file anew, whole or not at all."""
    beside = filename.with_name(f".{filename.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        shutil.copymode(filename, beside)
        os.replace(beside, filename)
    finally:
        beside.unlink(missing_ok=True)


def told(count: int, backup: Path | None, *, dry_run: bool) -> str:
    """Say what was done."""
    if not count:
        return "There is nothing to change."
    names = f"{count} {'name' if count == 1 else 'names'}"
    if dry_run:
        return f"{names} would be changed."
    return f"{names} changed{f'; the file as it was is {backup}' if backup else ''}."
