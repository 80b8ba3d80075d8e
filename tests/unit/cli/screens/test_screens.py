"""The screens, driven by keys without a terminal; in a real one they are tried by the system's tests."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from celeriac import Celery
from celeriac.cli.screens.dialogs import Asking, Reading, Typing
from celeriac.cli.screens.events import EventsScreen
from celeriac.cli.screens.table import Table
from celeriac.cli.screens.top import TopScreen
from unit.events.telling import received, told

_names = itertools.count()


class Remote:
    """Remote control that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.runs: dict[str, Any] = {}

    def revoke(self, id: str, *, terminate: bool, reply: bool) -> Any:
        self.asked.append(("revoke", id, terminate))
        return [{"celery@one": {"ok": "noted"}}]

    def rate_limit(self, task: str, rate: str, *, reply: bool) -> Any:
        self.asked.append(("rate_limit", task, rate))
        return [{"celery@one": {"error": "unknown task"}}]

    def broadcast(self, command: str) -> None:
        self.asked.append((command,))

    def inspect(self, timeout: float) -> Remote:
        return self

    def active(self, safe: bool) -> Any:
        return self.runs


@pytest.fixture
def remote() -> Remote:
    return Remote()


@pytest.fixture
def app(remote: Remote) -> Celery:
    app = Celery("screens", broker=f"memory://screens-{next(_names)}", set_as_current=False)
    vars(app)["control"] = remote
    return app


def drive(screen: App[Any], use: Callable[[Pilot[Any]], Awaitable[None]]) -> None:
    async def run() -> None:
        async with screen.run_test(size=(120, 40)) as pilot:
            await use(pilot)

    asyncio.run(run())


async def until(pilot: Pilot[Any], true: Callable[[], Any]) -> None:
    for _ in range(400):
        await pilot.pause(0.01)
        if true():
            return
    raise AssertionError(f"still {pilot.app.screen!r}")


def cells(screen: App[Any], table: str) -> list[list[str]]:
    found = screen.query_one(f"#{table}", Table)
    return [[str(cell) for cell in found.get_row_at(number)] for number in range(found.row_count)]


def an_events_screen(app: Celery) -> EventsScreen:
    screen = EventsScreen(app)
    for number, uuid in enumerate("abc"):
        screen._feed.state.event(received(uuid, at=number + 1))
    screen._feed.state.event(told("task-failed", "c", at=9, exception="Oops()", traceback="line one\n[bold]line two"))
    return screen


def test_the_newest_tasks_come_first_and_the_cursor_stays_on_what_was_chosen(app: Celery) -> None:
    screen = an_events_screen(app)

    async def use(pilot: Pilot[Any]) -> None:
        assert [row[0] for row in cells(screen, "tasks")] == ["c", "b", "a"]
        await pilot.press("j")
        assert screen._table.chosen == "b"

        screen._feed.state.event(received("d", at=20))
        screen.look()

        assert [row[0] for row in cells(screen, "tasks")] == ["d", "c", "b", "a"]
        assert screen._table.chosen == "b"

    drive(screen, use)


def test_info_traceback_and_result_of_a_task_are_shown_as_they_are(app: Celery) -> None:
    screen = an_events_screen(app)
    seen: list[str] = []

    async def use(pilot: Pilot[Any]) -> None:
        for key in ("i", "t", "r", "enter"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(screen.screen, Reading))
            assert isinstance(screen.screen, Reading)
            seen.append("\n".join(screen.screen._lines))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(screen.screen, Reading))

    drive(screen, use)
    assert "state: FAILURE" in seen[0]
    assert seen[1] == "line one\n[bold]line two"
    assert seen[2] == "Oops()"
    assert seen[3] == seen[0]


def test_a_task_is_revoked_when_the_question_is_answered_by_yes(app: Celery, remote: Remote) -> None:
    screen = an_events_screen(app)

    async def use(pilot: Pilot[Any]) -> None:
        await pilot.press("c")
        await until(pilot, lambda: isinstance(screen.screen, Asking))
        await pilot.press("n")
        await until(pilot, lambda: not isinstance(screen.screen, Asking))
        assert ("revoke", "c", False) not in remote.asked
        await pilot.press("c", "y")
        await until(pilot, lambda: isinstance(screen.screen, Reading))

    drive(screen, use)
    assert ("revoke", "c", False) in remote.asked


def test_a_rate_limit_is_typed_and_what_nodes_answer_is_shown(app: Celery, remote: Remote) -> None:
    screen = an_events_screen(app)

    async def use(pilot: Pilot[Any]) -> None:
        await pilot.press("l")
        await until(pilot, lambda: isinstance(screen.screen, Typing))
        await pilot.press("q", "backspace", "5", "slash", "m", "enter")
        await until(pilot, lambda: isinstance(screen.screen, Reading))
        assert isinstance(screen.screen, Reading)
        assert screen.screen._lines == ["celery@one: error: unknown task"]

    drive(screen, use)
    assert ("rate_limit", "shop.add", "5/m") in remote.asked


def test_keys_without_a_task_do_nothing(app: Celery) -> None:
    screen = EventsScreen(app)

    async def use(pilot: Pilot[Any]) -> None:
        await pilot.press("i", "t", "r", "c", "l", "j", "k", "enter")
        assert len(screen.screen_stack) == 1

    drive(screen, use)


def a_top_screen(app: Celery, remote: Remote) -> TopScreen:
    app.store.keep("n1-1", name="celery@one", info={"queues": ["celery", "mail"]}, queues=["celery"])
    app.send_task("shop.add", queue="mail")
    now = app.runtime.time()
    remote.runs = {
        "celery@one": [
            {"id": "a", "name": "shop.add", "args": "(1,)", "time_start": now - 5},
            {"id": "b", "name": "shop.mul", "args": "(2,)", "time_start": now - 500},
        ]
    }
    return TopScreen(app)


def test_top_shows_queues_runs_and_nodes_the_fullest_and_longest_first(app: Celery, remote: Remote) -> None:
    screen = a_top_screen(app, remote)

    async def use(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: cells(screen, "running"))
        assert [row[:3] for row in cells(screen, "queues")] == [["mail", "1", "1"], ["celery", "0", "1"]]
        assert [row[1] for row in cells(screen, "running")] == ["b", "a"]
        assert [row[0] for row in cells(screen, "nodes")] == ["celery@one"]

    drive(screen, use)


def test_top_is_sorted_turned_round_and_filtered(app: Celery, remote: Remote) -> None:
    screen = a_top_screen(app, remote)

    async def use(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: cells(screen, "running"))
        await pilot.press("o")
        assert [row[1] for row in cells(screen, "running")] == ["a", "b"]
        await pilot.press("s", "s", "o")
        assert [row[0] for row in cells(screen, "running")] == ["shop.mul", "shop.add"]
        await pilot.press("slash", *"mul", "enter")
        await until(pilot, lambda: [row[1] for row in cells(screen, "running")] == ["b"])

    drive(screen, use)


def test_top_pauses_queues_and_types_of_tasks_and_resumes_them(app: Celery, remote: Remote) -> None:
    screen = a_top_screen(app, remote)

    async def press(pilot: Pilot[Any], table: str, key: str) -> None:
        screen.query_one(f"#{table}", Table).focus()
        await pilot.press(key)
        await until(pilot, lambda: isinstance(screen.screen, Asking))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(screen.screen, Reading))
        await pilot.press("escape")
        await until(pilot, lambda: len(screen.screen_stack) == 1)

    async def use(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: cells(screen, "running"))
        await press(pilot, "queues", "p")
        assert app.store.rules().paused_queues == {"mail"}
        await press(pilot, "running", "p")
        assert app.store.rules().paused_tasks == {"shop.mul"}
        await until(pilot, lambda: [row[0] for row in cells(screen, "queues")][0:1] == ["mail"] and screen._picture.paused_tasks)
        await press(pilot, "queues", "p")
        await press(pilot, "running", "p")

    drive(screen, use)
    assert (app.store.rules().paused_queues, app.store.rules().paused_tasks) == (frozenset(), frozenset())


@pytest.mark.parametrize(("key", "terminate"), [("c", False), ("x", True)])
def test_top_revokes_and_terminates(app: Celery, remote: Remote, key: str, terminate: bool) -> None:
    screen = a_top_screen(app, remote)

    async def use(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: cells(screen, "running"))
        await pilot.press(key, "y")
        await until(pilot, lambda: isinstance(screen.screen, Reading))

    drive(screen, use)
    assert ("revoke", "b", terminate) in remote.asked
