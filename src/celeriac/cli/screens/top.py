"""The screen of ``celeriac top``: queues, running tasks and nodes, and what an operator may do to them.

In a screen's life: drawn from a picture that a thread takes every second. What changes a fleet is asked first. Does not know: how
pictures are taken.
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
from celeriac.cli.screens.picture import Picture, Running, take
from celeriac.cli.screens.rows import Row, arranged, lasting, row
from celeriac.cli.screens.table import Table

LOOK_S: Final = 1.0
"""Between two pictures."""
COLUMNS: Final = {
    "queues": ("queue", "waiting", "nodes", "paused"),
    "running": ("task", "id", "node", "for", "arguments"),
    "nodes": ("node", "pool", "active", "processed", "load", "queues", "seen"),
}
_DESCENDING: Final = {"queues": (1, True), "running": (3, True), "nodes": (0, False)}
"""How each table is sorted at first: the fullest queues and the longest runs first."""
_TYPE: Final = "tasks "
"""How a row of a paused type of tasks begins; no queue's name has a blank."""


class TopScreen(App[None]):
    """Shows a fleet."""

    TITLE = "celeriac top"
    CSS = """
        #head { height: auto; background: $panel; padding: 0 1; }
        #queues { height: 1fr; } #running { height: 2fr; } #nodes { height: 1fr; }
        Table { border: round $panel; } Table:focus { border: round $accent; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "sort"),
        Binding("S,o", "turn", "turn order"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("i", "info", "info"),
        Binding("p", "pause", "pause/resume"),
        Binding("c", "revoke", "revoke"),
        Binding("x", "terminate", "terminate"),
        Binding("q", "quit", "quit"),
        Binding("ctrl+c", "quit", "quit", priority=True, show=False),
    ]

    def __init__(self, app: Celery) -> None:
        super().__init__()
        self._celery, self._feed = app, Feed(app)
        self._picture = Picture()
        self._looking = False
        self._filter = ""
        self._sorted = dict(_DESCENDING)

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Static("looking …", id="head")
        for name, columns in COLUMNS.items():
            table = Table(columns, id=name)
            table.border_title = name
            yield table
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        self._feed.start()
        self.query_one("#running", Table).focus()
        self.set_interval(LOOK_S, self.look)
        self.look()

    def on_unmount(self) -> None:
        """It is left."""
        self._feed.stop()

    def look(self) -> None:
        """Have a picture taken, unless one is being taken still."""
        if not self._looking:
            self._looking = True
            self.run_worker(self._take, thread=True)

    def _take(self) -> None:
        picture = take(self._celery, self._feed.state)
        self.call_from_thread(self._taken, picture)

    def _taken(self, picture: Picture) -> None:
        self._looking, self._picture = False, picture
        self.draw()

    def draw(self) -> None:
        """Draw the last picture."""
        picture = self._picture
        head = picture.trouble or (
            f"nodes: {len(picture.nodes)}  running: {len(picture.running)}"
            f"  waiting: {sum(queue.waiting for queue in picture.queues)}  scheduled: {picture.scheduled}"
        )
        if picture.paused_tasks:
            head += f"  paused types: {', '.join(picture.paused_tasks)}"
        if self._filter:
            head += f"  filter: {self._filter}"
        self.query_one("#head", Static).update(Text(printable(head)))
        for name, rows in rows_of(picture).items():
            column, descending = self._sorted[name]
            self.query_one(f"#{name}", Table).show(arranged(rows, column=column, descending=descending, containing=self._filter))

    @property
    def _focused(self) -> Table | None:
        return self.focused if isinstance(self.focused, Table) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a dialog is open, its keys are its own."""
        del parameters
        own = {"sort", "turn", "filter", "info", "pause", "revoke", "terminate"}
        return action not in own or len(self.screen_stack) == 1

    def _run(self) -> Running | None:
        table = self.query_one("#running", Table)
        return next((each for each in self._picture.running if each.id == table.chosen), None)

    # ---- keys --------------------------------------------------------------------------------------------------

    def action_sort(self) -> None:
        """Sort the table of the cursor by its next column."""
        if (table := self._focused) is not None and table.id is not None:
            column, descending = self._sorted[table.id]
            self._sorted[table.id] = ((column + 1) % len(COLUMNS[table.id]), descending)
            table.border_subtitle = f"by {COLUMNS[table.id][self._sorted[table.id][0]]}"
            self.draw()

    def action_turn(self) -> None:
        """Turn its order round."""
        if (table := self._focused) is not None and table.id is not None:
            column, descending = self._sorted[table.id]
            self._sorted[table.id] = (column, not descending)
            self.draw()

    def action_filter(self) -> None:
        """Ask for a text that rows are to contain."""

        def typed(text: str | None) -> None:
            if text is not None:
                self._filter = text
                self.draw()

        self.push_screen(Typing("Show what contains; empty: everything", value=self._filter), typed)

    def on_data_table_row_selected(self) -> None:
        """Enter."""
        self.action_info()

    def action_info(self) -> None:
        """Show all of the row under the cursor."""
        table = self._focused
        if table is None or table.id is None or table.chosen is None:
            return
        found = next((each for each in rows_of(self._picture)[table.id] if each.key == table.chosen), None)
        if found is not None:
            lines = [f"{title}: {cell}" for title, cell in zip(COLUMNS[table.id], found.cells, strict=True)]
            self.push_screen(Reading(found.cells[0], lines))

    def action_revoke(self) -> None:
        """Ask whether the task is never to start again."""
        if (run := self._run()) is not None:
            question = f"Revoke {run.name}[{run.id}]? It runs to its end, and does not start again."
            self._ask(question, lambda: commanding.revoke(self._celery, run.id, terminate=False))

    def action_terminate(self) -> None:
        """Ask whether the task is to be ended."""
        if (run := self._run()) is not None:
            question = f"Terminate {run.name}[{run.id}] on {run.node}?"
            self._ask(question, lambda: commanding.revoke(self._celery, run.id, terminate=True))

    def action_pause(self) -> None:
        """Ask whether the queue, or the type of the task, under the cursor is to be paused, or to go on."""
        table = self._focused
        if table is None or table.chosen is None:
            return
        if table.id == "queues" and table.chosen.startswith(_TYPE):
            self._ask_pause(table.chosen, True, tasks=[table.chosen.removeprefix(_TYPE)])
        elif table.id == "queues":
            name, paused = table.chosen, any(each.name == table.chosen and each.paused for each in self._picture.queues)
            self._ask_pause(f"queue {name}", paused, queues=[name])
        elif table.id == "running" and (run := self._run()) is not None:
            self._ask_pause(f"tasks {run.name}", run.paused, tasks=[run.name])

    def _ask_pause(self, what: str, paused: bool, **names: list[str]) -> None:
        change = self._celery.store.resume if paused else self._celery.store.pause

        def command() -> list[str]:
            return commanding.done(lambda: change(**names), f"{what}: {'resumed' if paused else 'paused'}")

        self._ask(f"{'Resume' if paused else 'Pause'} {what} on all nodes?", command)

    def _ask(self, question: str, command: Callable[[], list[str]]) -> None:
        self.push_screen(Asking(printable(question)), lambda yes: self._command(command) if yes else None)

    def _command(self, command: Callable[[], list[str]]) -> None:
        def carry_out() -> Any:
            lines = command()
            self.call_from_thread(self.push_screen, Reading("Done", lines))
            self.call_from_thread(self.look)

        self.run_worker(carry_out, thread=True)


def rows_of(picture: Picture) -> dict[str, list[Row]]:
    """Return what stands in each table."""
    return {
        "queues": [
            row(each.name, each.name, each.waiting, each.nodes, "paused" if each.paused else "",
                order=(each.name, each.waiting, each.nodes, each.paused))
            for each in picture.queues
        ] + [
            row(f"{_TYPE}{name}", f"{_TYPE}{name}", None, None, "paused", order=(f"{_TYPE}{name}", 0, 0, True))
            for name in picture.paused_tasks
        ],
        "running": [_running_row(each, picture.at) for each in picture.running],
        "nodes": [
            row(each.name, each.name, f"{each.pool} {each.concurrency or ''}".strip(), each.active, each.processed,
                " ".join(f"{load:.2f}" for load in each.load), ", ".join(each.queues), f"{lasting(each.seen_s)} ago",
                order=(each.name, each.pool, each.active, each.processed, each.load, each.queues, each.seen_s))
            for each in picture.nodes
        ],
    }  # fmt: skip


def _running_row(run: Running, now: float) -> Row:
    since = None if run.since is None else max(0.0, now - run.since)
    name = f"{run.name} (paused)" if run.paused else run.name
    return row(run.id, name, run.id, run.node, lasting(since), run.args, order=(run.name, run.id, run.node, since, run.args))
