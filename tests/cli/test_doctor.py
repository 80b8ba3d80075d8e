"""``celeriac doctor``: what it finds, and its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from celeriac import Celery
from celeriac.abc import Lessee


def doctor(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "celeriac", *words, "doctor", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_store_that_does_not_answer_is_an_error() -> None:
    done = doctor("-b", "redis://:secret@127.0.0.1:1/0")

    errors = [one["about"] for one in json.loads(done.stdout) if one["level"] == "error"]
    assert (done.returncode, errors) == (2, ["broker"])
    assert "secret" not in done.stdout


def test_settings_that_make_no_app_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "from celeriac import Celery\n"
        "app = Celery('shop', broker='memory://', task_queues=['mail'], task_create_missing_queues=False)\n"
    )

    done = doctor("--workdir", str(tmp_path), "-A", "shop")

    told = {one["about"]: one["text"] for one in json.loads(done.stdout)}
    assert done.returncode == 2
    assert "is not in task_queues" in told["store"]


def test_messages_that_nobody_will_take_are_an_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    Celery("client", broker=url, set_as_current=False).send_task("shop.add")

    done = doctor("-b", url, "--result-backend", url)

    told = {one["about"]: (one["level"], one["text"]) for one in json.loads(done.stdout)}
    assert done.returncode == 2
    assert told["queue celery"] == ("error", "1 messages wait, and no worker serves it")


def test_a_fleet_that_is_well_is_code_0(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = Celery("node", broker=url, backend=url, set_as_current=False).store
    store.keep("node-1", name="a@x", info={"queues": ["celery"]}, queues=["celery"])
    store.fetch(["celery"], lessee=Lessee("node-1", "0.1"), limit=1, wait_s=0.0)

    done = doctor("-b", url, "--result-backend", url)

    assert done.returncode == 0, done.stdout
