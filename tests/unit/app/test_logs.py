"""Log lines say which task is speaking."""

from __future__ import annotations

import logging
from typing import Any

from celeriac import Celery, get_task_logger
from celeriac.app.logs import LineFormatter, TaskFormatter
from unit.app.serving import serve


def a_record(message: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("x", level, "f.py", 1, message, None, None)


def test_a_line_of_a_task_bears_its_name_and_id(app: Celery) -> None:
    formatter = TaskFormatter("%(task_name)s[%(task_id)s] %(message)s")
    lines: list[str] = []

    @app.task(name="speaks")
    def speaks() -> None:
        lines.append(formatter.format(a_record("inside")))

    result = speaks.delay()
    serve(app)
    lines.append(formatter.format(a_record("outside")))

    assert lines == [f"speaks[{result.id}] inside", "???[???] outside"]


def test_lines_of_tasks_have_a_format_of_their_own(app: Celery) -> None:
    formatter = LineFormatter("worker: %(message)s", task_format="task %(task_name)s: %(message)s")
    lines: list[str] = []

    @app.task(name="speaks")
    def speaks() -> None:
        lines.append(formatter.format(a_record("inside")))

    speaks.delay()
    serve(app)
    lines.append(formatter.format(a_record("outside")))

    assert lines == ["task speaks: inside", "worker: outside"]


def test_colours_only_where_they_are_wanted() -> None:
    plain: Any = LineFormatter("%(message)s", task_format="%(message)s")
    painted: Any = LineFormatter("%(message)s", task_format="%(message)s", color=True)
    record = a_record("broken", logging.ERROR)

    assert (plain.format(record), painted.format(record)) == ("broken", "\033[31mbroken\033[0m")


def test_task_loggers_share_one_parent() -> None:
    logger = get_task_logger("shop.tasks")

    assert logger.parent is logging.getLogger("celeriac.task")
