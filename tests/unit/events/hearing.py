"""A broadcast in the memory of a test, which can be away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from celeriac.core.errors import BrokerUnreachable
from celeriac.core.notice import Notice
from celeriac.drivers.memory.broadcast import MemoryBroadcast


class Away(MemoryBroadcast):
    """Says nothing while it is ``away``; counts how often it is asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.calls = 0

    def say(self, notices: Sequence[Notice]) -> None:
        self.calls += 1
        if self.away:
            raise BrokerUnreachable("the broker is away")
        super().say(notices)


class Ears:
    """Everything that was heard at one exchange."""

    def __init__(
        self, broadcast: MemoryBroadcast, exchange: str = "celeryev", hear: Callable[[Notice], None] | None = None
    ) -> None:
        self.notices: list[Notice] = []
        self.listening = broadcast.listen(exchange, ["#"], hear or self.notices.append)
