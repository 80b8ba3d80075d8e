"""Settings at the end of a command line: ``worker_prefetch_multiplier=1 task_acks_late=true``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from celeriac.config.words import settings_from


def extra_settings(words: Sequence[str]) -> dict[str, Any]:
    """Return the settings that the words say.

    Raises:
        click.UsageError: a word without ``=``.
    """
    try:
        return settings_from(words)
    except ValueError as error:
        raise click.UsageError(f"{error.args[0]!r} is neither an option nor a setting such as task_acks_late=true") from None
