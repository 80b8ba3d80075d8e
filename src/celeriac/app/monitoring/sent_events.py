"""``task-sent``: callers tell monitors what they have sent, with ``task_send_sent_event``.

In a job's life: behind the publish, never before it and never in its way: a thread says what has gathered, some milliseconds
later, and what is left when the program ends. Does not know: how a message is sent.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from typing import Any, Final
from weakref import WeakMethod

import msgspec

from celeriac.abc import Broadcast, Runtime
from celeriac.core.message import Message, Outgoing
from celeriac.events.courier import Courier
from celeriac.events.types import Here, Sent, Told

_OWN: Final = frozenset(Sent.__struct_fields__) - frozenset(Told.__struct_fields__)
"""What it says beside what every event says."""


class SentEvents:
    """Tells what one app sends."""

    def __init__(
        self, broadcast: Callable[[], Broadcast], here: Here, runtime: Runtime, *, exchange: str, serializer: str
    ) -> None:
        self._here = here
        self._courier = Courier(broadcast, runtime, exchange=exchange, serializer=serializer, hostname=here.hostname)
        close = WeakMethod(self.close)
        atexit.register(_close, close)

    def about(self, messages: Sequence[Message], dispatcher: Any = None) -> Callable[[Sequence[Outgoing]], None]:
        """Return what is to be called when these have been sent: with the moment before that, so that nothing precedes it.

        ``dispatcher``: an ``EventDispatcher`` that is to tell it here and now, by its own clock.
        """
        here = self._here
        now: dict[str, Any] = {
            "hostname": here.hostname,
            "utcoffset": here.utcoffset(),
            "pid": here.pid,
            "clock": here.forward(),
            "timestamp": here.time(),
        }

        def sent(outgoing: Sequence[Outgoing]) -> None:
            for message, out in zip(messages, outgoing, strict=True):
                event = self._event(message, out, now)
                if dispatcher is None:
                    self._courier.put(event)
                else:
                    fields = msgspec.to_builtins(event)
                    dispatcher.send(fields["type"], **{name: fields[name] for name in _OWN})

        return sent

    def _event(self, message: Message, outgoing: Outgoing, now: dict[str, Any]) -> Sent:
        headers = outgoing.parcel.headers
        return Sent(
            **now,
            uuid=message.id,
            name=message.task,
            args=headers.get("argsrepr") or "()",
            kwargs=headers.get("kwargsrepr") or "{}",
            root_id=message.root_id,
            parent_id=message.parent_id,
            retries=message.retries,
            eta=headers.get("eta"),
            expires=headers.get("expires"),
            queue=outgoing.queue,
            exchange=outgoing.exchange,
            routing_key=outgoing.routing_key or outgoing.queue,
        )

    def close(self) -> None:
        """Say what has not been said."""
        self._courier.close()

    def abandon(self) -> None:
        """Forget it: it belongs to the process that forked this one."""
        self._courier.abandon()


def _close(method: WeakMethod[Callable[[], None]]) -> None:
    close = method()
    if close is not None:
        close()
