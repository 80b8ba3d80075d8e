"""Signatures on the command line: as JSON, in a file or on stdin, or by the name of what makes them.

In a job's life: before it. What was read is looked at before anything is done with it. Does not know: what becomes of them.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from celeriac.app.app import Celery
from celeriac.app.signature import Signature
from celeriac.cli.find_app import find_named
from celeriac.core import embedded
from celeriac.core.errors import CeleriacError, DecodeError
from celeriac.core.limits import DEFAULT_LIMITS

_STDIN: Final = "-"
_EXAMPLES: Final = "shop.flows:nightly, or give a file of JSON, or - for stdin"


def is_json(source: str) -> bool:
    """Whether ``source`` says where JSON is, and not a module."""
    return source == _STDIN or source.endswith(".json") or Path(source).is_file()


def read_signature(source: str) -> dict[str, Any]:
    """Return the signature that is written as JSON in the file ``source``, or on stdin for ``-``.

    Raises:
        click.ClickException: there is none; says what is wrong with it and where.
    """
    place = "stdin" if source == _STDIN else source
    try:
        with click.open_file(source, encoding="utf-8") as file:
            text = file.read(DEFAULT_LIMITS.raw + 1)
        if len(text) > DEFAULT_LIMITS.raw:
            raise click.UsageError(f"{place}: more than {DEFAULT_LIMITS.raw} characters")
        stored: dict[str, Any] = json.loads(text)
        if not isinstance(stored, dict):  # a list would pass: of signatures
            raise click.UsageError(f"{place} holds no signature: it is a {type(stored).__name__}")
        embedded.check("the signature", stored)
    except OSError as error:
        raise click.UsageError(f"{place} cannot be read: {error.strerror}") from None
    except DecodeError as error:
        raise click.UsageError(f"{place} holds no signature: {error}") from None
    except ValueError as error:
        raise click.UsageError(f"{place} is not JSON: {error}") from None
    except RecursionError:
        raise click.UsageError(f"{place} holds no signature: it is nested too deep") from None
    return stored


def find_signature(spec: str) -> Signature[Any]:
    """Return the signature, or the task, that ``module:attr`` names; a function is called, without arguments.

    Raises:
        click.ClickException: there is none.
    """
    found = find_named(spec, "", _EXAMPLES)
    if not isinstance(found, Mapping) and not hasattr(found, "signature") and callable(found):
        found = _called(spec, found)
    if isinstance(found, Mapping) and "task" in found:
        return Signature.from_dict(found) if not isinstance(found, Signature) else found
    make: Any = getattr(found, "signature", None)
    if make is not None and isinstance(made := make(), Signature):
        return made
    raise click.UsageError(f"{spec} is no signature, nor does it return one: it is of type {type(found).__name__!r}")


def sendable(stored: Mapping[str, Any], app: Celery) -> Signature[Any]:
    """Return a signature that was read, as one of ``app``."""
    try:
        return Signature.from_dict(stored, app)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise click.UsageError(f"that is no signature that can be sent: {error}") from None


def _called(spec: str, function: Any) -> object:
    try:
        inspect.signature(function).bind()
    except TypeError:
        raise click.UsageError(f"{spec} must be called without arguments: it takes some") from None
    except ValueError:  # one in C does not say
        pass
    try:
        return function()
    except CeleriacError:
        raise
    except Exception as error:
        raise click.ClickException(f"{spec}() failed with {type(error).__name__}: {error}") from error
