"""Leave the terminal: the command returns, its program goes on in a session of its own.

In a node's life: before it. Three processes: the command; a go-between, which waits until the program is ready and says so, or
why it is not; and the program, which begins anew with the same arguments, so that it is no different from one that was never
attached. The variable ``CELERIAC_DETACHED`` holds its process id: so it knows that this was done. Does not know: what the
program does.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path
from typing import Final, NoReturn

import click

from celeriac.app.overseer import READY_VARIABLE
from celeriac.cli.failures import FAILURE, OK

VARIABLE: Final = "CELERIAC_DETACHED"
PATIENCE_S: Final = 15.0
"""How long to wait for a program that lives and is not ready, such as one whose store is away."""
_LINES: Final = 20
"""Of what a program has said that ended before it was ready."""


def is_detached() -> bool:
    """Whether this process is a program that was detached."""
    return os.environ.get(VARIABLE) == str(os.getpid())


def detach(*, logfile: str | None, executable: str | None) -> int:
    """Begin this program again, detached; return the exit code of the command when that one is ready, or has ended.

    Args:
        logfile: Where it prints to. ``None``: nowhere.
        executable: The Python that runs it. ``None``: this one.

    Raises:
        OSError: the log cannot be written.
    """
    if logfile is None:
        click.echo("celeriac: nobody will see what the detached program prints: name a file with --logfile", err=True)
    log = os.open(logfile or os.devnull, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    said_before = os.fstat(log).st_size
    sys.stdout.flush()
    sys.stderr.flush()
    go_between = os.fork()
    if go_between == 0:
        _go_between(log, executable or sys.executable, logfile, said_before)
    _, status = os.waitpid(go_between, 0)
    return max(FAILURE, os.waitstatus_to_exitcode(status)) if status else OK


def _go_between(log: int, executable: str, logfile: str | None, said_before: int) -> NoReturn:
    code = FAILURE
    try:
        os.setsid()
        heard, said = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(heard)
            _begin(log, executable, said)
        os.close(said)
        code = _await(pid, heard, logfile, said_before)
        sys.stderr.flush()
    finally:
        os._exit(code)


def _begin(log: int, executable: str, said: int) -> NoReturn:
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.set_inheritable(said, True)
        os.environ |= {VARIABLE: str(os.getpid()), READY_VARIABLE: str(said)}
        # Closing the terminal is not meant for it any more, and what the shell ignored it hears.
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.execv(executable, [executable, *sys.orig_argv[1:]])  # noqa: S606 -- it is our own
    except BaseException as error:
        os.write(2, f"celeriac: {executable}: {error}\n".encode())
    finally:
        os._exit(FAILURE)


def _await(pid: int, heard: int, logfile: str | None, said_before: int) -> int:
    ready, _, _ = select.select([heard], [], [], PATIENCE_S)
    if not ready:
        click.echo(f"celeriac: process {pid} runs and is not ready after {PATIENCE_S:g} s{_see(logfile)}", err=True)
        return OK
    if os.read(heard, 1):
        return OK
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
    click.echo(f"celeriac: the detached program ended before it was ready ({how}){_see(logfile)}", err=True)
    for line in _said(logfile, said_before):
        click.echo(f"  {line}", err=True)
    return code if code > 0 else FAILURE


def _see(logfile: str | None) -> str:
    return f"; its log is {logfile}" if logfile else ""


def _said(logfile: str | None, since: int) -> list[str]:
    if logfile is None:
        return []
    with Path(logfile).open("rb") as log:
        log.seek(since)
        return log.read(100_000).decode(errors="replace").splitlines()[-_LINES:]
