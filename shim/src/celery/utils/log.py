"""Loggers, under Celery's path."""

from __future__ import annotations

import logging
from typing import Final

from celeriac.app.log_streams import LoggedStream as LoggingProxy
from celeriac.app.logs import TASK_LOGGER, ColorFormatter, get_task_logger

LOG_LEVELS: Final[dict[str | int, str | int]] = {**logging.getLevelNamesMapping()}  # type: ignore[dict-item]
LOG_LEVELS.update({number: name for name, number in logging.getLevelNamesMapping().items() if name not in {"WARN", "FATAL"}})
"""Both ways: ``"INFO"`` -> 20 and 20 -> ``"INFO"``."""

base_logger: Final = logging.getLogger("celery")
task_logger: Final = logging.getLogger(TASK_LOGGER)
worker_logger: Final = logging.getLogger("celeriac.worker")


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a module; without a parent of its own it is below ``celery``."""
    logger = logging.getLogger(name)
    if logger.parent is logging.root and logger is not base_logger:
        logger.parent = base_logger
    return logger


def mlevel(level: str | int | None) -> int | None:
    """Return the number of a level; a number, or nothing, as it is."""
    if isinstance(level, str):
        return logging.getLevelNamesMapping()[level.upper()]
    return level
