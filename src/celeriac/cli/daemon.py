"""The options of programs that run without a terminal: pid file, user, group, umask, Python; they win over settings.

In a node's life: before it. ``worker``, ``beat`` and ``events`` have them alike: ``@daemon_options`` adds them, ``daemon_of``
reads them, ``Daemon`` carries them out. Does not know: these programs. Source: Celery's guide "Daemonization".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import click

from celeriac.app.log_file import log_file
from celeriac.cli.detaching import detach, is_detached
from celeriac.cli.identity import become, umask_of
from celeriac.cli.pid_file import holding
from celeriac.core.errors import ImproperlyConfigured

F = TypeVar("F", bound=Callable[..., Any])

_GIVEN: Final = "celeriac.daemon"
_PRETEND: Final = "C_FAKEFORK"
"""Environment: ``--detach`` stays in the foreground. Source: Celery's guide "Daemonization", troubleshooting."""


class DaemonSettings(Protocol):
    """The settings of one program that the options fall back on: ``worker_pidfile``, ``beat_uid``, …"""

    @property
    def logfile(self) -> str | None:
        """Where its log goes."""

    @property
    def pidfile(self) -> str | None:
        """Where its process id goes."""

    @property
    def uid(self) -> str | int | None:
        """Who it becomes."""

    @property
    def gid(self) -> str | int | None:
        """Its group."""

    @property
    def umask(self) -> str | int | None:
        """What its new files lack."""

    @property
    def executable(self) -> str | None:
        """Its Python."""


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """How one program runs without a terminal."""

    pidfile: str | None = None
    logfile: str | None = None
    uid: str | int | None = None
    gid: str | int | None = None
    umask: str | int | None = None
    executable: str | None = None

    def become(self) -> None:
        """Be whom the program is to be.

        Raises:
            ImproperlyConfigured: that cannot be.
        """
        become(uid=self.uid, gid=self.gid, umask=self.umask)

    def detach(self) -> int | None:
        """Have the program go on without this terminal, and return an exit code; ``None``: this process is that program.

        Raises:
            ImproperlyConfigured: user or group are not to be had.
            OSError: the log cannot be written.
        """
        if is_detached() or os.environ.get(_PRETEND):
            return None
        self.become()  # the log is to belong to it
        return detach(logfile=self.logfile, executable=self.executable)

    def holding_pid_file(self) -> AbstractContextManager[None]:
        """Hold the pid file while the block runs.

        Raises:
            PidFileHeld: its program runs already.
            OSError: it cannot be written.
        """
        return holding(self.pidfile)


def daemon_options(command: F) -> F:
    """Add the options of a daemon to a command, which need not take them."""
    options = [
        _option(("--pidfile",), "FILE", "Write the process id there; %n and %h are the node's. A second program is refused."),
        _option(("-u", "--uid"), "USER", "Become this user."),
        _option(("-g", "--gid"), "GROUP", "Become this group."),
        _option(("--umask",), "OCTAL", "Permissions that new files lack, such as 022.", kind=_octal),
        _option(("--executable",), "PYTHON", "With --detach: the Python that runs it."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def daemon_of(settings: DaemonSettings, *, node: str, logfile: str | None) -> Daemon:
    """Return what options and settings say of the command that runs.

    Args:
        settings: Its section.
        node: Its name, for the placeholders of file names.
        logfile: What its own option said.
    """
    given: dict[str, Any] = click.get_current_context().meta.get(_GIVEN, {})
    pidfile, log = given.get("pidfile") or settings.pidfile, logfile or settings.logfile
    return Daemon(
        pidfile=None if pidfile is None else log_file(os.path.expanduser(pidfile), node),
        logfile=None if log is None else log_file(os.path.expanduser(log), node),
        uid=given.get("uid", settings.uid),
        gid=given.get("gid", settings.gid),
        umask=given.get("umask", settings.umask),
        executable=given.get("executable") or settings.executable,
    )


def asked_for() -> list[str]:
    """Return the options of a daemon that were given to the command that runs, as they are written."""
    return [f"--{name}" for name in click.get_current_context().meta.get(_GIVEN, {})]


def _option(flags: Sequence[str], metavar: str, help: str, kind: Any = str) -> Callable[[F], F]:
    return click.option(*flags, metavar=metavar, type=kind, expose_value=False, callback=_keep, help=help)


def _keep(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None:
        ctx.meta.setdefault(_GIVEN, {})[parameter.name] = value


def _octal(text: str) -> str:
    try:
        umask_of(text)
    except ImproperlyConfigured:
        raise click.BadParameter(f"{text!r} is not an octal number such as 022") from None
    return text
