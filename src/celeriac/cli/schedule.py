"""``celeriac schedule``: look at the entries of the beat, and change them while beats run.

In a program's life: beside it. All of it is ``app.schedules``. Does not know: stores, beats.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any

import click

from celeriac.app.periodic.changing import NoSuchEntry, Schedules
from celeriac.app.periodic.showing import Scheduled
from celeriac.cli.failures import FAILURE, OK
from celeriac.cli.option_types import json_array, json_object
from celeriac.cli.output import as_json, print_columns, print_json
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenCommand

file_option = click.option("-s", "--schedule", "file", metavar="FILE", help="As -s of the beat.")


def every_or_line(text: str) -> str | float:
    """Parse seconds, or take a line of cron."""
    try:
        return float(text)
    except ValueError:
        return text


@click.group("schedule")
def command() -> None:
    """Look at the entries of the beat, and change them; running beats take it up within a second."""


@command.command("list", cls=OpenCommand)
@click.option("-n", "--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="At most so many.")
@file_option
@as_json
@pass_program
def list_entries(program: Program, limit: int, file: str | None, as_json: bool) -> None:
    """List the entries."""
    schedules = _schedules(program, file)
    entries = list(islice(schedules, limit))
    if as_json:
        print_json([_as_data(entry) for entry in entries])
        return
    headings = ("NAME", "TASK", "SCHEDULE", "NEXT RUN", "LAST RUN", "RUNS", "")
    print_columns(headings, [_row(entry) for entry in entries])
    if len(entries) == limit and (more := len(schedules) - limit) > 0:
        click.echo(f"and {more} more", err=True)


@command.command("add", cls=OpenCommand)
@click.argument("name")
@click.argument("task")
@click.option("--every", type=every_or_line, metavar="SECONDS", help="So long after the run before.")
@click.option("--cron", metavar="LINE", help="Such as '30 7 * * mon-fri': minute, hour, day of month, month, day of week.")
@click.option("-a", "--args", type=json_array, metavar="JSON", default="[]", help="Positional arguments, a JSON array.")
@click.option("-k", "--kwargs", type=json_object, metavar="JSON", default="{}", help="Keyword arguments, a JSON object.")
@click.option("--options", type=json_object, metavar="JSON", default="{}", help="Options of apply_async, a JSON object.")
@click.option("--timezone", metavar="ZONE", help="Whose clock a crontab goes by.  [default: the app's]")
@click.option("--catch-up", metavar="none|last|N", help="So many missed runs are made up for.  [default: last]")
@click.option("--overlap", type=click.Choice(["allow", "skip"]), help="Whether a run may begin while the last one goes on.")
@click.option("--jitter", type=click.FloatRange(min=0), metavar="SECONDS", help="Late by chance, by less than so much.")
@click.option("--starts", metavar="ISO", help="No run before this moment.")
@click.option("--ends", metavar="ISO", help="No run after this moment.")
@click.option("--max-runs", type=click.IntRange(min=1), help="So many runs in all.")
@click.option("--skipped", type=click.Choice(["later", "never"]), help="A time that the clock jumps over.")
@click.option("--doubled", type=click.Choice(["rhythm", "first", "second", "both"]), help="A time that happens twice.")
@click.option("--replace", is_flag=True, help="Change the entry of this name, if there is one.")
@file_option
@pass_program
def add(
    program: Program,
    /,
    name: str,
    task: str,
    every: float | str | None,
    cron: str | None,
    args: list[Any],
    kwargs: dict[str, Any],
    options: dict[str, Any],
    catch_up: str | None,
    replace: bool,
    file: str | None,
    **policies: Any,
) -> None:
    """Add an entry that sends TASK under NAME.

    \b
    celeriac -A shop schedule add report shop.report --cron '30 7 * * mon-fri' --timezone Europe/Berlin
    celeriac -A shop schedule add poll shop.poll --every 30 --overlap skip
    """
    if (every is None) == (cron is None):
        raise click.UsageError("say when: either --every SECONDS or --cron LINE")
    if isinstance(every, str):
        raise click.UsageError(f"--every: {every!r} is no number of seconds; a line of cron goes with --cron")
    said = {key: value for key, value in policies.items() if value is not None}
    if catch_up is not None:
        said["catch_up"] = int(catch_up) if catch_up.isdigit() else catch_up
    when = every if every is not None else cron
    _schedules(program, file).add(name, when, task, args, kwargs, options=options, replace=replace, **said)
    click.echo(f"{name}: added.")


@command.command("pause", cls=OpenCommand)
@click.argument("name")
@file_option
@pass_program
def pause(program: Program, name: str, file: str | None) -> None:
    """Send nothing of NAME until it is resumed."""
    _schedules(program, file).pause(name)
    click.echo(f"{name}: paused.")


@command.command("resume", cls=OpenCommand)
@click.argument("name")
@file_option
@pass_program
def resume(program: Program, name: str, file: str | None) -> None:
    """Go on with NAME. What was missed is left out."""
    _schedules(program, file).resume(name)
    click.echo(f"{name}: goes on.")


@command.command("run", cls=OpenCommand)
@click.argument("name")
@file_option
@pass_program
def run(program: Program, name: str, file: str | None) -> None:
    """Send what NAME sends now, once, and print the id of the task."""
    click.echo(_schedules(program, file).run(name))


@command.command("remove", cls=OpenCommand)
@click.argument("name")
@file_option
@pass_program
def remove(program: Program, name: str, file: str | None) -> int:
    """Forget NAME. An entry of beat_schedule is there again when a beat starts: pause it instead."""
    schedules = _schedules(program, file)
    if not schedules.remove(name):
        click.echo(f"celeriac: {NoSuchEntry(name)}", err=True)
        return FAILURE
    click.echo(f"{name}: removed.")
    return OK


@command.command("next", cls=OpenCommand)
@click.argument("name")
@click.option("--count", type=click.IntRange(1, 10_000), default=1, show_default=True, help="So many.")
@file_option
@as_json
@pass_program
def next_runs(program: Program, name: str, count: int, file: str | None, as_json: bool) -> None:
    """Print the next runs of NAME, by the clock of its time zone."""
    moments = _schedules(program, file).next_runs(name, count)
    if as_json:
        print_json([moment.isoformat() for moment in moments])
        return
    for moment in moments:
        click.echo(f"{moment.isoformat(sep=' ', timespec='seconds')} {moment.tzname() or ''}".rstrip())
    if not moments:
        click.echo(f"{name}: never.", err=True)


def _schedules(program: Program, file: str | None) -> Schedules:
    app = program.reach()
    return app.schedules if file is None else Schedules(app, file=file)


def _row(entry: Scheduled) -> tuple[str, ...]:
    notes = ["paused"] if entry.paused else []
    notes += [entry.problem] if entry.problem else []
    return (
        entry.name,
        entry.task,
        entry.schedule,
        _shown(entry.next_run) or "never",
        _shown(entry.last_run) or "-",
        str(entry.runs),
        "; ".join(notes),
    )


def _shown(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(sep=" ", timespec="seconds")


def _as_data(entry: Scheduled) -> Mapping[str, Any]:
    known = {"name": entry.name, "task": entry.task, "schedule": entry.schedule, "runs": entry.runs, "paused": entry.paused}
    moments = {
        "next_run": entry.next_run and entry.next_run.isoformat(),
        "last_run": entry.last_run and entry.last_run.isoformat(),
    }
    return {**known, **moments, "problem": entry.problem, "details": dict(entry.details)}
