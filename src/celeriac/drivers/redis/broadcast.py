"""Notices on Redis: said by PUBLISH, heard by PSUBSCRIBE; answers in lists.

In a notice's life: say -> channel -> ``hear``; answer -> list -> ``hear`` of whoever opened that mailbox. Channels, bindings and
lists are kombu's, so Celery's programs hear, command and answer. Does not know: what a notice means.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

from celeriac.abc import Runtime
from celeriac.core.notice import Notice, fits
from celeriac.drivers.notices import as_bytes, notice_from, tell
from celeriac.drivers.redis.channels import Channels
from celeriac.drivers.redis.connection import Connections, Script
from celeriac.drivers.redis.ears import Ear, is_news

Hear = Callable[[Notice], None]
PING_EVERY_S: Final = 15.0
"""A silent subscription is asked whether it still lives; TCP alone would tell after many minutes."""
BLOCK_S: Final = 20.0
"""A look into a mailbox waits so long, and is made anew."""
ANSWER_LIVES_MS: Final = 10_000
"""An answer that nobody takes away is gone after this."""
BINDING_LIVES_MS: Final = 60 * 60 * 1000
"""What a client that died has left among the bindings may be swept after this; kombu's number."""


class RedisBroadcast:
    """See ``abc.Broadcast``. Each ear has a connection of its own."""

    def __init__(self, connections: Connections, channels: Channels, *, runtime: Runtime) -> None:
        self._connections, self._channels, self._runtime = connections, channels, runtime
        self._mailbox = Script("mailbox")
        self._ears: weakref.WeakSet[Ear] = weakref.WeakSet()

    def say(self, notices: Sequence[Notice]) -> None:
        """See ``Broadcast.say``."""
        commands = [
            ("PUBLISH", self._channels.channel(notice.exchange, notice.routing_key), self._bytes(notice)) for notice in notices
        ]
        if commands:
            self._connections.pipeline(commands)

    def listen(self, exchange: str, patterns: Sequence[str], hear: Hear) -> Ear:
        """See ``Broadcast.listen``."""

        def hear_published(answer: Any) -> None:
            if is_news(answer):
                notice = self._read(exchange, answer[2].decode("utf-8", "surrogateescape"), answer[3])
                if notice is not None and fits(patterns, notice.routing_key):
                    tell(hear, notice)

        subscribe = ("PSUBSCRIBE", *self._channels.globs(exchange, patterns))
        return self._open(
            Ear(self._connections, self._runtime, greeting=[subscribe], hear=hear_published, silence_s=PING_EVERY_S)
        )

    def open_mailbox(self, exchange: str, key: str, hear: Hear) -> Ear:
        """See ``Broadcast.open_mailbox``."""
        names = self._channels
        binding, stored = names.binding(exchange, key), names.prefix + names.mailbox(exchange, key)

        def hear_answer(answer: Any) -> None:
            notice = None if answer is None else notice_from(exchange, key, answer[1])
            if notice is not None:
                tell(hear, notice)

        return self._open(
            Ear(
                self._connections,
                self._runtime,
                greeting=[self._asking("open", exchange, binding, BINDING_LIVES_MS)],
                hear=hear_answer,
                ask=("BRPOP", stored, BLOCK_S),
                silence_s=BLOCK_S + PING_EVERY_S,
                farewell=[self._asking("close", exchange, binding, stored)],
            )
        )

    def answer(self, notice: Notice) -> None:
        """See ``Broadcast.answer``."""
        names = self._channels
        asking = self._arguments(
            "answer", notice.exchange, notice.routing_key, names.separator, names.prefix, ANSWER_LIVES_MS, self._bytes(notice)
        )
        self._connections.run(self._mailbox, asking)

    def close(self) -> None:
        """Close every ear."""
        for ear in list(self._ears):
            ear.close()

    def abandon(self) -> None:
        """After a fork: threads and sockets are the parent's."""
        for ear in list(self._ears):
            ear.abandon()
        self._ears.clear()

    def _open(self, ear: Ear) -> Ear:
        ear.open()
        self._ears.add(ear)
        return ear

    def _arguments(self, what: str, exchange: str, *more: Any) -> list[Any]:
        names = self._channels
        return [what, names.bindings(exchange), names.permanent(exchange), names.deadlines, exchange, *more]

    def _asking(self, what: str, exchange: str, *more: Any) -> list[Any]:
        return ["EVAL", self._mailbox.text, 0, *self._arguments(what, exchange, *more)]

    def _bytes(self, notice: Notice) -> bytes:
        return as_bytes(notice, tag=self._runtime.new_id())

    def _read(self, exchange: str, channel: str, raw: bytes) -> Notice | None:
        """Read what was published. What it says of its own address counts: channels of exchange ``a/b`` and key ``b`` are one."""
        key = channel.removeprefix(self._channels.channel(exchange, "")).removeprefix("/")
        notice = notice_from(exchange, key, raw)
        address = None if notice is None else notice.parcel.properties.get("delivery_info")
        match address:
            case {"exchange": str(other)} if other != exchange:
                return None
            case {"routing_key": str(said)} if notice is not None:
                return Notice(exchange, said, notice.parcel)
        return notice
