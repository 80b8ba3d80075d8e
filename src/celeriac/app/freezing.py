"""Fix the ids of a workflow before it is sent.

In a job's life: before ``apply_async``, or instead of it: what is frozen has an id, so its result is known, can be stored and
waited for, and to send it twice sends the same ids twice. The ids are written into the signature itself, as Celery does it.
What is not frozen gets its ids when it is sent (``flows.frozen.freeze``), which keeps those that are there.
Source: Celery's reference of ``Signature.freeze``. Does not know: how workflows are sent, the classes of workflows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from celeriac.app.flows.frozen import freeze
from celeriac.app.flows.normal import NESTED, longest_row
from celeriac.app.flows.stored import Stored
from celeriac.app.flows.vetting import vet
from celeriac.app.home import Home
from celeriac.app.result import AsyncResult
from celeriac.app.stamping import Stamped
from celeriac.core.errors import WorkflowTooDeep

R = TypeVar("R")


class Freezable(Stamped, Generic[R]):
    """A signature whose ids can be fixed."""

    __slots__ = ()

    @property
    def AsyncResult(self) -> Callable[..., AsyncResult[R]]:  # noqa: N802 - Celery's name
        """What makes the result of a call, from its id."""
        raise NotImplementedError

    def freeze(
        self,
        _id: str | None = None,
        group_id: str | None = None,
        chord: Mapping[str, Any] | None = None,
        root_id: str | None = None,
        parent_id: str | None = None,
        group_index: int | None = None,
    ) -> Any:
        """Fix the ids of this call, and of everything in it, and return the result that it will have.

        An id that is fixed already stays. ``apply_async`` sends these ids, however often it is called.

        Args:
            _id: For what it ends with; ``None``: a fresh one.
            group_id: Group that its end is a member of.
            chord: Body of the chord that its end reports to.
            root_id: First task of the workflow.
            parent_id: The task that is to be the parent of what is called first.
            group_index: Place of its end in the group.

        Source: Celery's reference of ``Signature.freeze``.
        """
        vet(self)
        options, app = self["options"], self.app
        options.setdefault("task_id", _id or app.runtime.new_id())
        options.setdefault("reply_to", app.here.reply_to)
        for name, value in (("root_id", root_id), ("parent_id", parent_id), ("chord", chord), ("group_index", group_index)):
            if value is not None:
                options[name] = value
        if group_id is not None:
            options.setdefault("group_id", group_id)
        return self.AsyncResult(options["task_id"])

    _freeze = freeze


def fixed(app: Home, whole: Stored, id: str | None = None) -> Stored:
    """Return a workflow in the normal form as it is sent: with an id for everything in it. What has an id keeps it.

    Args:
        app: Sends it.
        whole: The workflow.
        id: For what it ends with; ``None``: a fresh one.

    Raises:
        WorkflowTooDeep: it is nested in too many others; or Celery's workers are to take part, and too many chords follow each
            other.
    """
    if app.conf.settings().task.workflow_embed_limit is None and longest_row(whole) > NESTED:
        raise WorkflowTooDeep(
            f"more than {NESTED} chords follow each other in this workflow: Celery's workers can take part in no such one. "
            "Leave task_workflow_embed_limit at a number of bytes if there are none"
        )
    return freeze(whole, app.runtime.new_id, id=id)


def linked_to(result: Any, before: Any) -> Any:
    """Return ``result``, with ``before`` as what went before the first of its parents.

    Raises:
        RuntimeError: one of them is its own parent.
    """
    node, seen = result, set()
    while node.parent is not None:
        seen.add(id(node))
        node = node.parent
        if id(node) in seen:
            raise RuntimeError(f"the results of a workflow form a circle at {node.id}")
    if node is not before:
        node.parent = before
    return result
