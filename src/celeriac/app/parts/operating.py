"""What an operator says of queues and task types, and asks about a task, by way of the store: nobody else has to answer.

Beside a job's life: what is said here is stored, and honoured by every node, also by one that starts later. Does not know:
workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from celeriac.app.explaining import Explanation, explain
from celeriac.app.parts.assembly import router_of
from celeriac.app.parts.borrowing import Borrowing
from celeriac.core.rules import Rules

Names = str | Iterable[Any] | Any
"""One name, or several; also tasks and queues themselves, which have one."""


class Operating(Borrowing):
    """The part of an app that steers a fleet."""

    def pause(self, *, queues: Names = (), tasks: Names = ()) -> None:
        """Have all nodes fetch nothing from these queues, and begin no task of these types, until they are resumed.

        It is stored: in force within a second on every node, also after restarts. What runs already comes to its end. Messages of
        a paused type are put aside; others in their queue go on.

        Example:
            >>> app.pause(queues="mails", tasks=["shop.charge"])

        Raises:
            ValueError: neither a queue nor a task is named.
            BrokerUnreachable: the store was not reached.
        """
        self.store.pause(queues=_names(queues), tasks=_some(queues, tasks))

    def resume(self, *, queues: Names = (), tasks: Names = ()) -> None:
        """End pauses. What was put aside is back in its queue at once, in its order, before what came later.

        Raises:
            ValueError: neither a queue nor a task is named.
            BrokerUnreachable: the store was not reached.
        """
        self.store.resume(queues=_names(queues), tasks=_some(queues, tasks))

    @property
    def rules(self) -> Rules:
        """What operators have said: what is paused, which tasks and stamps are revoked."""
        return self.store.rules()

    def routed_queues(self) -> Sequence[str]:
        """Queues to look into for what this app has sent: also those to which tables of ``task_routes`` and its tasks lead.

        Nobody need serve them: that is when somebody looks. Tasks of modules that were not imported yet are not known.
        """
        own = (task.queue for task in self.tasks.values() if task.queue is not None)
        named = (queue if isinstance(queue, str) else str(queue.name) for queue in own)
        return tuple(dict.fromkeys((*self.queue_names(), *router_of(self.settings.task).targets(), *named)))

    def explain(self, task_id: str, *, queues: Names = ()) -> Explanation:
        """Say where a task is, and why it does not run: it waits, is held, paused, throttled, dead, over, or nobody knows it.

        Args:
            task_id: Its id.
            queues: Looked through beside those of the app and its routes, and those of the nodes that are alive.
        """
        return explain(
            self.store,
            task_id,
            queues=[*self.routed_queues(), *_names(queues)],
            now=self.runtime.time(),
            results=self.keeps_results,
        )


def _names(given: Names) -> Sequence[str]:
    # A task, or a queue, of which the name is meant, is none of several.
    some: list[Any] = [given] if isinstance(given, str) or hasattr(given, "name") else list(given)
    return [one if isinstance(one, str) else one.name for one in some]


def _some(queues: Names, tasks: Names) -> Sequence[str]:
    names = _names(tasks)
    if not names and not _names(queues):
        raise ValueError("say which queues or which tasks")
    return names
