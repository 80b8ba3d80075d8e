"""Signatures that came with a message: what follows a task, and the body of its chord.

In a job's life: decode -> here, before anything of it runs. Whoever wrote the message may be anybody; whoever unrolls a workflow
later relies on its form: names are text, arguments a list, members signatures themselves. What may be left out is filled in, so
that nobody has to ask. Does not know: what the signatures mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from celeriac.core.errors import DecodeError

_LONGEST: Final = 255
"""Characters of a name or an id."""
_PARTS: Final[tuple[tuple[str, tuple[type, ...], Callable[[], Any]], ...]] = (
    ("args", (list, tuple), tuple),
    ("kwargs", (dict,), dict),
    ("options", (dict,), dict),
)
"""Key, types, what it is if it is left out or null."""
_NAMES: Final = ("task_id", "group_id", "root_id", "parent_id")
_LINKS: Final = ("link", "link_error", "chain")


def check(place: str, stored: Any) -> None:
    """Look at the signature, or at each of the list, that lies at ``place`` in a message; fill in what may be left out.

    What follows a task and is an empty chain is taken out: it calls nothing.

    Raises:
        DecodeError: it is none; the text says where.
    """
    if isinstance(stored, list):
        stored[:] = filter(_calls_something, stored)
    fault = _fault_of_each(stored) if isinstance(stored, list) else _fault(stored)
    if fault is not None:
        raise DecodeError(f"{place}{fault}")


def fault_of_call(stored: Any) -> str | None:
    """Return where and what is wrong with a stored signature itself, whatever lies in it; ``None``: nothing."""
    if not isinstance(stored, Mapping):
        return f" is a {type(stored).__name__}, and no signature"
    task = stored.get("task")
    if not isinstance(task, str) or not 0 < len(task) <= _LONGEST or not task.isprintable():
        return ".task is no name of a task"
    for name, kinds, _ in _PARTS:
        part = stored.get(name)
        if part is not None and not isinstance(part, kinds):
            return f".{name} is a {type(part).__name__}"
        if isinstance(part, dict) and not all(isinstance(key, str) for key in part):
            return f".{name} has a name that is no text"
    kind = stored.get("subtask_type")
    return None if kind is None or isinstance(kind, str) else f".subtask_type is a {type(kind).__name__}"


def _calls_something(stored: Any) -> bool:
    """Say whether this is anything but a chain without steps."""
    if not isinstance(stored, dict) or stored.get("subtask_type") != "chain":
        return True
    kwargs = stored.get("kwargs")
    return not isinstance(kwargs, dict) or kwargs.get("tasks") != []


def _fault(stored: Any) -> str | None:
    """Return where and what is wrong with a signature; ``None``: nothing."""
    if (fault := fault_of_call(stored)) is not None:
        return fault
    for name, _, empty in _PARTS:
        if stored.get(name) is None:
            stored[name] = empty()
    if (options := stored["options"]) and (fault := _fault_of_options(options)) is not None:
        return f".options{fault}"
    kind = stored.get("subtask_type")
    if kind is None:
        return None
    fault = _fault_of_members(kind, stored["kwargs"])
    return None if fault is None else f".kwargs{fault}"


def _fault_of_members(kind: str, kwargs: Mapping[str, Any]) -> str | None:
    match kind:
        case "chain" | "group":
            fault = _fault_of_each(kwargs.get("tasks"))
            if kind == "chain" and not kwargs.get("tasks"):
                fault = fault or " is empty"
            return None if fault is None else f".tasks{fault}"
        case "chord":
            header = kwargs.get("header")
            if isinstance(header, dict):  # of a chord Celery writes a list, or the group itself
                fault = _fault(header) if header.get("subtask_type") == "group" else " is no group"
            else:
                fault = _fault_of_each(header)
            if fault is not None:
                return f".header{fault}"
            fault = _fault(kwargs.get("body"))
            return None if fault is None else f".body{fault}"
    return None


def _fault_of_each(several: Any) -> str | None:
    if not isinstance(several, list | tuple):
        return f" is a {type(several).__name__}, and no list of signatures"
    for place, one in enumerate(several):
        if (fault := _fault(one)) is not None:
            return f"[{place}]{fault}"
    return None


def _fault_of_options(options: dict[str, Any]) -> str | None:
    for name in _NAMES:
        value = options.get(name)
        if value is not None and not (isinstance(value, str) and len(value) <= _LONGEST):
            return f".{name} is no text of up to {_LONGEST} characters"
    place = options.get("group_index")
    if place is not None and not (type(place) is int and 0 <= place <= 2**31):
        return ".group_index is no count"
    for name in _LINKS:
        linked = options.get(name)
        if isinstance(linked, list):
            linked[:] = filter(_calls_something, linked)
        elif not _calls_something(linked):
            linked = options[name] = None
        if linked is not None:
            fault = _fault(linked) if isinstance(linked, dict) else _fault_of_each(linked)
            if fault is not None:
                return f".{name}{fault}"
    if (body := options.get("chord")) is not None and (fault := _fault(body)) is not None:
        return f".chord{fault}"
    return None
