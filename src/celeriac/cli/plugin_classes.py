"""Of what commands that were written for Celery are made: options in groups, types of values, options of daemons.

In a program's life: while such a command is imported. Names and meanings: ``celery.bin.base``. Does not know: commands.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click

from celeriac.app import signals
from celeriac.app.log_setup import level_number
from celeriac.cli.failures import UNAVAILABLE
from celeriac.cli.option_types import json_array, json_object, moment, moment_or_seconds

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
    Choice = click.Choice[Any]
else:  # older versions of click have no parameters there
    ParamType, Choice = click.ParamType, click.Choice

_HANDLES: Final = "_handles_preload_options"


class CeleryOption(click.Option):
    """An option that stands under a heading of the help, and whose default may be on ``ctx.obj``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what ``click.Option`` takes, ``help_group`` and ``default_value_from_context``."""
        self.help_group: str | None = kwargs.pop("help_group", None)
        self.default_value_from_context: str | None = kwargs.pop("default_value_from_context", None)
        super().__init__(*args, **kwargs)

    def get_default(self, ctx: click.Context, call: bool = True) -> Any:
        """Return the default, or what ``ctx.obj`` has under the name that was said."""
        if self.default_value_from_context:
            self.default = ctx.obj[self.default_value_from_context]
        return super().get_default(ctx, call)


class CeleryCommand(click.Command):
    """A command whose help has its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under the headings that they name."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                groups.setdefault(str(getattr(param, "help_group", None) or "Options"), []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


class DaemonOption(CeleryOption):
    """An option of a daemon: where the command line is silent, the setting ``<command>_<name>`` speaks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take the flags and what ``CeleryOption`` takes."""
        usual = {"help_group": "Daemonization Options", "callback": self.daemon_setting}
        super().__init__(args, **{**usual, **kwargs})

    def daemon_setting(self, ctx: click.Context, opt: click.Parameter, value: Any) -> Any:
        """Return the value, or that of the setting."""
        del opt
        return value or getattr(ctx.obj.app.conf, f"{ctx.command.name}_{self.name}", None)


class CeleryDaemonCommand(CeleryCommand):
    """A command with the options of a daemon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what ``click.Command`` takes."""
        super().__init__(*args, **kwargs)
        self.params += [
            DaemonOption("--logfile", "-f", help="Log file.  [default: stderr]"),
            DaemonOption("--pidfile", help="File that holds the process id."),
            DaemonOption("--uid", help="Run as this user."),
            DaemonOption("--gid", help="Run as this group."),
            DaemonOption("--umask", help="Permissions that files do not get, octal."),
            DaemonOption("--executable", help="Python to run."),
        ]


@contextmanager
def _failing(param_type: ParamType, param: click.Parameter | None, ctx: click.Context | None) -> Iterator[None]:
    try:
        yield
    except click.BadParameter as error:
        param_type.fail(error.message, param, ctx)


class CommaSeparatedList(ParamType):
    """Names with commas between them."""

    name = "comma separated list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the names, without the blanks around them."""
        del param, ctx
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


class JsonArray(ParamType):
    """A JSON array."""

    name = "json array"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a list."""
        with _failing(self, param, ctx):
            return value if isinstance(value, list) else json_array(value)


class JsonObject(ParamType):
    """A JSON object."""

    name = "json object"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a dict."""
        with _failing(self, param, ctx):
            return value if isinstance(value, dict) else json_object(value)


class ISO8601DateTime(ParamType):
    """A moment."""

    name = "iso-86091"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a datetime."""
        with _failing(self, param, ctx):
            return moment(value) if isinstance(value, str) else value


class ISO8601DateTimeOrFloat(ParamType):
    """A moment, or seconds."""

    name = "iso-86091 or float"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a datetime or a float."""
        with _failing(self, param, ctx):
            return moment_or_seconds(value) if isinstance(value, str) else value


class LogLevel(Choice):
    """The name of a level of logging."""

    def __init__(self) -> None:
        """Offer the names, in any case."""
        super().__init__(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL"))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number of the level."""
        return value if isinstance(value, int) else level_number(super().convert(value.upper(), param, ctx))


JSON_ARRAY: Final = JsonArray()
JSON_OBJECT: Final = JsonObject()
ISO8601: Final = ISO8601DateTime()
ISO8601_OR_FLOAT: Final = ISO8601DateTimeOrFloat()
LOG_LEVEL: Final = LogLevel()
COMMA_SEPARATED_LIST: Final = CommaSeparatedList()


class Unreached(click.ClickException):
    """No node heard a command."""

    exit_code = UNAVAILABLE


def handle_preload_options(f: Callable[..., Any]) -> Callable[..., Any]:
    """Make a callback that takes ``ctx`` tell what the app's options of every command were given, and go on without them."""
    if getattr(f, _HANDLES, False):
        return f

    @wraps(f)
    def caller(ctx: click.Context, *args: Any, **kwargs: Any) -> Any:
        _tell(f, ctx.obj.app, kwargs)
        return f(ctx, *args, **kwargs)

    setattr(caller, _HANDLES, True)
    return caller


def consume_preload_options(fun: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """The same for a callback of any parameters."""
    if fun is None or getattr(fun, _HANDLES, False):
        return fun

    @wraps(fun)
    def caller(*args: Any, **kwargs: Any) -> Any:
        _tell(fun, click.get_current_context().obj.app, kwargs)
        return fun(*args, **kwargs)

    setattr(caller, _HANDLES, True)
    return caller


def _tell(fun: Callable[..., Any], app: Any, given: dict[str, Any]) -> None:
    """Send the signal, and drop from ``given`` what ``fun`` cannot take."""
    names = [option.name for option in app.user_options.get("preload", ())]
    taken = {name: given[name] for name in names if name in given}
    if taken:
        accepted = inspect.signature(fun).parameters.values()
        anything = any(one.kind is one.VAR_KEYWORD for one in accepted)
        for name in taken.keys() - {one.name for one in accepted}:
            if not anything:
                del given[name]
        signals.user_preload_options.send(sender=fun, app=app, options=taken)


def handle_remote_command_error(command: str, exc: Exception) -> None:
    """Raise what tells, in a sentence, that a command to nodes did not reach them."""
    if isinstance(exc, click.ClickException):
        raise exc
    raise Unreached(f"the command {command!r} did not reach the nodes: {exc}") from exc
