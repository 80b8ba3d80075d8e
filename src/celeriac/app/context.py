"""What a running task may know of its own call: ``task.request``.

In a job's life: the child makes a Context from the Message before execution. Attribute names are Celery's.
The current one is a context variable, so it follows the task into its coroutine, and threads do not see each other's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar, Token
from datetime import datetime
from typing import Any, Final

from celeriac.core.message import Message

_NO_CALL = Message(id="", task="")


class Context:
    """One call, as the running task sees it. Source: Celery's guide, "Task Request"."""

    __slots__ = ("children", "delivery_info", "hostname", "is_eager", "message")

    def __init__(
        self,
        message: Message | None = None,
        *,
        hostname: str = "",
        delivery_info: Mapping[str, Any] | None = None,
        is_eager: bool = False,
    ) -> None:
        self.message = _NO_CALL if message is None else message
        self.hostname = hostname
        """Name of the node that runs the task."""
        self.delivery_info = delivery_info
        self.is_eager = is_eager
        self.children: list[Any] | None = None
        """Results of the tasks that this one has sent, once there are any."""

    def add_child(self, result: Any) -> None:
        """Remember a task that this one has sent."""
        if self.children is None:
            self.children = []
        self.children.append(result)

    @property
    def called_directly(self) -> bool:
        """``True`` when the function was called as a function: no message, no worker."""
        return self.message is _NO_CALL

    @property
    def id(self) -> str | None:
        """The id of the call; ``None`` when called directly."""
        return self.message.id or None

    @property
    def task(self) -> str | None:
        """The name of the task; ``None`` when called directly."""
        return self.message.task or None

    @property
    def args(self) -> Sequence[Any]:
        """Positional arguments."""
        return self.message.args

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """Keyword arguments."""
        return self.message.kwargs

    @property
    def retries(self) -> int:
        """How often it was retried before."""
        return self.message.retries

    @property
    def eta(self) -> datetime | None:
        """Earliest start."""
        return self.message.eta

    @property
    def expires(self) -> datetime | None:
        """Latest start."""
        return self.message.expires

    @property
    def timelimit(self) -> tuple[float | None, float | None]:
        """Hard and soft limit of this call, seconds."""
        return self.message.time_limit, self.message.soft_time_limit

    @property
    def group(self) -> str | None:
        """Id of the group it belongs to."""
        return self.message.group

    @property
    def group_index(self) -> int | None:
        """Its position in the group."""
        return self.message.group_index

    @property
    def root_id(self) -> str | None:
        """First task of the workflow."""
        return self.message.root_id

    @property
    def parent_id(self) -> str | None:
        """The task that sent this one."""
        return self.message.parent_id

    @property
    def reply_to(self) -> str | None:
        """Where the caller listens, with ``rpc://`` results."""
        return self.message.reply_to

    @property
    def correlation_id(self) -> str | None:
        """The id again, as the message's property."""
        return self.message.correlation_id

    @property
    def origin(self) -> str | None:
        """Who sent it."""
        return self.message.origin

    @property
    def shadow(self) -> str | None:
        """The name shown instead of the task's."""
        return self.message.shadow

    @property
    def ignore_result(self) -> bool:
        """Whether this call asked that its result be dropped."""
        return bool(self.message.ignore_result)

    @property
    def callbacks(self) -> Sequence[Mapping[str, Any]] | None:
        """Signatures to send after success."""
        return self.message.callbacks

    @property
    def errbacks(self) -> Sequence[Mapping[str, Any]] | None:
        """Signatures to send after failure."""
        return self.message.errbacks

    @property
    def chain(self) -> Sequence[Mapping[str, Any]] | None:
        """The rest of the chain, reversed."""
        return self.message.chain

    @property
    def chord(self) -> Mapping[str, Any] | None:
        """The body of the chord it belongs to."""
        return self.message.chord

    @property
    def headers(self) -> Mapping[str, Any]:
        """The caller's own headers."""
        return self.message.headers

    @property
    def stamped_headers(self) -> Sequence[str] | None:
        """Names of the stamps."""
        return self.message.stamped_headers

    @property
    def stamps(self) -> Mapping[str, Any]:
        """The stamps."""
        return self.message.stamps

    @property
    def replaced_task_nesting(self) -> int:
        """How often it was replaced by another task."""
        return self.message.replaced_task_nesting

    @property
    def redelivered(self) -> bool:
        """Whether it was handed out before and came back."""
        return self.message.redelivered

    def __repr__(self) -> str:
        return f"<Context: {self.task or 'called directly'}[{self.id or '-'}]>"


_current: ContextVar[Context | None] = ContextVar("celeriac_context", default=None)


current_context: Final[Callable[[], Context | None]] = _current.get
"""Return the call that runs here; ``None`` outside of tasks. Asked by every ``delay()``: no function of ours around it."""


def enter(context: Context) -> Token[Context | None]:
    """Make ``context`` the current one; hand the token to ``leave``."""
    return _current.set(context)


def leave(token: Token[Context | None]) -> None:
    """Make current what was so before."""
    _current.reset(token)
