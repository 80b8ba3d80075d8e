"""What a user sees when a command cannot do what was asked: one sentence on stderr, an exit code that is not 0.

``--traceback``, or ``CELERIAC_TRACEBACK=1``, adds where it came from. Exit codes are Celery's. Does not know: commands.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, Final

import click

from celeriac.core.errors import BrokerUnreachable, CeleriacError

OK: Final = 0
FAILURE: Final = 1
USAGE: Final = 2
UNAVAILABLE: Final = 69
"""Nobody answered."""
CANNOT_CREATE: Final = 73
"""A file could not be written."""
INTERRUPTED: Final = 130


NO_COMMAND: Final[Any] = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""A group was called without one of its commands: the help is the answer. Older versions of click print it and go."""


class AppNotFound(click.ClickException):
    """``-A`` leads to no app, or another name to nothing."""

    exit_code = USAGE


def run_guarded(run: Callable[[], int]) -> None:
    """Run a command and leave the process with its exit code; turn errors into a sentence."""
    try:
        code = run()
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except NO_COMMAND as error:
        click.echo(error.format_message(), err=True)
        code = USAGE
    except click.ClickException as error:
        show_origin()
        click.echo(f"celeriac: {told(error)}", err=True)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`celeriac list tasks | head`). Python would complain again while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILURE
    except Exception as error:
        show_origin()
        click.echo(f"celeriac: {sentence(error)}", err=True)
        code = exit_code(error)
    sys.exit(code)


def told(error: click.ClickException) -> str:
    """Say in one line what was typed wrongly, and where to read how it goes."""
    if isinstance(error, click.NoSuchOption) and (why := told_misplaced(error)):
        return why
    text = " ".join(error.format_message().split())
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    return f"{text} (see `{ctx.command_path} --help`)" if ctx is not None else text


def told_misplaced(error: click.NoSuchOption) -> str | None:
    """Say of an option of all commands, which stands behind the command's name, that it stands before it."""
    if error.ctx is None or error.ctx.parent is None:
        return None
    name, root = error.option_name, error.ctx.find_root()
    if not any(name in option.opts for option in root.command.params):
        return None
    words = error.ctx.command_path.removeprefix(f"{root.command_path} ")
    return f"{name} stands before the command: {root.command_path} {name} ... {words}"


def sentence(error: Exception) -> str:
    """Say what happened in one line."""
    text = " ".join(str(error).split())
    if isinstance(error, CeleriacError | OSError):
        return text or type(error).__name__
    return f"unexpected {type(error).__name__}: {text} (--traceback shows where)"


def exit_code(error: Exception) -> int:
    """Return the exit code that tells this kind of error."""
    match error:
        case BrokerUnreachable():
            return UNAVAILABLE
        case OSError(filename=str()):
            return CANNOT_CREATE
        case _:
            return FAILURE


def show_origin() -> None:
    """Print the traceback of the current error, if the user asked for it."""
    if "--traceback" in sys.argv or os.environ.get("CELERIAC_TRACEBACK", "") not in {"", "0"}:
        traceback.print_exc()
