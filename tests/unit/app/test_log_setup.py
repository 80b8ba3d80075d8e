"""Where log lines go, in which form, and what becomes of what is printed."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celeriac.app import signals
from celeriac.app.context import Context, enter, leave
from celeriac.app.dispatch import Signal
from celeriac.app.log_setup import LogPlan, enter_child, install_logging, level_number, redirected_stdouts, wants_color
from celeriac.app.log_streams import LoggedStream, SharedLogFile
from celeriac.app.logs import TASK_LOGGER, TaskFormatter, get_task_logger
from celeriac.config.sections import WorkerSettings
from celeriac.core.errors import ImproperlyConfigured
from celeriac.core.message import Message

SIGNALS = (signals.setup_logging, signals.after_setup_logger, signals.after_setup_task_logger)


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """Give the root logger, and put everything back as it was. Handlers of pytest come after this: tests clear them."""
    loggers = [logging.getLogger(), logging.getLogger(TASK_LOGGER), logging.getLogger("celeriac")]
    before = [(logger, list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    filters = [(handler, list(handler.filters)) for logger in loggers for handler in logger.handlers]
    yield loggers[0]
    logging.captureWarnings(False)
    for logger, handlers, level, propagate in before:
        for handler in logger.handlers:
            if handler not in handlers:
                handler.close()
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)
    for handler, own in filters:
        handler.filters[:] = own
    for signal in SIGNALS:
        signal.receivers = ()


@pytest.fixture
def running() -> Iterator[None]:
    """Have a task run here."""
    token = enter(Context(Message(id="id-1", task="shop.add")))
    yield
    leave(token)


def a_plan(file: Path | str | None = None, *, level: int = logging.INFO, json: bool = False, **settings: Any) -> LogPlan:
    return LogPlan(
        settings=WorkerSettings(**settings), node="shop@web1", level=level, file=str(file) if file else None, json=json
    )


def heard_by(signal: Signal) -> list[dict[str, Any]]:
    """Return a list that grows with each sending of the signal."""
    heard: list[dict[str, Any]] = []
    signal.connect(lambda **named: heard.append(named), weak=False)
    return heard


def test_what_is_printed_is_logged_line_by_line(caplog: pytest.LogCaptureFixture) -> None:
    stream = LoggedStream(logging.getLogger("printed"), logging.WARNING)

    print("one\ntwo", file=stream)
    print("half", end="", file=stream)
    stream.flush()
    stream.writelines(["three\n", "four\n", "\n", "  \n"])

    assert [record.getMessage() for record in caplog.records] == ["one", "two", "half", "three", "four"]


def test_two_threads_that_print_do_not_mix_their_lines() -> None:
    logger = logging.getLogger("two threads")
    stream = LoggedStream(logger, logging.WARNING)
    seen: list[str] = []

    class Other(logging.Handler):
        """While one line is logged, another thread prints the two halves of its own."""

        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())
            if len(seen) == 1:
                other = threading.Thread(target=lambda: (stream.write("ot"), stream.write("her\n")))
                self.release()
                other.start()
                other.join(5)
                self.acquire()

    handler = Other()
    logger.addHandler(handler)
    stream.write("fi")
    stream.write("rst\n")
    logger.removeHandler(handler)

    assert seen == ["first", "other"]


def test_a_handler_that_complains_on_stderr_does_not_log_for_ever() -> None:
    logger = logging.getLogger("complaining")
    stream = LoggedStream(logger, logging.WARNING)
    seen: list[str] = []

    class Complaining(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())
            stream.write("I cannot\n")

    handler = Complaining()
    logger.addHandler(handler)
    stream.write("one\n")
    logger.removeHandler(handler)

    assert seen == ["one"]


def test_closing_stdout_does_not_close_the_log() -> None:
    stream = LoggedStream(logging.getLogger("closed"), logging.WARNING)

    stream.close()

    assert not stream.closed
    assert stream.write("more") == 4


def test_the_root_logger_is_taken_over_by_default(root: logging.Logger, tmp_path: Path) -> None:
    file = tmp_path / "worker.log"
    root.addHandler(logging.NullHandler())

    install_logging(a_plan(file))
    logging.getLogger("anybody").info("hello")

    assert [type(handler) for handler in root.handlers] == [SharedLogFile]
    assert "INFO" in file.read_text()
    assert "hello" in file.read_text()


def test_the_root_logger_is_left_alone_when_the_setting_says_so(root: logging.Logger, tmp_path: Path) -> None:
    root.handlers.clear()
    mine = logging.StreamHandler((tmp_path / "mine").open("w"))
    root.addHandler(mine)
    root.setLevel(logging.ERROR)

    install_logging(a_plan(tmp_path / "log", hijack_root_logger=False))
    get_task_logger("left.alone").error("from a task logger")
    mine.stream.close()

    assert root.handlers == [mine]
    assert root.level == logging.ERROR
    assert (tmp_path / "mine").read_text() == "from a task logger\n"
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(("level", "logged"), [(logging.DEBUG, True), (logging.ERROR, False)])
def test_where_the_programs_handlers_are_kept_the_workers_own_lines_have_the_workers_level(
    root: logging.Logger, tmp_path: Path, level: int, logged: bool
) -> None:
    root.handlers.clear()
    root.addHandler(mine := logging.StreamHandler((tmp_path / "mine").open("w")))
    root.setLevel(logging.WARNING)

    install_logging(a_plan(tmp_path / "log", hijack_root_logger=False, level=level))
    logging.getLogger("celeriac.worker").info("ours")
    logging.getLogger("shop").info("the program's")
    mine.stream.close()

    assert (tmp_path / "mine").read_text() == "ours\n" * logged


def test_handlers_that_are_taken_away_are_left_open_since_others_may_use_them(root: logging.Logger, tmp_path: Path) -> None:
    former = logging.FileHandler(tmp_path / "former", mode="w")
    root.handlers[:] = [former]
    logging.getLogger("audit").addHandler(former)

    try:
        install_logging(a_plan(tmp_path / "log"))
        logging.getLogger("audit").warning("still written")
    finally:
        logging.getLogger("audit").removeHandler(former)

    former.close()
    assert (tmp_path / "former").read_text() == "still written\n"


def test_a_root_logger_that_nobody_has_set_up_is_set_up_in_any_case(root: logging.Logger, tmp_path: Path) -> None:
    root.handlers.clear()

    install_logging(a_plan(tmp_path / "log", hijack_root_logger=False))
    logging.getLogger("anybody").info("hello")

    assert "hello" in (tmp_path / "log").read_text()


def test_handlers_of_our_own_loggers_are_replaced_too_so_that_each_line_is_there_once(tmp_path: Path) -> None:
    ours = logging.getLogger("celeriac")
    theirs = logging.FileHandler(tmp_path / "theirs")
    ours.addHandler(theirs)

    install_logging(a_plan(tmp_path / "log"))
    logging.getLogger("celeriac.worker").info("hello")
    theirs.close()

    assert ours.handlers == []
    assert (tmp_path / "log").read_text().count("hello") == 1


def test_a_program_may_set_up_logging_itself(root: logging.Logger, tmp_path: Path) -> None:
    root.handlers.clear()
    heard, after = heard_by(signals.setup_logging), heard_by(signals.after_setup_logger)

    handled = install_logging(a_plan(tmp_path / "%n.log"))

    del heard[0]["signal"]
    assert handled
    assert heard == [
        {
            "sender": None,
            "loglevel": logging.INFO,
            "logfile": str(tmp_path / "shop.log"),
            "format": WorkerSettings().log_format,
            "colorize": False,
        }
    ]
    assert (root.handlers, after) == ([], [])


def test_a_program_whose_set_up_fails_is_told_so() -> None:
    @signals.setup_logging.connect
    def broken(**named: object) -> None:
        raise KeyError("handlers")

    with pytest.raises(ImproperlyConfigured, match="a receiver of setup_logging failed: KeyError: 'handlers'"):
        install_logging(a_plan())


def test_what_was_set_up_can_be_changed_by_signal(root: logging.Logger, tmp_path: Path) -> None:
    of_root, of_tasks = heard_by(signals.after_setup_logger), heard_by(signals.after_setup_task_logger)

    handled = install_logging(a_plan(tmp_path / "log"))

    assert not handled
    expected = {"loglevel": logging.INFO, "logfile": str(tmp_path / "log"), "colorize": False, "sender": None}
    settings = WorkerSettings()
    [first], [second] = of_root, of_tasks
    del first["signal"], second["signal"]
    assert first == expected | {"logger": root, "format": settings.log_format}
    assert second == expected | {"logger": logging.getLogger(TASK_LOGGER), "format": settings.task_log_format}


@pytest.mark.usefixtures("running")
def test_task_loggers_may_be_given_a_format_of_their_own(tmp_path: Path) -> None:
    @signals.after_setup_task_logger.connect
    def mine(logger: logging.Logger, **named: object) -> None:
        for handler in logger.handlers:
            handler.setFormatter(TaskFormatter("MINE %(task_name)s[%(task_id)s] %(message)s"))

    install_logging(a_plan(tmp_path / "log"))
    get_task_logger("own.format").info("hello")

    assert (tmp_path / "log").read_text() == "MINE shop.add[id-1] hello\n"


@pytest.mark.usefixtures("running")
def test_lines_of_others_inside_a_task_bear_its_name_and_id(tmp_path: Path) -> None:
    install_logging(a_plan(tmp_path / "log", task_log_format="%(task_name)s[%(task_id)s]: %(message)s"))

    logging.getLogger("third.party").warning("retrying")

    assert (tmp_path / "log").read_text() == "shop.add[id-1]: retrying\n"


@pytest.mark.usefixtures("running")
def test_handlers_of_the_program_know_the_task_too(root: logging.Logger, tmp_path: Path) -> None:
    root.handlers.clear()

    @signals.setup_logging.connect
    def mine(**named: object) -> None:
        handler = logging.StreamHandler((tmp_path / "mine").open("w"))
        handler.setFormatter(logging.Formatter("%(task_name)s[%(task_id)s]: %(message)s"))
        root.addHandler(handler)

    install_logging(a_plan())
    logging.getLogger("third.party").warning("retrying")
    logging.getLogger("third.party").warning("mine", extra={"task_id": "given"})
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.stream.close()

    assert (tmp_path / "mine").read_text() == "shop.add[id-1]: retrying\nshop.add[given]: mine\n"


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "worker.log"

    with pytest.raises(ImproperlyConfigured, match=r"the log file .*nowhere/worker.log cannot be opened: No such file"):
        install_logging(a_plan(file))


def test_a_child_has_a_file_of_its_own_where_the_pattern_says_so(tmp_path: Path) -> None:
    plan = a_plan(tmp_path / "%n%I.log")
    install_logging(plan)
    logging.getLogger().info("from the node")

    enter_child(plan, 2)
    logging.getLogger().info("from the child")
    get_task_logger("of.a.child").info("from its task")

    node, child = (tmp_path / "shop.log").read_text(), (tmp_path / "shop-2.log").read_text()
    assert ("from the node" in node, "from the child" in node) == (True, False)
    assert ("from the node" in child, "from the child" in child, "from its task" in child) == (False, True, True)


def test_without_a_mark_for_it_a_child_goes_on_with_the_file_of_its_node(root: logging.Logger, tmp_path: Path) -> None:
    plan = a_plan(tmp_path / "%n.log")
    install_logging(plan)
    before = list(root.handlers)

    enter_child(plan, 2)

    assert root.handlers == before


def test_a_child_has_its_file_also_where_the_root_logger_was_not_taken_over(root: logging.Logger, tmp_path: Path) -> None:
    root.handlers.clear()
    plan = a_plan(tmp_path / "%n%I.log", hijack_root_logger=False)
    install_logging(plan)

    enter_child(plan, 1)
    logging.getLogger().info("from the child")

    assert "from the child" in (tmp_path / "shop-1.log").read_text()


def test_a_child_whose_file_cannot_be_opened_says_so_and_goes_on(tmp_path: Path) -> None:
    plan = a_plan(tmp_path / "%i" / "log")
    (tmp_path / "0").mkdir()
    install_logging(plan)

    enter_child(plan, 1)

    assert "child 1 has no log file of its own" in (tmp_path / "0" / "log").read_text()


def test_lines_of_processes_that_share_a_file_never_mix(tmp_path: Path) -> None:
    handler = SharedLogFile(str(tmp_path / "log"))
    lines = {letter * 50_000 for letter in "abcd"}

    pids = []
    for line in sorted(lines):
        if (pid := os.fork()) == 0:
            for _ in range(20):
                handler.emit(logging.makeLogRecord({"msg": line}))
            os._exit(0)
        pids.append(pid)
    codes = [os.waitpid(pid, 0)[1] for pid in pids]
    handler.close()
    written = (tmp_path / "log").read_text().splitlines()

    assert codes == [0] * 4
    assert len(written) == 80
    assert set(written) == lines


def test_a_file_that_was_rotated_away_is_opened_anew(tmp_path: Path) -> None:
    file = tmp_path / "log"
    install_logging(a_plan(file))

    logging.getLogger().info("before")
    file.rename(tmp_path / "log.1")
    logging.getLogger().info("after")

    assert "before" in (tmp_path / "log.1").read_text()
    assert "after" in file.read_text()


@pytest.mark.usefixtures("running")
def test_log_lines_may_be_json_objects(tmp_path: Path) -> None:
    install_logging(a_plan(tmp_path / "log", json=True))

    logging.getLogger("shop").info("sold %d\nof them", 2, extra={"customer": "Ada"})

    told = json.loads((tmp_path / "log").read_text())
    assert (told["level"], told["logger"], told["message"]) == ("INFO", "shop", "sold 2\nof them")
    assert (told["task_id"], told["task_name"], told["customer"]) == ("id-1", "shop.add", "Ada")


def test_warnings_go_to_the_log(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        install_logging(a_plan(tmp_path / "log"))
        warnings.warn("old", UserWarning, stacklevel=1)
        logging.captureWarnings(False)

    assert "UserWarning: old" in (tmp_path / "log").read_text()


def test_colours_are_for_terminals_unless_the_setting_says_otherwise(tmp_path: Path) -> None:
    wanted = [wants_color(a_plan(log_color=choice)) for choice in (True, False)]

    assert wanted == [True, False]
    assert not wants_color(a_plan(tmp_path / "log", log_color=True))
    assert not wants_color(a_plan(log_color=True, json=True))


@pytest.mark.parametrize(("name", "number"), [("info", 20), ("FATAL", 50), (" Warning ", 30), ("15", 15), (7, 7)])
def test_a_level_is_a_name_or_a_number(name: str | int, number: int) -> None:
    assert level_number(name) == number


def test_a_level_of_the_programs_own_is_known() -> None:
    logging.addLevelName(25, "NOTICE")

    assert level_number("notice") == 25


def test_what_is_no_level_is_refused() -> None:
    with pytest.raises(ValueError, match="'LOUD' is no log level: DEBUG, INFO"):
        level_number("LOUD")


def test_what_tasks_print_is_logged_unless_somebody_says_otherwise() -> None:
    before = sys.stdout
    kinds = []

    for settings, handled in (
        (WorkerSettings(), False),
        (WorkerSettings(redirect_stdouts=False), False),
        (WorkerSettings(), True),
    ):
        with redirected_stdouts(settings, handled=handled):
            kinds.append(isinstance(sys.stdout, LoggedStream))

    assert kinds == [True, False, False]
    assert sys.stdout is before


def test_a_wrong_level_for_what_is_printed_names_the_setting() -> None:
    with (
        pytest.raises(ImproperlyConfigured, match="worker_redirect_stdouts_level is wrong: 'LOUD'"),
        redirected_stdouts(WorkerSettings(redirect_stdouts_level="LOUD"), handled=False),
    ):
        pass
