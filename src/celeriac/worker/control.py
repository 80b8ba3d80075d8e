"""Remote control of a node: what its supervisor answers, whatever its children are doing.

In a command's life: heard by ``control.answering``, looked up here in the panel, carried out by a function of ``commands/`` or
of a user. Does not know: how a command travels.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from celeriac.app.app import Celery
from celeriac.app.log_file import log_file
from celeriac.control.answering import Answering, NoAnswer
from celeriac.control.commands import Command, Exchanges
from celeriac.control.panel import Panel
from celeriac.core.errors import OperationalError, WorkerShutdown, WorkerTerminate
from celeriac.worker import commands
from celeriac.worker.assembly import reader_of
from celeriac.worker.instance import Worker
from celeriac.worker.known import Knowledge
from celeriac.worker.orders import OrderBook
from celeriac.worker.plan import Plan
from celeriac.worker.state import State
from celeriac.worker.state_file import StateFile
from celeriac.worker.steered import Autoscaling, Steered
from celeriac.worker.stopping import Ask

log = logging.getLogger("celeriac.control")

REVOKING = frozenset({"revoke", "terminate", "hello"})
"""Commands after which more tasks may be revoked."""
RETRY_S = 2.0
"""Between two tries to listen, while the store does not answer."""
WRITE_S = 5.0
"""So often the state file is written at most, while commands revoke tasks."""


def open_control(
    worker: Worker,
    plan: Plan,
    node: Steered,
    book: OrderBook,
    totals: Callable[[], Mapping[str, int]],
    autoscaler: Autoscaling | None = None,
) -> RemoteControl | None:
    """Hear commands from now on; ``None``: the app does not want that.

    Args:
        worker: The node, as hooks and commands of users see it.
        plan: What it is.
        node: Its processes.
        book: What they are to do.
        totals: How many tasks of each name they have run.
        autoscaler: Who else changes their number.
    """
    app = worker.app
    if not app.settings.worker.enable_remote_control:
        return None
    known = Knowledge(node, app.store, reader_of(app, plan), app.runtime, plan.hostname)
    memory = None
    if (path := app.settings.worker.state_db) is not None:
        memory = StateFile(log_file(path, plan.hostname))
        recall(app, memory)
    control = RemoteControl(
        State(worker.consumer, node, book, app.store, known, totals, plan.slots_per_child, autoscaler), memory
    )
    control.open()
    return control


def recall(app: Celery, memory: StateFile) -> None:
    """Tell the store what the file remembers."""
    found = memory.read()
    app.clock.adjust(found.clock)
    if found.revoked:
        app.store.revoke(found.revoked)
        log.info("%d revoked tasks are remembered", len(found.revoked))


class RemoteControl:
    """Hears commands from when the node is registered until it says goodbye."""

    def __init__(self, state: State, memory: StateFile | None = None) -> None:
        commands.load()
        settings, app = state.app.settings, state.app
        self._state = state
        self._memory, self._written_at = memory, 0.0
        self._closed = threading.Event()
        self._answering = Answering(
            state.store.broadcast,
            Exchanges(settings.control.exchange),
            name=state.hostname,
            carry_out=self.carry_out,
            clock=app.clock,
            runtime=app.runtime,
            serializer=settings.task.serializer,
            accept=app.accept_content,
            answers_live_s=min(settings.control.queue_ttl, settings.control.queue_expires),
        )

    def open(self) -> None:
        """Hear commands. A store that does not answer just now is asked again, in a thread."""
        try:
            self._answering.open()
        except OperationalError as error:
            log.warning("this node hears no commands yet: %s", error)
            threading.Thread(target=self._insist, name="celeriac-control-open", daemon=True).start()

    def close(self) -> None:
        """Hear no more."""
        self._closed.set()
        self._answering.close()
        self._remember()

    def carry_out(self, command: Command) -> Any:
        """Carry out one command; return its answer.

        Raises:
            KeyError: there is no such command.
            NoAnswer: it is not answered.
        """
        run = Panel.data[command.method]
        try:
            answer = run(self._state, **command.arguments)
        except WorkerTerminate as asked:
            self._state.node.stop(Ask.QUIT, f"command {command.method}")
            raise NoAnswer from asked
        except WorkerShutdown as asked:
            self._state.node.stop(Ask.FINISH, f"command {command.method}")
            raise NoAnswer from asked
        now = self._state.app.runtime.monotonic()
        if command.method in REVOKING and now - self._written_at > WRITE_S:
            self._written_at = now
            self._remember()
        return answer

    def _remember(self) -> None:
        if self._memory is not None:
            try:
                self._memory.write(self._state.store.rules().revoked, self._state.app.clock.value)
            except OperationalError as error:
                log.warning("the state file is not written: %s", error)

    def _insist(self) -> None:
        while not self._closed.wait(RETRY_S):
            try:
                self._answering.open()
            except OperationalError as error:
                log.debug("this node hears no commands yet: %s", error)
            else:
                log.info("this node hears commands now")
                return
