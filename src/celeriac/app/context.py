"""What a running task may know of its own call: ``task.request``.

In a job's life: the child makes a Context from the Message before execution. Attribute names are Celery's. What the task sets
on it wins over what the message says, for the task itself and for what becomes of its run (``request.callbacks = None``).
The current one is a context variable, so it follows the task into its coroutine, and threads do not see each other's.
Does not know: tasks, stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar, Token
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from celeriac.core.message import Message, Parcel
from celeriac.core.settlement import Addition

_NO_CALL: Final = Message(id="", task="")
_BESIDE: Final = frozenset({"lang", "task", "argsrepr", "kwargsrepr", "compression"})
"""Keys of a mapping that are no attribute of an empty Context and no headers of the caller's either."""
_DEAD_LETTERED: Final = ("x-death", "x-first-death-", "x-last-death-")
"""Headers in which RabbitMQ counts its dead letters: sent again they would look like a circle to it."""


class _Of:
    """An attribute that is what the message says, unless somebody has set it. Asked of the class: what it is without a call."""

    __slots__ = ("_default", "_read")

    def __init__(self, read: Callable[[Message], Any], default: Any = None) -> None:
        self._read, self._default = read, default

    def __get__(self, context: Context | None, owner: type[Any] | None = None) -> Any:
        # No __set__: what is set on the instance stands before this, and setting needs no code.
        if context is None or context.message is _NO_CALL:
            return self._default
        return self._read(context.message)


class _OfParcel(_Of):
    """The same, of what travelled beside the message."""

    __slots__ = ()

    def __get__(self, context: Context | None, owner: type[Any] | None = None) -> Any:
        return self._default if context is None or context.parcel is None else self._read(context.parcel)  # type: ignore[arg-type]


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


class Context:
    """One call, as the running task sees it. Any attribute may be set, new ones, too. Source: Celery's guide, "Task Request".

    Example:
        >>> Context({"id": "x", "retries": 2}).retries
        2
    """

    __slots__ = ("__dict__", "delivery_info", "hostname", "message", "parcel")
    # What is here and no slot costs nothing until it is set; a Context is made for every run.
    _children: list[Any] | None = None
    within: Context | None = None
    """The call in which this one was made as a function; ``None``: in none."""
    called: Any = None
    """The task that was called as a function."""
    additions: tuple[Addition, ...] = ()
    """What it has added to its chord."""
    is_eager: bool = False
    """It runs in the process that called it."""

    id: str | None = _Of(lambda message: message.id)  # type: ignore[assignment]  # here and below: its type for readers
    """The id of the call; ``None`` when called directly."""
    task: str | None = _Of(lambda message: message.task)  # type: ignore[assignment]
    """The name of the task."""
    args: Sequence[Any] | None = _Of(lambda message: message.args)  # type: ignore[assignment]
    """Positional arguments."""
    kwargs: Mapping[str, Any] | None = _Of(lambda message: message.kwargs)  # type: ignore[assignment]
    """Keyword arguments."""
    called_directly: bool = _Of(lambda message: message is _NO_CALL, True)  # type: ignore[assignment]
    """``True`` when the function was called as a function: no message, no worker."""
    retries: int = _Of(lambda message: message.retries, 0)  # type: ignore[assignment]
    """How often it was retried before."""
    eta: str | None = _Of(lambda message: _text(message.eta))  # type: ignore[assignment]
    """Earliest start, ISO 8601 with its zone."""
    expires: str | None = _Of(lambda message: _text(message.expires))  # type: ignore[assignment]
    """Latest start, ISO 8601 with its zone."""
    timelimit: Sequence[float | None] | None = _Of(lambda message: [message.time_limit, message.soft_time_limit])  # type: ignore[assignment]
    """Hard and soft limit of this call, seconds."""
    time_limit: float | None = _Of(lambda message: message.time_limit)  # type: ignore[assignment]
    """Hard limit, seconds."""
    soft_time_limit: float | None = _Of(lambda message: message.soft_time_limit)  # type: ignore[assignment]
    """Soft limit, seconds."""
    group: str | None = _Of(lambda message: message.group)  # type: ignore[assignment]
    """Id of the group it belongs to."""
    taskset: str | None = _Of(lambda message: message.group)  # type: ignore[assignment]
    """Old name of ``group``."""
    group_index: int | None = _Of(lambda message: message.group_index)  # type: ignore[assignment]
    """Its position in the group."""
    root_id: str | None = _Of(lambda message: message.root_id)  # type: ignore[assignment]
    """First task of the workflow."""
    parent_id: str | None = _Of(lambda message: message.parent_id)  # type: ignore[assignment]
    """The task that sent this one."""
    reply_to: str | None = _Of(lambda message: message.reply_to)  # type: ignore[assignment]
    """Where the caller listens, with ``rpc://`` results."""
    correlation_id: str | None = _Of(lambda message: message.correlation_id)  # type: ignore[assignment]
    """Usually the id again, as the message's property."""
    origin: str | None = _Of(lambda message: message.origin)  # type: ignore[assignment]
    """Who sent it."""
    shadow: str | None = _Of(lambda message: message.shadow)  # type: ignore[assignment]
    """The name shown instead of the task's."""
    argsrepr: str | None = _Of(lambda message: message.argsrepr)  # type: ignore[assignment]
    """The positional arguments as text, as logs show them."""
    kwargsrepr: str | None = _Of(lambda message: message.kwargsrepr)  # type: ignore[assignment]
    """The keyword arguments as text."""
    ignore_result: bool = _Of(lambda message: bool(message.ignore_result), False)  # type: ignore[assignment]
    """Whether this call asked that its result be dropped."""
    callbacks: Sequence[Mapping[str, Any]] | None = _Of(lambda message: message.callbacks)  # type: ignore[assignment]
    """Signatures to send after success."""
    errbacks: Sequence[Mapping[str, Any]] | None = _Of(lambda message: message.errbacks)  # type: ignore[assignment]
    """Signatures to send, or call, after failure."""
    chain: Sequence[Mapping[str, Any]] | None = _Of(lambda message: message.chain)  # type: ignore[assignment]
    """The rest of the chain, reversed."""
    chord: Mapping[str, Any] | None = _Of(lambda message: message.chord)  # type: ignore[assignment]
    """The body of the chord it belongs to."""
    headers: Mapping[str, Any] | None = _Of(lambda message: message.headers or None)  # type: ignore[assignment]
    """The caller's own headers; ``None``: none. Each is an attribute, too, unless its name is taken."""
    stamped_headers: Sequence[str] | None = _Of(lambda message: message.stamped_headers)  # type: ignore[assignment]
    """Names of the stamps."""
    stamps: Mapping[str, Any] | None = _Of(lambda message: message.stamps)  # type: ignore[assignment]
    """The stamps."""
    replaced_task_nesting: int = _Of(lambda message: message.replaced_task_nesting, 0)  # type: ignore[assignment]
    """How often it was replaced by another task."""
    redelivered: bool = _Of(lambda message: message.redelivered, False)  # type: ignore[assignment]
    """Whether it was handed out before and came back."""
    properties: Mapping[str, Any] | None = _OfParcel(lambda parcel: parcel.properties)  # type: ignore[assignment, attr-defined]
    """What travelled beside the message: ``reply_to``, ``delivery_mode``, ``priority``, ..."""
    utc: bool | None = None
    """Protocol 1 said whether its dates are UTC; here every date bears its zone, and this is ``None``."""
    logfile: str | None = None
    """As ``apply`` was told."""
    loglevel: int | str | None = None
    """As ``apply`` was told."""

    def __init__(
        self,
        *call: Message | Mapping[str, Any] | Iterable[tuple[str, Any]] | None,
        hostname: str | None = None,
        delivery_info: Mapping[str, Any] | None = None,
        parcel: Parcel | None = None,
        **values: Any,
    ) -> None:
        """Tell of a message; or, without one, of what a mapping or keywords say: for tests, and for runs of one's own.

        Args:
            call: The message, or names and values.
            hostname: Name of the node that runs the task.
            delivery_info: ``exchange``, ``routing_key``, ``priority``, ``redelivered``.
            parcel: The message as it came.
            values: More names and values.
        """
        self.hostname, self.delivery_info, self.parcel = hostname, delivery_info, parcel
        if call and call[0].__class__ is Message:
            self.message: Message = call[0]  # pyright: ignore[reportAttributeAccessIssue]  # exactly that class: cheaper to ask
        else:
            self.message = _NO_CALL
            for given in call:
                values = {**dict(given or {}), **values}  # type: ignore[arg-type]
            if values and values.get("headers") is None:
                values["headers"] = {name: value for name, value in values.items() if not _is_ours(name)} or None
        if values:
            self.update(values)

    @property
    def children(self) -> list[Any]:
        """Results of the tasks that this one has sent."""
        if self._children is None:
            self._children = []
        return self._children

    @children.setter
    def children(self, results: list[Any] | None) -> None:
        self._children = results

    def add_child(self, result: Any) -> None:
        """Remember a task that this one has sent."""
        self.children.append(result)

    @property
    def has_children(self) -> bool:
        """Whether there are any; makes no list to find out."""
        return bool(self._children)

    if TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            """Set any attribute: for type checkers, which otherwise take a new one for a mistake."""

    def __getattr__(self, name: str) -> Any:
        # Only what is found nowhere else arrives here: a header of the caller's, or what travelled beside the message.
        if not name.startswith("__") and name not in Context.__slots__:
            if name in (headers := self.headers or {}):
                return headers[name]
            if self.parcel is not None and name in self.parcel.headers:
                return self.parcel.headers[name]
        raise AttributeError(f"task.request has no {name!r}: it is no attribute, and no header of this call")

    def get(self, key: str, default: Any = None) -> Any:
        """Return an attribute or header; ``default`` if there is none."""
        return getattr(self, key, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set many attributes, given as ``dict.update`` takes them. ``timelimit`` sets both limits besides."""
        values = dict(*args, **kwargs)
        for name, value in values.items():
            setattr(self, name, value)
        if "timelimit" in values:
            limits = values["timelimit"]
            both: Any = limits[:2] if isinstance(limits, list | tuple) and len(limits) >= 2 else (None, None)
            self.time_limit, self.soft_time_limit = both

    def clear(self) -> None:
        """Forget everything."""
        self.__dict__.clear()
        self.message, self.parcel = _NO_CALL, None
        self.hostname, self.delivery_info = None, None

    def as_message(self) -> Message:
        """Return the call as it is now: the message, with what was set here since."""
        changed = self.__dict__
        if not changed:
            return self.message
        fields = {name: value for name, value in changed.items() if name in _FIELDS}
        for name in ("eta", "expires"):
            if isinstance(fields.get(name), str):
                fields[name] = datetime.fromisoformat(fields[name])
        for name in _NEVER_NONE:
            if name in fields and fields[name] is None:
                fields[name] = getattr(_NO_CALL, name)
        return replace(self.message, **fields) if fields else self.message

    def as_execution_options(self) -> dict[str, Any]:
        """Return the options with which the same task would be sent again. Source: Celery's reference of ``Context``."""
        options: dict[str, Any] = {name: getattr(self, ours) for name, ours in _AS_OPTIONS.items()}
        options["time_limit"], options["soft_time_limit"] = self.timelimit or (None, None)
        headers = (self.headers or {}).items()
        options["headers"] = {name: value for name, value in headers if not name.startswith(_DEAD_LETTERED)}
        if self.stamped_headers is not None and self.stamps is not None:
            options["stamped_headers"] = self.stamped_headers
            options.update((name, value) for name, value in self.stamps.items() if name in self.stamped_headers)
        return options

    @property
    def of_worker(self) -> Context | None:
        """The call that has a message: this one, or the one in which it was made as a function; ``None``: there is none."""
        context: Context | None = self
        while context is not None and context.called_directly:
            context = context.within
        return context

    def __repr__(self) -> str:
        return f"<Context: {self.task or 'called directly'}[{self.id or '-'}]>"


_FIELDS: Final = frozenset(Message.__struct_fields__)
_NEVER_NONE: Final = ("id", "task", "args", "kwargs", "retries", "headers", "stamps", "replaced_task_nesting")
"""What a Message always has, and a Context may be told that it has not."""
_AS_OPTIONS: Final = {
    "task_id": "id", "root_id": "root_id", "parent_id": "parent_id", "group_id": "group", "group_index": "group_index",
    "shadow": "shadow", "chord": "chord", "chain": "chain", "link": "callbacks", "link_error": "errbacks", "expires": "expires",
    "retries": "retries", "reply_to": "reply_to", "replaced_task_nesting": "replaced_task_nesting", "origin": "origin",
}  # fmt: skip
"""Option of ``apply_async`` -> attribute."""


def _is_ours(name: str) -> bool:
    return name in _BESIDE or hasattr(Context, name)


_current: ContextVar[Context | None] = ContextVar("celeriac_context", default=None)


current_context: Final[Callable[[], Context | None]] = _current.get
"""Return the call that runs here; ``None`` outside of tasks. Asked by every ``delay()``: no function of ours around it."""


def enter(context: Context | None) -> Token[Context | None]:
    """Make ``context`` the current one; hand the token to ``leave``."""
    return _current.set(context)


def leave(token: Token[Context | None]) -> None:
    """Make current what was so before."""
    _current.reset(token)
