"""Names of what notices travel by: channels of PUB/SUB, bindings and lists of mailboxes.

All are kombu's, so that its programs hear and answer. Does not know: connections, what a notice means.
Source: kombu's Redis transport.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct


class Channels(Struct, frozen=True, kw_only=True):
    """How the channels and lists of one database are called."""

    prefix: str = ""
    """``global_keyprefix``: before every key and every channel."""
    fanout: str = "/0."
    """``fanout_prefix``: before every exchange. The number is that of the database: channels themselves know none."""
    with_keys: bool = True
    """``fanout_patterns``: whether the routing key is a part of the channel."""
    separator: str = "\x06\x16"
    """``sep``: between the parts of a binding."""

    def channel(self, exchange: str, routing_key: str) -> str:
        """Return where a notice is published."""
        channel = f"{self.prefix}{self.fanout}{exchange}"
        return f"{channel}/{routing_key}" if routing_key and self.with_keys else channel

    def globs(self, exchange: str, patterns: Sequence[str]) -> list[str]:
        """Return what to subscribe to, to hear at least all that fits ``patterns``, and nothing twice."""
        if not self.with_keys:
            return [_escaped(self.channel(exchange, ""))]
        wanted = {scope for pattern in patterns for scope in self._scopes(exchange, pattern)}
        return sorted(
            _escaped(start) + "*" * any_end
            for start, any_end in wanted
            if not any(_covers(other, (start, any_end)) for other in wanted)
        )

    def _scopes(self, exchange: str, pattern: str) -> list[tuple[str, bool]]:
        """Return beginnings of channels, and whether anything may follow."""
        words = pattern.split(".")
        wild = next((place for place, word in enumerate(words) if word in {"*", "#"}), None)
        if wild is None:
            return [(self.channel(exchange, pattern), False)]
        if wild:
            # ``task.#`` hears ``task``, too.
            return [(self.channel(exchange, ".".join(words[:wild])), True)]
        alone = self.channel(exchange, "")
        everything = [(f"{alone}/", True)]
        return [(alone, False), *everything] if words[0] == "#" else everything

    def bindings(self, exchange: str) -> str:
        """Return the key of the set of an exchange's bindings."""
        return f"{self.prefix}_kombu.binding.{exchange}"

    def permanent(self, exchange: str) -> str:
        """Return the key of the set of its bindings that nobody may sweep."""
        return f"{self.prefix}_kombu.binding_permanent.{exchange}"

    @property
    def deadlines(self) -> str:
        """The key of the moments after which bindings may be swept."""
        return f"{self.prefix}_kombu.binding_deadlines"

    def mailbox(self, exchange: str, key: str) -> str:
        """Return the name of the queue of a mailbox."""
        return f"{key}.{exchange}"

    def binding(self, exchange: str, key: str) -> str:
        """Return the binding of a mailbox."""
        return self.separator.join((key, "", self.mailbox(exchange, key)))


def channels_from(options: Mapping[str, Any], database: int) -> Channels:
    """Build the names from ``broker_transport_options``."""
    given = options.get("fanout_prefix", True)
    fanout = given if isinstance(given, str) else "/{db}." if given else ""
    return Channels(
        prefix=str(options.get("global_keyprefix", "")),
        fanout=fanout.replace("{db}", str(database)),
        with_keys=bool(options.get("fanout_patterns", True)),
        separator=str(options.get("sep", "\x06\x16")),
    )


def _covers(one: tuple[str, bool], other: tuple[str, bool]) -> bool:
    return one != other and one[1] and other[0].startswith(one[0])


def _escaped(text: str) -> str:
    """Return a glob that means exactly this text."""
    return "".join(f"\\{char}" if char in "*?[]^\\" else char for char in text)
