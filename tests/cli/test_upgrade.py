"""Old names of settings are rewritten where they are settings, and nowhere else."""

from __future__ import annotations

import stat
import textwrap
from pathlib import Path

import pytest

from celeriac.cli.upgrading import upgrade
from cli.quick import Quick

OLD = """\
# CELERYD_CONCURRENCY is for the small machine
import os
from elsewhere import CELERY_QUEUES

BROKER_URL = os.environ["BROKER_URL"]
CELERYD_CONCURRENCY = 4  # CELERYD_CONCURRENCY
CELERY_TIMEZONE = "Europe/Paris"
CELERYBEAT_SCHEDULE: dict = {}
CELERYBEAT_SCHEDULE["CELERYD_POOL"] = None
DATABASE_URL = "postgresql://"
text = "CELERYD_CONCURRENCY"
app.conf.CELERY_ACKS_LATE = True
other.CELERY_ACKS_LATE = True
app.conf["CELERYD_POOL"] = "solo"
app.conf.update(CELERY_IGNORE_RESULT=True, task_default_queue=CELERY_QUEUES[0])
app.conf.update({"CELERY_TASK_RESULT_EXPIRES": 60})
"""
NEW = """\
# CELERYD_CONCURRENCY is for the small machine
import os
from elsewhere import CELERY_QUEUES

broker_url = os.environ["BROKER_URL"]
worker_concurrency = 4  # CELERYD_CONCURRENCY
timezone = "Europe/Paris"
beat_schedule: dict = {}
beat_schedule["CELERYD_POOL"] = None
DATABASE_URL = "postgresql://"
text = "CELERYD_CONCURRENCY"
app.conf.task_acks_late = True
other.CELERY_ACKS_LATE = True
app.conf["worker_pool"] = "solo"
app.conf.update(task_ignore_result=True, task_default_queue=CELERY_QUEUES[0])
app.conf.update({"result_expires": 60})
"""


def test_names_are_replaced_where_they_are_settings() -> None:
    source = OLD

    new, renamed = upgrade(source, upper=False)

    assert new == NEW
    assert [(one.line, one.old) for one in renamed[:2]] == [(5, "BROKER_URL"), (6, "CELERYD_CONCURRENCY")]


def test_in_a_django_project_they_are_in_capitals_with_celerys_prefix() -> None:
    source = "BROKER_URL = 'redis://'\nCELERYD_POOL = 'solo'\nCELERY_TIMEZONE = 'UTC'\nTIME_ZONE = 'UTC'\nDEBUG = True\n"

    new, _ = upgrade(source, upper=True)

    assert new == (
        "CELERY_BROKER_URL = 'redis://'\nCELERY_WORKER_POOL = 'solo'\nCELERY_TIMEZONE = 'UTC'\nTIME_ZONE = 'UTC'\nDEBUG = True\n"
    )


def test_what_was_rewritten_needs_nothing_more() -> None:
    new, _ = upgrade(OLD, upper=False)

    again = upgrade(new, upper=False)

    assert again == (new, [])


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_file_is_rewritten_and_kept_as_it_was(quick: Quick, tmp_path: Path, ends: str) -> None:
    file = tmp_path / "settings.py"
    old = f"# Straße{ends}CELERYD_CONCURRENCY = 4{ends}".encode()
    file.write_bytes(old)
    file.chmod(0o640)

    ran = quick.celeriac("upgrade", "settings", "settings.py", bare=True)

    assert (ran.code, ran.out) == (
        0,
        "settings.py:2: CELERYD_CONCURRENCY -> worker_concurrency\n1 name changed; the file as it was is settings.py.orig.\n",
    )
    assert file.read_bytes() == f"# Straße{ends}worker_concurrency = 4{ends}".encode()
    assert (tmp_path / "settings.py.orig").read_bytes() == old
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_dry_run_changes_nothing(quick: Quick, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("CELERYD_POOL = 'solo'\n")

    ran = quick.celeriac("upgrade", "settings", "settings.py", "--dry-run", "--json", bare=True)

    assert ran.json["renamed"] == [{"line": 1, "old": "CELERYD_POOL", "new": "worker_pool"}]
    assert (ran.json["written"], ran.json["backup"]) == (False, None)
    assert [path.name for path in tmp_path.iterdir()] == ["settings.py"]


def test_what_looks_like_a_setting_and_is_none_is_told(quick: Quick, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("CELERYD_FORCE_EXECV = True\n")

    ran = quick.celeriac("upgrade", "settings", "settings.py", bare=True)

    assert ran.out == "There is nothing to change.\n"
    assert ran.err == "settings.py:1: CELERYD_FORCE_EXECV: there is no such setting\n"


@pytest.mark.parametrize(
    ("source", "words", "code", "sentence"),
    [
        ("x = (\n", (), 2, "settings.py is no Python"),
        ("CELERYD_POOL = 'solo'\n", ("nowhere.py",), 2, "'nowhere.py' does not exist"),
        ("CELERYD_POOL = 'solo'\n", ("kept.py",), 2, "kept.py.orig is there already: move it away, or say --no-backup"),
        ("\udcff", (), 2, "settings.py cannot be read"),
    ],
)
def test_what_cannot_be_rewritten_is_told_and_left_alone(
    quick: Quick, tmp_path: Path, source: str, words: tuple[str, ...], code: int, sentence: str
) -> None:
    for name in ("settings.py", "kept.py"):
        (tmp_path / name).write_bytes(textwrap.dedent(source).encode("utf-8", "surrogateescape"))
    (tmp_path / "kept.py.orig").write_text("the first one")

    ran = quick.celeriac("upgrade", "settings", *(words or ("settings.py",)), bare=True)

    assert (ran.code, len(ran.err.splitlines())) == (code, 1)
    assert sentence in ran.err
    assert (tmp_path / "kept.py").read_bytes() == (tmp_path / "settings.py").read_bytes()
    assert (tmp_path / "kept.py.orig").read_text() == "the first one"
