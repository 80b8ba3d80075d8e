"""The screen of ``celeriac events``: the newest tasks as events tell them, each with what is known of it.

In an event's life: feed -> **here**. Keys are those of Celery's monitor. Does not know: how events travel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Static

from celeriac.app.app import Celery
from celeriac.cli.output import printable
from celeriac.cli.screens import commanding
from celeriac.cli.screens.dialogs import Asking, Reading, Typing
from celeriac.cli.screens.feed import Feed
from celeriac.cli.screens.rows import details, task_row
from celeriac.cli.screens.table import Table
from celeriac.core import states
from celeriac.events.tasks import Task

LOOK_S: Final = 0.5
"""Between two looks."""
MOST: Final = 500
"""Tasks that are shown, the newest."""


class EventsScreen(App[None]):
    """Shows a fleet's tasks."""

    TITLE = "celeriac events"
    CSS = "#head { height: auto; background: $panel; padding: 0 1; } #tasks { height: 1fr; } #about { height: 2; padding: 0 1; }"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "info", "info"),
        Binding("t", "traceback", "traceback"),
        Binding("r", "result", "result"),
        Binding("c", "revoke", "revoke"),
        Binding("l", "rate", "rate limit"),
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "quit", "quit", priority=True, show=False),
    ]

    def __init__(self, app: Celery) -> None:
        super().__init__()
        self._celery, self._feed = app, Feed(app)

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Static(id="head")
        yield Table(("uuid", "task", "worker", "time", "state"), id="tasks")
        yield Static(id="about")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to hear, and to look."""
        self._feed.start()
        self.set_interval(LOOK_S, self.look)
        self.look()

    def on_unmount(self) -> None:
        """It is left."""
        self._feed.stop()

    def look(self) -> None:
        """Draw what is known now."""
        state = self._feed.state
        self._table.show([task_row(id, task) for id, task in state.tasks_by_time(limit=MOST)])
        alive = len(list(state.alive_workers()))
        head = f"events: {state.event_count}  tasks: {state.task_count}  workers: {alive}/{len(state.workers)}"
        if self._feed.trouble:
            head += f"\n{printable(self._feed.trouble)}"
        self.query_one("#head", Static).update(Text(head))
        task = self._chosen()
        about = "" if task is None else "  ".join(f"{name}={value}" for name, value in task.info().items())
        self.query_one("#about", Static).update(Text(printable(about), overflow="ellipsis", no_wrap=True))

    @property
    def _table(self) -> Table:
        return self.query_one("#tasks", Table)

    def _chosen(self) -> Task | None:
        return None if self._table.chosen is None else self._feed.state.tasks.get(self._table.chosen)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a dialog is open, its keys are its own."""
        return action == "quit" or len(self.screen_stack) == 1 or action not in {"info", "traceback", "result", "revoke", "rate"}

    def on_data_table_row_selected(self) -> None:
        """Enter."""
        self.action_info()

    def action_info(self) -> None:
        """Show all that is known of the task."""
        if (task := self._chosen()) is not None:
            lines = [f"{name}: {printable(value)}" for name, value in details(task)]
            self.push_screen(Reading(f"Task {task.uuid}", lines))

    def action_traceback(self) -> None:
        """Show why the task failed."""
        task = self._chosen()
        if task is None or task.state not in states.EXCEPTION_STATES:
            return self.bell()
        lines = [printable(line) for line in (task.traceback or "there is no traceback").split("\n")]
        self.push_screen(Reading(f"Traceback of {task.uuid}", lines))
        return None

    def action_result(self) -> None:
        """Show what came of the task."""
        if (task := self._chosen()) is not None:
            outcome = task.exception if task.state in states.EXCEPTION_STATES else task.result
            self.push_screen(Reading(f"Result of {task.uuid}", [printable(str(outcome or ""))]))

    def action_revoke(self) -> None:
        """Ask whether the task is not to start."""
        if (task := self._chosen()) is not None and task.uuid is not None:
            id = task.uuid
            self._ask(f"Revoke {task.name}[{id}]?", lambda: commanding.revoke(self._celery, id, terminate=False))

    def action_rate(self) -> None:
        """Ask how many runs of this kind of task are to start."""
        if (task := self._chosen()) is None or task.name is None:
            return self.bell()
        name = task.name

        def typed(rate: str | None) -> None:
            if rate:
                self._command(lambda: commanding.limit_rate(self._celery, name, rate))

        self.push_screen(Typing(f"Rate limit of {name}, such as 10/m; 0: none"), typed)
        return None

    def _ask(self, question: str, command: Callable[[], list[str]]) -> None:
        self.push_screen(Asking(question), lambda yes: self._command(command) if yes else None)

    def _command(self, command: Callable[[], list[str]]) -> None:
        def carry_out() -> Any:
            lines = command()
            self.call_from_thread(self.push_screen, Reading("Answers of the nodes", lines))

        self.run_worker(carry_out, thread=True)
