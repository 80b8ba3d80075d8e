"""``task_annotations``: attributes of tasks that the settings give, whatever the code says.

In a program's life: when a task is first used, or the worker starts. Celery's forms: a mapping of task names (``"*"``: every
task) to attributes, an object with ``annotate(task)`` and ``annotate_any()``, the dotted name of one, or a list of these. An
attribute named ``"@run"`` is a function that is put around the method ``run``. What is said about one task wins over what is
said about all; of two that say something about the same task, the first. Source: Celery's page on configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from celeriac.app.attributes import Attributes, take_in_classes
from celeriac.config.sources import load
from celeriac.core.errors import ImproperlyConfigured

EVERY = "*"


def annotate(task: Attributes, annotations: Any) -> None:
    """Set what ``annotations`` say about ``task``.

    Raises:
        ImproperlyConfigured: one of them has a form that means nothing.
        TypeError: what is to be exception classes is something else.
    """
    for attributes in (
        _first(_about_all(each) for each in _several(annotations)),
        _first(_about(each, task) for each in _several(annotations)),
    ):
        for name, value in attributes.items():
            if name.startswith("@"):
                add_around(task, name[1:], value)
            else:
                setattr(task, name, value)
    take_in_classes(task)


def add_around(task: Attributes, name: str, around: Callable[..., Any]) -> None:
    """Put ``around(method)`` in the place of the method ``name``; what was put around it before is taken off."""
    inner = getattr(task, name)
    inner = vars(inner).get("__around__", inner) if hasattr(inner, "__dict__") else inner
    outer = around(inner)
    with suppress(AttributeError):  # a callable without attributes cannot be taken off again
        outer.__around__ = inner
    setattr(task, name, outer)


def _several(annotations: Any) -> Iterator[Any]:
    several = annotations if isinstance(annotations, list | tuple) else [annotations]
    for each in several:
        if each is not None:
            found = load(each, what="what task_annotations names,") if isinstance(each, str) else each
            yield found() if isinstance(found, type) else found


def _about_all(annotation: Any) -> Any:
    if isinstance(annotation, Mapping):
        return annotation.get(EVERY)
    return annotation.annotate_any() if hasattr(annotation, "annotate_any") else None


def _about(annotation: Any, task: Attributes) -> Any:
    if isinstance(annotation, Mapping):
        return annotation.get(task.name)
    if not hasattr(annotation, "annotate"):
        raise ImproperlyConfigured(
            f"the setting task_annotations has {annotation!r}, which is neither a mapping nor an object with annotate(task)"
        )
    return annotation.annotate(task)


def _first(found: Iterator[Any]) -> Mapping[str, Any]:
    return next((each for each in found if each), {})
