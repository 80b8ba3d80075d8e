"""What stands in the rows of the screens."""

from __future__ import annotations

import pytest

from celeriac.cli.screens import commanding
from celeriac.cli.screens.rows import arranged, details, lasting, row, task_row
from celeriac.core.errors import BrokerUnreachable
from celeriac.events.state import State
from unit.events.telling import received, told

ROWS = [row("a", "Add", 3, order=("Add", 3)), row("b", "mul", 20, order=("mul", 20)), row("c", "sub", None, order=("sub", None))]


@pytest.mark.parametrize(
    ("column", "descending", "containing", "keys"),
    [
        (0, False, "", ["a", "b", "c"]),
        (1, False, "", ["a", "b", "c"]),
        (1, True, "", ["c", "b", "a"]),
        (0, False, "ADD", ["a"]),
        (0, False, "2", ["b"]),
        (0, False, "nothing like it", []),
    ],
)
def test_rows_are_sorted_by_what_they_mean_and_found_by_any_cell(
    column: int, descending: bool, containing: str, keys: list[str]
) -> None:
    found = arranged(ROWS, column=column, descending=descending, containing=containing)

    assert [each.key for each in found] == keys


def test_what_comes_from_outside_commands_no_terminal() -> None:
    assert row("a", "\x1b[2Jgone\n").cells == (r"\x1b[2Jgone\n",)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0.0, "0 ms"), (0.25, "250 ms"), (5.04, "5.0 s"), (61, "1:01 min"), (7260, "2:01 h")]
)
def test_how_long_something_takes_is_shown_in_its_own_unit(seconds: float | None, text: str) -> None:
    assert lasting(seconds) == text


def test_a_task_is_shown_with_its_node_and_before_that_with_its_client() -> None:
    state = State()
    state.event(told("task-sent", hostname="gen1@here", name="shop.add"))
    waiting = task_row("a", state.tasks["a"])
    state.event(received())

    assert waiting.cells[1:3] == ("shop.add", "gen1@here")
    assert (task_row("a", state.tasks["a"]).cells[2], task_row("a", state.tasks["a"]).cells[4]) == ("celery@one", "RECEIVED")
    assert ("args", "(1,)") in details(state.tasks["a"])


def test_what_nodes_answer_is_shown_a_line_each() -> None:
    assert commanding.answers([{"a": {"ok": "done"}, "b": {"error": "no"}}, {"c": None}]) == [
        "a: done",
        "b: error: no",
        "c: None",
    ]
    assert commanding.answers([]) == commanding.answers(None) == ["no node answered within a second"]


def test_a_store_that_does_not_answer_is_told_on_the_screen() -> None:
    def fail() -> None:
        raise BrokerUnreachable("it is away")

    assert commanding.done(fail, "paused") == ["it is away"]
