"""Commands that keep tasks from running: revoked ones do not start, terminated ones end."""

from __future__ import annotations

import logging
import signal as os_signal
from collections.abc import Mapping, Sequence
from typing import Any, Final

from celeriac.control.panel import control_command, inspect_command, ok
from celeriac.core.rules import stamp_values
from celeriac.worker.state import State

log = logging.getLogger("celeriac.control")

TERM: Final = "SIGTERM"


@control_command(variadic="task_id", signature="[id1 [id2 [... [idN]]]]")
def revoke(
    state: State, task_id: str | Sequence[str], terminate: bool = False, signal: str | int | None = None, **kwargs: Any
) -> dict[str, str]:
    """Revoke task by task id (or list of ids)."""
    del kwargs
    ids = _texts(task_id)
    number = signum(signal or TERM) if terminate else None
    if ids:
        state.store.revoke(ids)
    if number is None:
        log.info("tasks revoked: %s", ", ".join(ids))
        return ok(f"tasks {set(ids) or '{}'} flagged as revoked")
    ended = [id for id in ids if state.node.terminate(id, number)]
    if not ended:
        return ok("terminate: tasks unknown")
    log.info("tasks terminated with signal %d: %s", number, ", ".join(ended))
    return ok(f"terminate: {', '.join(ended)}")


@control_command(variadic="task_id", args=[("signal", str)], signature="<signal> [id1 [id2 [... [idN]]]]")
def terminate(state: State, signal: str | int, task_id: str | Sequence[str], **kwargs: Any) -> dict[str, str]:
    """Terminate task by task id (or list of ids)."""
    del kwargs
    return revoke(state, task_id, terminate=True, signal=signal)


@control_command(variadic="headers", signature="[key1=value1 [key2=value2 [... [keyN=valueN]]]]")
def revoke_by_stamped_headers(
    state: State,
    headers: Mapping[str, Any] | Sequence[str],
    terminate: bool = False,
    signal: str | int | None = None,
    **kwargs: Any,
) -> dict[str, str]:
    """Revoke task by header (or list of headers)."""
    del kwargs
    number = signum(signal or TERM)
    stamps = headers if isinstance(headers, Mapping) else _stamps_from(headers)
    wanted = {str(header): frozenset(stamp_values(values)) for header, values in stamps.items()}
    state.store.revoke_stamps({header: sorted(values) for header, values in wanted.items()})
    if not terminate:
        log.info("tasks with stamps %s revoked", dict(stamps))
        return ok(f"headers {dict(stamps)} flagged as revoked, but not terminated")
    found: dict[str, set[str]] = {}
    for known in state.known.active():
        for header, values in wanted.items():
            matching = values.intersection(stamp_values(known.stamps[header])) if header in known.stamps else frozenset()
            if matching and state.node.terminate(known.id, number):
                found.setdefault(header, set()).update(matching)
    if not found:
        return ok(f"headers {dict(stamps)} were not terminated")
    return ok(f"headers {found} revoked")


@inspect_command(alias="dump_revoked")
def revoked(state: State, **kwargs: Any) -> list[str]:
    """List of revoked task-ids."""
    del kwargs
    return sorted(state.store.rules().revoked)


def signum(given: str | int) -> int:
    """Return the number of a signal: by its name, with or without ``SIG``, or by its number.

    Raises:
        ValueError: there is no such signal.
    """
    text = str(given).upper()
    try:
        if text.isdecimal():
            return os_signal.Signals(int(text)).value
        return os_signal.Signals[text if text.startswith("SIG") else f"SIG{text}"].value
    except (KeyError, ValueError):
        raise ValueError(f"there is no signal {given!r}") from None


def _texts(given: str | Sequence[str] | None) -> list[str]:
    """Return ids without repetitions, in their order; what is no text has never been an id."""
    each = [given] if isinstance(given, str) else list(given or ())
    return [id for id in dict.fromkeys(each) if isinstance(id, str)]


def _stamps_from(headers: Sequence[str]) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    for header in headers:
        key, equals, value = header.partition("=")
        if not equals:
            raise ValueError(f"{header!r} is not like key=value")
        found.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}
