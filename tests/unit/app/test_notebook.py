"""Results in a notebook: what is known, as HTML, and never a cell that hangs."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from celeriac import Celery, group
from celeriac.app.results import notebook
from celeriac.core import taskmeta
from celeriac.core.settlement import StoredResult
from celeriac.core.taskmeta import TaskMeta


def store(app: Celery, id: str, state: str, value: Any) -> None:
    meta = TaskMeta(task_id=id, status=state, result=value)
    app.store.store_results([StoredResult(id, state, taskmeta.encode(meta))])


def test_a_task_is_a_row_and_what_it_returned_is_no_markup(app: Celery) -> None:
    store(app, "one", "SUCCESS", "<script>alert(1)</script>")

    html = app.AsyncResult("one")._repr_html_()

    assert html is not None
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert ">SUCCESS<" in html


def test_a_group_is_a_bar_with_states_and_its_first_tasks(app: Celery) -> None:
    @app.task(name="add")
    def add(x: int) -> int:
        return x

    result = group(add.s(i) for i in range(30)).delay()
    for member in result.results[:4]:
        store(app, member.id, "SUCCESS", 1)
    store(app, result.results[4].id, "FAILURE", ValueError("no"))

    html = result._repr_html_()

    assert html is not None
    assert '<progress value="5" max="30"></progress> 4 of 30 completed: 25 PENDING, 4 SUCCESS, 1 FAILURE' in html
    assert html.count("<tr>") == 1 + notebook.SHOWN
    assert html.endswith("<div>... 20 more</div>")
    assert html.count(">add<") == notebook.SHOWN


def test_no_tasks_are_shown_as_such(app: Celery) -> None:
    html = app.ResultSet([])._repr_html_()

    assert html == '<div><progress value="0" max="1"></progress> 0 of 0 completed: no tasks</div>'


def test_a_task_that_ran_here_is_shown_too(app: Celery) -> None:
    @app.task(name="add")
    def add(x: int) -> int:
        return x

    html = add.apply((7,))._repr_html_()

    assert html is not None
    assert ">7<" in html


def test_a_store_that_does_not_answer_in_time_is_left_alone() -> None:
    answered = threading.Event()

    answer = notebook.within(0.01, lambda: answered.wait(30))

    answered.set()
    assert answer is None


def test_a_store_that_is_away_leaves_the_plain_repr() -> None:
    app = Celery("away", broker="memory://", backend="redis://127.0.0.1:1/0", set_as_current=False)

    html = app.AsyncResult("one")._repr_html_()

    assert html is None


def test_an_error_is_no_picture() -> None:
    def ask() -> str:
        raise RuntimeError("no")

    assert notebook.within(5, ask) is None


@pytest.mark.parametrize("size", [0, 1, 11])
def test_what_is_not_in_the_table_is_counted(app: Celery, size: int) -> None:
    results = app.ResultSet([app.AsyncResult(f"t{number}") for number in range(size)])

    html = results._repr_html_()

    assert html is not None
    assert ("1 more" in html) == (size == 11)
