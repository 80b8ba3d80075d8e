"""Log lines say which task is speaking."""

from __future__ import annotations

import contextvars
import json
import logging
import sys
import threading
from functools import partial
from typing import Any

import pytest

from celeriac import Celery, get_task_logger
from celeriac.app.logs import JsonFormatter, LineFormatter, TaskFormatter
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


@pytest.mark.parametrize(("use_color", "line"), [(True, "\033[31m??? broken\033[0m"), (False, "??? broken")])
def test_a_formatter_of_ones_own_is_coloured_unless_told_otherwise(use_color: bool, line: str) -> None:
    formatter = TaskFormatter("%(task_id)s %(message)s", use_color)

    assert formatter.format(a_record("broken", logging.ERROR)) == line


def test_task_loggers_share_one_parent() -> None:
    logger = get_task_logger("shop.tasks")

    assert logger.parent is logging.getLogger("celeriac.task")


def test_a_task_logger_stays_below_a_logger_to_which_the_program_gave_handlers() -> None:
    above = logging.getLogger("given.handlers")
    above.addHandler(logging.NullHandler())

    logger = get_task_logger("given.handlers.tasks")

    assert logger.parent is above


def test_a_task_logger_below_a_bare_logger_is_one_of_ours() -> None:
    logging.getLogger("bare")

    logger = get_task_logger("bare.tasks")

    assert logger.parent is logging.getLogger("celeriac.task")


@pytest.mark.parametrize("name", ["celeriac", "celeriac.task", "celery"])
def test_names_of_our_loggers_are_no_names_for_task_loggers(name: str) -> None:
    with pytest.raises(RuntimeError, match="that is a logger of celeriac's own"):
        get_task_logger(name)


def test_a_json_line_tells_everything_that_is_known() -> None:
    record = a_record("broken", logging.ERROR)
    record.created, record.process, record.processName = 0.25, 12, "Child-0.1"
    record.__dict__.update(task_id="id-1", task_name="shop.add", event="task-failed", runtime_s=0.5, level="extra")

    told = json.loads(JsonFormatter().format(record))

    assert told == {
        "time": "1970-01-01T00:00:00.250+00:00",
        "level": "ERROR",
        "logger": "x",
        "message": "broken",
        "process": 12,
        "process_name": "Child-0.1",
        "task_id": "id-1",
        "task_name": "shop.add",
        "event": "task-failed",
        "runtime_s": 0.5,
        "extra_level": "extra",
    }


def test_a_json_line_has_the_traceback_as_text() -> None:
    record = a_record("broken", logging.ERROR)
    try:
        raise ValueError("why")
    except ValueError:
        record.exc_info = sys.exc_info()

    line = JsonFormatter().format(record)

    assert "\n" not in line
    assert json.loads(line)["exception"].splitlines()[-1] == "ValueError: why"


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize("odd", [object(), {1, 2}, Unshowable(), {(1, 2): 3}, "\ud800", float("nan"), 10**40])
def test_a_json_line_is_json_whatever_is_in_it(odd: Any) -> None:
    record = a_record("odd: \ud800" if odd == "\ud800" else "odd")
    record.__dict__["odd"] = odd

    line = JsonFormatter().format(record)

    assert "\n" not in line
    assert "odd" in json.loads(line)


def test_a_json_line_survives_what_contains_itself() -> None:
    record = a_record("round")
    loop: list[Any] = []
    loop.append(loop)
    record.__dict__["loop"] = loop

    told = json.loads(JsonFormatter().format(record))

    assert told["loop"] == "[[...]]"


def test_outside_of_tasks_a_json_line_speaks_of_none() -> None:
    record = a_record("outside")

    told = json.loads(JsonFormatter().format(record))

    assert "task_id" not in told
    assert "task_name" not in told


def test_a_thread_of_a_task_speaks_for_it_when_it_is_started_in_its_context(app: Celery) -> None:
    formatter = TaskFormatter("%(task_name)s %(message)s")
    lines: list[str] = []

    @app.task(name="speaks")
    def speaks() -> None:
        def say() -> None:
            lines.append(formatter.format(a_record("from a thread")))

        for target in (say, partial(contextvars.copy_context().run, say)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join(5)

    speaks.delay()
    serve(app)

    assert lines == ["??? from a thread", "speaks from a thread"]
