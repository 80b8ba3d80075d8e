"""``celeriac logtool``: ask the logs of workers what became of tasks. Of ours, plain or JSON, and of Celery's.

In a job's life: long after it. Does not know: how a line is understood (``log_reading``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from celeriac.cli.log_reading import Entry, Kind, Tally, read
from celeriac.cli.output import as_json, print_columns, print_json, printable

files_argument = click.argument("files", nargs=-1)


@click.group("logtool")
def command() -> None:
    """Look into logs of workers; FILES are read one after the other, stdin where there are none."""


@command.command("stats")
@files_argument
@as_json
def stats(files: tuple[str, ...], as_json: bool) -> None:
    """Count tasks, ends and errors."""
    tally = tallied(files)
    if as_json:
        print_json({**tally.counts(), "tasks": tally.tasks()})
        return
    for name, count in tally.counts().items():
        click.echo(f"{name + ':':<11}{count}")
    if tally.last:
        click.echo()
        rows = [(name, *counts.values()) for name, counts in tally.tasks().items()]
        print_columns(("task", "total", "succeeded", "errors"), rows)


@command.command("traces")
@files_argument
def traces(files: tuple[str, ...]) -> None:
    """Print tracebacks, each below the line that it belongs to."""
    above: Entry | None = None
    for entry in entries(files):
        if entry.kind != "trace":
            above = entry
            continue
        if above is not None:
            show(above)
            above = None
        show(entry)


@command.command("errors")
@files_argument
def errors(files: tuple[str, ...]) -> None:
    """Print the lines of tasks that failed."""
    show_only("failed", files)


@command.command("incomplete")
@files_argument
@as_json
def incomplete(files: tuple[str, ...], as_json: bool) -> None:
    """List the tasks that were received and whose end is not told."""
    found = tallied(files).incomplete()
    if as_json:
        print_json([{"id": entry.id, "task": entry.task, "last": entry.kind} for entry in found])
        return
    for entry in found:
        click.echo(f"Did not complete: {printable(entry.task)}[{printable(entry.id)}] ({entry.kind})")


@command.command("debug")
@files_argument
def debug(files: tuple[str, ...]) -> None:
    """Print the lines that are not about what becomes of tasks."""
    show_only("other", files)


def entries(files: Sequence[str]) -> Iterator[Entry]:
    """Read the files, one line at a time."""
    for name in files or ("-",):
        try:
            with click.open_file(name, encoding="utf-8", errors="replace") as file:
                yield from read(file)
        except OSError as error:
            raise click.UsageError(f"{name} cannot be read: {error.strerror}") from None


def tallied(files: Sequence[str]) -> Tally:
    """Read the files, and say if they are no logs that we understand."""
    tally, beginnings = Tally(), 0
    for entry in entries(files):
        beginnings += entry.kind != "trace"
        tally.add(entry)
    if tally.traces and not beginnings:
        click.echo("celeriac: no line begins as those of workers do; was the log written in another format?", err=True)
    return tally


def show_only(kind: Kind, files: Sequence[str]) -> None:
    """Print the lines of one kind."""
    for entry in entries(files):
        if entry.kind == kind:
            show(entry)


def show(entry: Entry) -> None:
    """Print a line; what it holds must not command a terminal."""
    click.echo("\t".join(map(printable, entry.text.split("\t"))))
