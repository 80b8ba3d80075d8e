"""``celeriac dlq``: the dead letters, that is, messages that could not be run or must not run again; nothing is dropped silently.

In a job's life: after an end that nobody wanted. Does not know: why a message died, beyond what its record says.
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from celeriac.abc import Broker, DeadRecord
from celeriac.cli.output import as_json, moment, print_columns, print_json, printable
from celeriac.cli.program import Program, pass_program
from celeriac.cli.user_options import OpenGroup

PAGE = 100


@click.group("dlq", cls=OpenGroup)
def command() -> None:
    """Look into the dead letters; replay or drop them."""


@command.command("list")
@click.option(
    "-n", "--limit", type=click.IntRange(min=1), default=PAGE, show_default=True, help="At most so many, the oldest first."
)
@click.option("--after", metavar="ID", help="Begin after this one.")
@as_json
@pass_program
def show_list(program: Program, limit: int, after: str | None, as_json: bool) -> None:
    """List dead letters, the oldest first."""
    letters = program.reach().store.dead_letters(limit=limit, after=after)
    if as_json:
        print_json([summary(letter) for letter in letters])
        return
    rows = ((letter.id, moment(letter.at), letter.queue, letter.task, letter.reason, letter.detail) for letter in letters)
    print_columns(("id", "died", "queue", "task", "reason", "detail"), rows)


@command.command("show")
@click.argument("id")
@as_json
@pass_program
def show(program: Program, id: str, as_json: bool) -> None:
    """Show one dead letter, with the message as it lay in its queue."""
    letter = program.reach().store.dead_letter(id)
    if letter is None:
        raise no_such(id)
    told = {**summary(letter), "message": letter.raw.decode("utf-8", "backslashreplace")}
    if as_json:
        print_json(told)
    else:
        for name, value in told.items():
            click.echo(f"{name + ':':<10}{printable(str(value))}")


@command.command("replay")
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@as_json
@pass_program
def replay(program: Program, ids: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Put dead letters back into the queues that they came from."""
    store = program.reach().store
    count = store.replay(chosen(store, ids, everything))
    done("replayed", count, as_json)


@command.command("purge")
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
@as_json
@pass_program
def purge(program: Program, ids: tuple[str, ...], everything: bool, force: bool, as_json: bool) -> None:
    """Drop dead letters. There is no way back."""
    store = program.reach().store
    known = chosen(store, ids, everything)
    if not force:
        click.confirm(f"Drop {'every dead letter' if everything else f'{len(known)} dead letters'}?", abort=True, err=True)
    count = store.purge_dead(None if everything else known)
    done("dropped", count, as_json)


def chosen(store: Broker, ids: tuple[str, ...], everything: bool) -> list[str]:
    """Return the ids that the command line names; each of them exists."""
    if bool(ids) == everything:
        raise click.UsageError("name ids (see `celeriac dlq list`), or say --all")
    if everything:
        return [letter.id for letter in all_letters(store)]
    for id in ids:
        if store.dead_letter(id) is None:
            raise no_such(id)
    return list(ids)


def all_letters(store: Broker) -> Iterator[DeadRecord]:
    """Give every dead letter, the oldest first."""
    after: str | None = None
    while page := store.dead_letters(limit=PAGE, after=after):
        yield from page
        after = page[-1].id


def no_such(id: str) -> click.ClickException:
    """Return the error that says that there is no dead letter of this id."""
    return click.ClickException(f"there is no dead letter {id!r}: see `celeriac dlq list`")


def summary(letter: DeadRecord) -> dict[str, str]:
    """Return what is known of a dead letter, without the message itself."""
    return {
        "id": letter.id,
        "died": moment(letter.at),
        "queue": letter.queue,
        "task": letter.task,
        "task_id": letter.task_id,
        "reason": letter.reason,
        "detail": letter.detail,
    }


def done(what: str, count: int, json: bool) -> None:
    """Say how many."""
    if json:
        print_json({what: count})
    else:
        click.echo(f"{count} {'dead letter' if count == 1 else 'dead letters'} {what}.")
