"""``celeriac multi``: start, stop and list several nodes on one machine.

Its commands, names, ranges and output are those of ``celery multi``; a stop that waits does so without a bound, as there.
Does not know: how words become nodes, and nodes processes (``cluster/``).
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Sequence
from signal import SIGKILL, Signals
from typing import Final

import click

from celeriac import __version__
from celeriac.cli.cluster import running
from celeriac.cli.cluster.members import Member, find, members_of
from celeriac.cli.cluster.words import Words, parse_words
from celeriac.cli.failures import FAILURE, OK
from celeriac.cli.program import Program, pass_program

HELP: Final = """\
Start, stop and list several workers on this machine.

\b
  celeriac multi start NODES [worker options]        return when they are ready
  celeriac multi stop NODES [-SIG]                   send SIGTERM, or another signal
  celeriac multi stopwait NODES [-SIG]               the same, and wait for their end (also: stop_verify)
  celeriac multi restart NODES [-SIG] [options]      stop, wait, start
  celeriac multi kill NODES                          SIGKILL: what they ran is found by others when the lease ends
  celeriac multi show NODES [worker options]         print the commands that start would run
  celeriac multi get NAME NODES [worker options]     print one of them
  celeriac multi names NODES                         print the names of the nodes
  celeriac multi expand TEMPLATE NODES               replace %n, %h, %d, %p for each
  celeriac multi help

NODES is a number (3: celery1, celery2, celery3) or names (images video data@other.host). Options are the worker's; those of one
command are not kept for the next. With a colon they are for some nodes alone: -c:1-3 10, -Q:images,video media, -l:2 DEBUG;
numbers are places in the list, ranges are for nodes by number. What follows -- is handed on.

\b
  --pidfile FILE       default: /var/run/celery/%n.pid; the folder is made
  --logfile FILE       default: /var/log/celery/%n%I.log; the folder is made
  --executable PYTHON  runs the nodes
  --cmd WORDS          instead of "-m celeriac worker --detach"
  --append WORDS       at the end of each command
  --hostname, -n       the host part of the names; --suffix wins
  --range-prefix       instead of "celery" where nodes are counted
  --prefix             before names that are given
  --nosplash, -q, --quiet, --verbose, --no-color
"""


class Raw(click.Command):
    """A command whose words are its own to read."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take every word as it is; help alone is ours."""
        if args in ([], ["help"]) or args[0] in ctx.help_option_names:
            click.echo(self.get_help(ctx))
            ctx.exit()
        ctx.params["words"] = tuple(args)
        return []


@click.command("multi", cls=Raw, help=HELP, options_metavar="COMMAND [NODES] [OPTIONS]")
@pass_program
def command(program: Program, words: tuple[str, ...]) -> int:
    """Run one of the commands."""
    left = [word for word in words if word not in _OWN]
    name, rest = (left[0], left[1:]) if left else ("", [])
    run = COMMANDS.get(name)
    if run is None:
        raise click.UsageError(f"multi has no command {name!r}: there are {', '.join(COMMANDS)}")
    teller = Teller(
        quiet=program.quiet or bool({"-q", "--quiet"} & set(words)),
        verbose="--verbose" in words,
        splash="--nosplash" not in words,
        color=program.color and "--no-color" not in words,
    )
    return run(Call(program, rest, teller))


_OWN: Final = frozenset({"--nosplash", "-q", "--quiet", "--verbose", "--no-color"})


class Teller:
    """What a person sees of it."""

    def __init__(self, *, quiet: bool, verbose: bool, splash: bool, color: bool) -> None:
        self._quiet, self._verbose, self._splash, self._color = quiet, verbose, splash, color

    def splash(self) -> None:
        """Say which program this is."""
        if self._splash:
            self.note(self.painted(f"celeriac multi v{__version__}", "cyan"))

    def note(self, text: str, *, end: str = "\n") -> None:
        """Say it, unless less was asked for."""
        if not self._quiet:
            click.echo(text + end, nl=False)

    def detail(self, text: str) -> None:
        """Say it, if more was asked for."""
        if self._verbose:
            self.note(text)

    def painted(self, text: str, color: str) -> str:
        """Give it a colour, where colours are wanted."""
        return click.style(text, fg=color) if self._color else text


class Call:
    """One call of one command."""

    def __init__(self, program: Program, words: Sequence[str], teller: Teller) -> None:
        self.words, self.tell = list(words), teller
        self._program = program

    def parsed(self, *, signals: bool = False) -> tuple[Words, list[Member]]:
        """Return the words taken apart, and the nodes that they mean."""
        words = parse_words(self.words, signals=signals)
        program = self._program
        before = {"-A": program.app, "-b": program.broker, "--result-backend": program.result_backend, "--config": program.config}
        for flag, value in before.items():
            if value is not None:
                words.options.setdefault(flag, value)
        members = members_of(words, host=socket.gethostname(), python=sys.executable)
        if not members:
            raise click.UsageError("say which nodes: a number, such as 3, or names")
        return words, members


def _start(call: Call) -> int:
    call.tell.splash()
    call.tell.note("> Starting nodes...")
    return _start_all(call, call.parsed()[1], "\t> {}: ")


def _start_all(call: Call, members: Sequence[Member], heading: str) -> int:
    failed = [_started(call, member, heading.format(member.name)) for member in members]
    return int(any(failed))


def _started(call: Call, member: Member, heading: str) -> bool:
    """Start a node and tell how that went; return whether it failed."""
    call.tell.note(heading, end="")
    sys.stdout.flush()
    call.tell.detail(f"  {member.executable} {member.command_line()}")
    code = running.start(member)
    if code < 0:
        call.tell.note(f"* Child was terminated by signal {-code}")
    elif code > 0:
        call.tell.note(f"* Child terminated with exit code {code}")
    call.tell.note(call.tell.painted("FAILED", "red") if code else call.tell.painted("OK", "green"))
    return code != 0


def _stop(call: Call) -> int:
    call.tell.splash()
    words, members = call.parsed(signals=True)
    _signalled(call, members, words.signal)
    return OK


def _stopwait(call: Call) -> int:
    call.tell.splash()
    words, members = call.parsed(signals=True)
    _await(call, _signalled(call, members, words.signal))
    return OK


def _restart(call: Call) -> int:
    call.tell.splash()
    words, members = call.parsed(signals=True)
    _await(call, _signalled(call, members, words.signal))
    return _start_all(call, members, "> Restarting node {}: ")


def _kill(call: Call) -> int:
    call.tell.splash()
    _, members = call.parsed(signals=True)
    for member, pid in _running(call, members):
        call.tell.note(f"Sending {SIGKILL.name[3:]} to node {member.name} ({pid})")
        running.signal_node(pid, SIGKILL)
        running.wait_for([(member, pid)], gone=lambda *_: None, still=lambda: None)
        running.sweep(member)
    return OK


def _running(call: Call, members: Sequence[Member]) -> list[tuple[Member, int]]:
    found = []
    for member in members:
        pid = running.pid_of(member)
        if pid is None:
            call.tell.note(f"> {member.name}: {call.tell.painted('DOWN', 'magenta')}")
        else:
            found.append((member, pid))
    return found


def _signalled(call: Call, members: Sequence[Member], number: Signals) -> list[tuple[Member, int]]:
    nodes = _running(call, members)
    if nodes:
        call.tell.note(call.tell.painted("> Stopping nodes...", "blue"))
    for member, pid in nodes:
        call.tell.note(f"\t> {member.name}: {number.name[3:]} -> {pid}")
        if not running.signal_node(pid, number):
            call.tell.note(f"Could not signal {member.name} ({pid}): No such process")
    return nodes


def _await(call: Call, nodes: Sequence[tuple[Member, int]]) -> None:
    if not nodes:
        return
    pids = ", ".join(str(pid) for _, pid in nodes)
    count = f"{len(nodes)} {'node' if len(nodes) == 1 else 'nodes'}"
    call.tell.note(call.tell.painted(f"> Waiting for {count} -> {pids}...", "blue"), end="")
    running.wait_for(
        nodes,
        gone=lambda member, _left: call.tell.note(f"\n\t> {member.name}: {call.tell.painted('OK', 'green')}", end=""),
        still=lambda: call.tell.note(".", end=""),
    )
    call.tell.note("")


def _show(call: Call) -> int:
    for member in call.parsed()[1]:
        click.echo(f"{member.executable} {member.command_line()}")
    return OK


def _get(call: Call) -> int:
    if not call.words:
        raise click.UsageError("say which node: celeriac multi get NAME NODES")
    wanted = call.words.pop(0)
    member = find(call.parsed()[1], wanted)
    if member is None:
        click.echo(f"celeriac: no node of these is called {wanted}", err=True)
        return FAILURE
    click.echo(member.command_line())
    return OK


def _names(call: Call) -> int:
    for member in call.parsed()[1]:
        click.echo(member.name)
    return OK


def _expand(call: Call) -> int:
    if not call.words:
        raise click.UsageError("say what to expand: celeriac multi expand TEMPLATE NODES")
    template = call.words.pop(0)
    for member in call.parsed()[1]:
        click.echo(member.expand(template))
    return OK


COMMANDS: Final[dict[str, Callable[[Call], int]]] = {
    "start": _start,
    "stop": _stop,
    "stopwait": _stopwait,
    "stop_verify": _stopwait,
    "restart": _restart,
    "kill": _kill,
    "show": _show,
    "get": _get,
    "names": _names,
    "expand": _expand,
}
