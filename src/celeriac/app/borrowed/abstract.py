"""``celery.utils.abstract``: what can be called as a task, or as a signature, whatever its class.

In a program's life: ``isinstance`` in code that takes both. Does not know: how anything is called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from celeriac.app.signature import Signature
from celeriac.app.task import Task


class CallableTask(Callable, ABC):  # type: ignore[misc, type-arg]  # the class of the standard library, not its type
    """Whatever has the methods by which a task is called."""

    @abstractmethod
    def delay(self, *args: Any, **kwargs: Any) -> Any:
        """Call it by a worker."""

    @abstractmethod
    def apply_async(self, *args: Any, **kwargs: Any) -> Any:
        """The same, with options."""

    @abstractmethod
    def apply(self, *args: Any, **kwargs: Any) -> Any:
        """Call it here."""

    @classmethod
    def __subclasshook__(cls, other: type) -> Any:
        """Say whether a class has all that is asked for."""
        asked = cls.__abstractmethods__
        found = {name for base in other.__mro__ for name in vars(base)}
        return True if asked <= found else NotImplemented


class CallableSignature(CallableTask):
    """Whatever is a call that can be passed on."""

    @abstractmethod
    def clone(self, args: Any = None, kwargs: Any = None) -> Any:
        """Copy it, with more arguments."""

    @abstractmethod
    def freeze(
        self, id: Any = None, group_id: Any = None, chord: Any = None, root_id: Any = None, group_index: Any = None
    ) -> Any:
        """Give it its id."""

    @abstractmethod
    def set(self, immutable: Any = None, **options: Any) -> Any:
        """Change its options."""

    @abstractmethod
    def link(self, callback: Any) -> Any:
        """Call this after success."""

    @abstractmethod
    def link_error(self, errback: Any) -> Any:
        """Call this after failure."""

    @abstractmethod
    def __or__(self, other: Any) -> Any:
        """Make a chain."""

    @abstractmethod
    def __invert__(self) -> Any:
        """Call it and wait."""


CallableTask.register(Task)
CallableSignature.register(Signature)
