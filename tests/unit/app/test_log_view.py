"""``app.log``: a worker's log without a worker. Each in a process of its own: the log of a process is set up once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging
from celeriac import Celery

app = Celery("logs", set_as_current=False)
app.log.setup({options})
app.log.setup(loglevel="DEBUG")
app.log.get_default_logger("shop").info("told")
logging.getLogger("shop").debug("not told")
"""

SET_UP_BY_ITSELF = "from celeriac import Celery; app = Celery('logs', set_as_current=False); "


def run(options: str, folder: Path, *, more: str = "", out: bool = False) -> str:
    program = PROGRAM.format(options=options) + more
    ran = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    return ran.stdout if out else ran.stderr


def test_records_go_where_a_workers_go_from_the_level_on(tmp_path: Path) -> None:
    told = run("loglevel='INFO'", tmp_path)

    assert told.rstrip().endswith("INFO/MainProcess] told")


def test_records_may_go_to_a_file(tmp_path: Path) -> None:
    run("loglevel=20, logfile='shop.log'", tmp_path)

    assert "told" in (tmp_path / "shop.log").read_text()


def test_what_is_printed_goes_to_the_log_when_that_is_asked_for(tmp_path: Path) -> None:
    told = run("loglevel='INFO', redirect_stdouts=True, redirect_level='ERROR'", tmp_path, more="print('printed')")

    assert "ERROR/MainProcess] printed" in told


def test_what_is_printed_can_go_to_any_logger(tmp_path: Path) -> None:
    more = "import sys; app.log.redirect_stdouts_to_logger(logging.getLogger('mine'), 'WARNING', stderr=False); print('printed')"

    told = run("loglevel='INFO'", tmp_path, more=more)

    assert "WARNING/MainProcess] printed" in told


def test_a_logger_can_be_given_a_handler_like_a_workers(tmp_path: Path) -> None:
    more = "app.log.setup_handlers(logging.getLogger('extra'), 'extra.log', 'EXTRA %(message)s', None).warning('told twice')"

    run("", tmp_path, more=more)

    assert (tmp_path / "extra.log").read_text() == "EXTRA told twice\n"


def test_colours_are_for_terminals(tmp_path: Path) -> None:
    told = run("", tmp_path, more="print('COLOR', app.log.supports_color(), app.log.supports_color(True, 'x.log'))", out=True)

    assert "COLOR False False" in told


def test_the_logger_of_tasks_can_be_set_up_alone(tmp_path: Path) -> None:
    more = "app.log.setup_task_loggers('INFO', 'tasks.log', 'TASK %(message)s'); "
    more += "from celeriac import get_task_logger; get_task_logger('shop.tasks').info('told')"

    subprocess.run([sys.executable, "-c", SET_UP_BY_ITSELF + more], cwd=tmp_path, check=True)

    assert (tmp_path / "tasks.log").read_text() == "TASK told\n"


def test_a_handler_may_have_a_formatter_and_a_time_of_ones_own(tmp_path: Path) -> None:
    more = "from celeriac.app.logs import TaskFormatter; import logging; "
    more += "form = '%(asctime)s %(task_id)s %(message)s'; "
    more += "app.log.setup_handlers(logging.getLogger('own'), 'own.log', form, None, TaskFormatter, 'T')"

    subprocess.run([sys.executable, "-c", f"{SET_UP_BY_ITSELF}{more}.warning('told')"], cwd=tmp_path, check=True)

    assert (tmp_path / "own.log").read_text() == "T ??? told\n"
