"""Can this node write what its settings ask for? Asked before it takes its first task.

In a node's life: a serializer that does not exist, or whose library is not installed, would otherwise be found when the first
task has run and its result cannot be stored: a task that did its work would end as a dead letter. Does not know: tasks, stores.
"""

from __future__ import annotations

from celeriac.config.sections import Settings
from celeriac.core import codecs
from celeriac.core.compression import compress
from celeriac.core.errors import EncodeError, ImproperlyConfigured


def check_formats(settings: Settings) -> None:
    """Try to write nothing in each format that the settings name.

    Raises:
        ImproperlyConfigured: there is no such format, or its library is not installed; names the setting.
    """
    result, task = settings.result, settings.task
    for name, serializer in {"result_serializer": result.serializer, "task_serializer": task.serializer}.items():
        try:
            codecs.encode(None, serializer)
        except EncodeError as error:
            raise ImproperlyConfigured(f"the setting {name} = {serializer!r} is wrong: {error}") from error
    for name, method in {"result_compression": result.compression, "task_compression": task.compression}.items():
        try:
            if method is not None:
                compress(b"", method)
        except EncodeError as error:
            raise ImproperlyConfigured(f"the setting {name} = {method!r} is wrong: {error}") from error
