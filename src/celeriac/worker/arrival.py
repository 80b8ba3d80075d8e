"""What hooks of users are handed when a message has arrived: as it came, or as the request that it became.

In a job's life: made by ``announce``, and only where somebody listens. Names of attributes are Celery's, of its messages and its
worker's requests; nothing can be done with them but look. Does not know: who asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from celeriac.app.context import Context
from celeriac.app.task import Task
from celeriac.core.message import Delivery, Rejected
from celeriac.core.representation import safe_repr
from celeriac.worker.request import Request


class RawMessage(Struct, frozen=True, kw_only=True):
    """A message as it came."""

    body: bytes
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    content_type: str | None
    content_encoding: str | None
    delivery_info: Mapping[str, Any]
    """``exchange``, ``routing_key`` (the queue), ``delivery_tag``."""


def raw(delivery: Delivery) -> RawMessage:
    """Return the message of a delivery as it came."""
    parcel, where = delivery.parcel, {"exchange": "", "routing_key": delivery.queue, "delivery_tag": delivery.tag}
    if isinstance(parcel, Rejected):  # not even an envelope: what lay there is all that is known
        return RawMessage(
            body=delivery.raw, headers={}, properties={}, content_type=None, content_encoding=None, delivery_info=where
        )
    return RawMessage(
        body=parcel.body,
        headers=parcel.headers,
        properties=parcel.properties,
        content_type=parcel.content_type,
        content_encoding=parcel.content_encoding,
        delivery_info=where,
    )


def shown_arguments(request: Request) -> tuple[str, str]:
    """Return the arguments for people: as the caller wants them shown, or, where it said nothing, their repr without secrets."""
    message = request.message
    if message.argsrepr is not None and message.kwargsrepr is not None:
        return message.argsrepr, message.kwargsrepr
    bare = request.task.without_secrets(message)
    return message.argsrepr or safe_repr(bare.args), message.kwargsrepr or safe_repr(bare.kwargs)


class ReceivedRequest:
    """A request that is about to run. What is not named here is asked of its context, ``task.request`` in the task itself."""

    def __init__(self, request: Request) -> None:
        self._request, self._context = request, request.context
        self.message = raw(request.delivery)
        """The message as it came."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # copied or unpickled: there is no context yet
            raise AttributeError(name)
        return getattr(self._context, name)

    @property
    def id(self) -> str:
        """Id of the call."""
        return self._request.message.id

    task_id = id

    @property
    def name(self) -> str:
        """Name of the task."""
        return self._request.message.task

    task_name = type = name

    @property
    def task(self) -> Task[..., Any]:
        """The task itself."""
        return self._request.task

    @property
    def app(self) -> Any:
        """Its app."""
        return self._request.task.app

    @property
    def context(self) -> Context:
        """What the task will know of its call."""
        return self._context

    @property
    def eta(self) -> datetime | None:
        """Earliest start."""
        return self._request.message.eta

    @property
    def request_dict(self) -> Mapping[str, Any]:
        """The headers of the message."""
        return self.message.headers

    @property
    def body(self) -> bytes:
        """The body of the message."""
        return self.message.body

    @property
    def content_type(self) -> str | None:
        """Of the body."""
        return self.message.content_type

    @property
    def content_encoding(self) -> str | None:
        """The same."""
        return self.message.content_encoding

    @property
    def argsrepr(self) -> str:
        """Positional arguments for people: as the caller wants them shown, or their repr without secrets."""
        return shown_arguments(self._request)[0]

    @property
    def kwargsrepr(self) -> str:
        """The same of the keyword arguments."""
        return shown_arguments(self._request)[1]

    @property
    def time_limits(self) -> tuple[float | None, float | None]:
        """Hard and soft limit that will hold, seconds."""
        return self._request.time_limit, self._request.soft_time_limit

    def info(self, safe: bool = False) -> Mapping[str, Any]:
        """Return the call as data; ``safe``: arguments as text."""
        message = self._request.message
        return {
            "id": self.id,
            "name": self.name,
            "args": self.argsrepr if safe else message.args,
            "kwargs": self.kwargsrepr if safe else message.kwargs,
            "type": self.name,
            "hostname": self._context.hostname,
            "time_start": None,
            "acknowledged": False,
            "delivery_info": self.message.delivery_info,
            "worker_pid": None,
        }

    def humaninfo(self) -> str:
        """Return ``name[id]``."""
        return f"{self._request.message.shown_name}[{self.id}]"

    def __str__(self) -> str:
        return self.humaninfo()

    def __repr__(self) -> str:
        return f"<Request: {self.humaninfo()} {self.argsrepr} {self.kwargsrepr}>"
