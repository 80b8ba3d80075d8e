"""What ``control``, ``inspect`` and ``status`` have in common: their options, words into arguments, answers onto the screen.

Commands are looked up in the panel: ours, and those that the app has registered. What nodes answer was written by others. Does
not know: how a command travels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

import click
from click.core import ParameterSource

from celeriac.app.app import Celery
from celeriac.cli.completing import complete_nodes
from celeriac.cli.failures import FAILURE, OK, UNAVAILABLE
from celeriac.cli.option_types import comma_list
from celeriac.cli.output import print_json, printable
from celeriac.cli.program import Program
from celeriac.control.panel import CommandInfo, Panel
from celeriac.drivers.registry import REDIS_SCHEMES
from celeriac.drivers.url import scheme_of
from celeriac.worker import commands

with_timeout = click.option(
    "-t", "--timeout", type=click.FloatRange(min=0), default=1.0, show_default=True, help="Seconds to wait for answers."
)
with_destination = click.option(
    "-d",
    "--destination",
    type=comma_list,
    metavar="A,B,...",
    default=(),
    shell_complete=complete_nodes,
    help="Only these nodes.",
)
_INDENT: Final = "    "


def listing_of(kind: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    """Return what ``--list`` does for the commands of a kind."""

    def show(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
        if not wanted or ctx.resilient_parsing:
            return
        program = ctx.find_object(Program)
        if program is not None and (program.app is not None or program.given is not None):
            program.load().import_tasks()
        formatter = click.HelpFormatter(width=100)
        with formatter.section(f"{kind.capitalize()} commands"):
            formatter.write_dl([(f"{name} {info.signature or ''}".strip(), info.help) for name, info in known(kind).items()])
        click.echo(formatter.getvalue(), nl=False)
        ctx.exit()

    return show


def known(kind: str) -> dict[str, CommandInfo]:
    """Return the commands of a kind that are for people, by name."""
    commands.load()
    return {name: info for name, info in sorted(Panel.meta.items()) if info.type == kind and info.visible}


def names_of(kind: str) -> Callable[..., list[Any]]:
    """Return what offers the names of commands to a shell that completes."""

    def offered(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem  # late: hardly ever needed

        return [CompletionItem(name, help=info.help) for name, info in known(kind).items() if name.startswith(incomplete)]

    return offered


def find(app: Celery, kind: str, name: str) -> CommandInfo:
    """Return what is known of a command; the app's modules are imported if it may be one of theirs.

    Raises:
        click.UsageError: there is none of that name.
    """
    if name not in known(kind):
        app.import_tasks()
    found = known(kind)
    if name in found:
        return found[name]
    other = "control" if kind == "inspect" else "inspect"
    if name in known(other):
        raise click.UsageError(f"{name} is said with `{other}`, not with `{kind}`", click.get_current_context())
    near = get_close_matches(name, found, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(found)}"
    raise click.UsageError(f"there is no {kind} command {name!r}: {hint}", click.get_current_context())


def arguments_from(name: str, info: CommandInfo, words: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of a command for the words behind its name.

    Raises:
        click.UsageError: too many, or one that is not what it should be.
    """
    arguments: dict[str, Any] = {}
    left = list(words)
    for argument, kind in info.args or ():
        if not left:
            break
        word = left.pop(0)
        try:
            arguments[argument] = kind(word) if kind is not None else word
        except (TypeError, ValueError) as error:
            raise _usage(name, info, f"{word!r} is no {argument}: {error}") from None
    if info.variadic is not None:
        arguments[info.variadic] = left
    elif left:
        raise _usage(name, info, f"{' '.join(left)!r} is too much")
    return arguments


def _usage(name: str, info: CommandInfo, why: str) -> click.UsageError:
    return click.UsageError(f"{why}; it goes {name} {info.signature or '(no arguments)'}", click.get_current_context())


def ask(
    program: Program,
    app: Celery,
    name: str,
    arguments: Mapping[str, Any],
    *,
    destination: Sequence[str],
    timeout: float,
    as_json: bool,
    limit: int | None = None,
) -> int:
    """Say a command; print each answer when it comes; return the exit code: 69 when nobody answered, 1 when a node refused."""
    answers = app.control.broadcast(
        name,
        arguments,
        destination=list(destination) or None,
        reply=True,
        timeout=timeout,
        limit=limit,
        callback=None if as_json else lambda answer: show(program, answer),
    )
    if not answers:
        click.echo(f"nobody answered within {timeout:g} s", err=True)
        return UNAVAILABLE
    if as_json:
        print_json({node: value for answer in answers for node, value in answer.items()})
    elif not program.quiet:
        click.echo(f"\n{len(answers)} {'node' if len(answers) == 1 else 'nodes'} online.")
    return FAILURE if any(is_error(value) for answer in answers for value in answer.values()) else OK


def show(program: Program, answer: Mapping[str, Any]) -> None:
    """Print what one node says."""
    for node, value in answer.items():
        name, (status, lines) = printable(str(node)), told(value)
        if program.color:
            name = click.style(name, fg="cyan", bold=True)
            status = click.style(status, fg="red" if status == "ERROR" else "green")
        click.echo(f"->  {name}: {status}")
        for line in lines:
            click.echo(f"{_INDENT}{_INDENT}{line}")


def is_error(value: Any) -> bool:
    """Say whether an answer tells that a command was not carried out."""
    return isinstance(value, dict) and value.keys() == {"error"}


def told(value: Any) -> tuple[str, list[str]]:
    """Return one word for an answer, and the lines that it takes."""
    match value:
        case {"ok": said} if len(value) == 1:
            return "OK", _lines(said)
        case {"error": why} if is_error(value):
            return "ERROR", _lines(why)
        case []:
            return "OK", ["- empty -"]
        case list():
            return "OK", [f"* {first}" if n == 0 else f"  {first}" for each in value for n, first in enumerate(_lines(each))]
    return "OK", _lines(value)


def _lines(value: Any) -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, default=str, ensure_ascii=False)
    return [printable(line) for line in text.split("\n")]


def patience(given: float, info: CommandInfo) -> float:
    """Return how many seconds to wait: what was said, else what the command takes."""
    said = click.get_current_context().get_parameter_source("timeout") is not ParameterSource.DEFAULT
    return given if said else max(given, info.default_timeout)


def may_have_strangers(app: Celery) -> bool:
    """Say whether workers of Celery may be on the broker: the store does not know of them."""
    return scheme_of(app.places.broker.split(";")[0]) in REDIS_SCHEMES
