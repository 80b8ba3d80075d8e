"""What a task's class may override to hear of its runs, and to have a say in how it is shown and sent.

In a job's life: around the run, in the worker that runs it and before its end is settled: a process that dies in a handler has
not finished the task. Names and arguments: Celery's guide, "Handlers". Does not know: who calls these.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final


class ExceptionInfo:
    """An exception and its traceback, as handlers and signals are handed them; as text, the traceback."""

    def __init__(self, exception: BaseException, text: str | None = None) -> None:
        """``text``: the traceback as text; ``None``: of the exception as it is."""
        self.exception = exception
        self.type = type(exception)
        self.tb = exception.__traceback__
        self.traceback = "".join(traceback.format_exception(exception)) if text is None else text
        self.internal = False

    @property  # type: ignore[misc]  # isinstance() asks for it
    def __class__(self) -> type:
        # Tools that trace Celery unwrap the exception of billiard's class of this name, and do not know ours. Where such
        # a tool has brought billiard, we count as one; we never bring it ourselves.
        theirs = getattr(sys.modules.get("billiard.einfo"), "ExceptionInfo", None)
        return theirs if isinstance(theirs, type) else ExceptionInfo

    @property
    def exc_info(self) -> tuple[type[BaseException], BaseException, Any]:
        """Class, exception and traceback, as ``sys.exc_info`` has them."""
        return self.type, self.exception, self.tb

    def __str__(self) -> str:
        return self.traceback

    def __repr__(self) -> str:
        return f"<ExceptionInfo: {self.exception!r}>"


class Handlers:
    """Does nothing; a task's own class does what it wants. Each may be an ``async def``."""

    def before_start(self, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Called before the run; an exception here fails the task."""

    def on_success(self, retval: Any, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Called when the run returned ``retval``; an exception here is logged, the task has succeeded."""

    def on_retry(
        self, exc: BaseException | None, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any], einfo: ExceptionInfo
    ) -> Any:
        """Called when the task is to run again; ``exc`` is why, if it was said."""

    def on_failure(
        self, exc: BaseException, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any], einfo: ExceptionInfo
    ) -> Any:
        """Called when the run raised ``exc``. Not when its process died: nothing of the user's runs then."""

    def after_return(
        self, status: str, retval: Any, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any], einfo: ExceptionInfo | None
    ) -> Any:
        """Called last, when the run has succeeded or failed; ``retval`` is the value, or the exception."""

    def shadow_name(self, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any]) -> str | None:
        """Return the name that logs and monitors show for one call; ``None``: the task's own."""

    def on_bound(self, app: Any) -> Any:
        """Called when the task becomes one of ``app``."""


NAMES: Final = ("before_start", "on_success", "on_retry", "on_failure", "after_return")
"""Handlers of a run."""


def overridden(task: Handlers, name: str) -> bool:
    """Say whether ``name`` does something for this task."""
    return name in vars(task) or getattr(type(task), name) is not vars(Handlers)[name]
