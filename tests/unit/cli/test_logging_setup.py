"""Where log lines go, and what becomes of what is printed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from celeriac.app import signals
from celeriac.cli.logging_setup import LoggedStream, install_logging
from celeriac.config.sections import WorkerSettings


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Give the root logger, and put it back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield root
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_what_is_printed_is_logged_line_by_line(caplog: pytest.LogCaptureFixture) -> None:
    stream = LoggedStream(logging.getLogger("printed"), logging.WARNING)

    print("one\ntwo", file=stream)
    print("half", end="", file=stream)
    stream.flush()

    assert [record.getMessage() for record in caplog.records] == ["one", "two", "half"]


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


def test_the_root_logger_is_taken_over_by_default(root: logging.Logger, tmp_path: Path) -> None:
    file = tmp_path / "worker.log"

    install_logging(WorkerSettings(), level=logging.INFO, logfile=str(file), color=True)
    logging.getLogger("anybody").info("hello")

    assert len(root.handlers) == 1
    assert "INFO" in file.read_text()
    assert "hello" in file.read_text()


def test_the_root_logger_is_left_alone_when_the_setting_says_so(root: logging.Logger, tmp_path: Path) -> None:
    before = list(root.handlers)

    install_logging(WorkerSettings(hijack_root_logger=False), level=logging.INFO, logfile=str(tmp_path / "log"), color=True)

    assert root.handlers == before


def test_a_program_may_set_up_logging_itself(root: logging.Logger, tmp_path: Path) -> None:
    before, told = list(root.handlers), []

    def mine(**named: object) -> None:
        told.append(named["loglevel"])

    signals.setup_logging.connect(mine)
    install_logging(WorkerSettings(), level=logging.INFO, logfile=str(tmp_path / "log"), color=True)
    signals.setup_logging.disconnect(mine)

    assert told == [logging.INFO]
    assert root.handlers == before
