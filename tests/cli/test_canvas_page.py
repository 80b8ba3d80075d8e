"""The guide's page about workflows works as printed: its module, its examples, its drawings, with a real worker."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from cli.pages import ROOT, blocks, checked
from cli.terminal import Terminal

PAGE = ROOT / "docs" / "guide" / "canvas.md"
REDIS = os.environ.get("CELERIAC_TEST_REDIS", "")
MODULE = "# shop.py\n"
STOP_S = 20.0
_ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(params=["the file that is used without any setting", "redis"])
def shop(request: pytest.FixtureRequest, terminal: Terminal) -> Terminal:
    """Give a terminal in a folder with the page's ``shop.py``."""
    if request.param == "redis":
        if not REDIS:
            pytest.skip("CELERIAC_TEST_REDIS names no server")
        redis = pytest.importorskip("redis")
        with redis.Redis.from_url(REDIS) as client:
            client.flushdb()
        terminal.variables |= {"CELERY_BROKER_URL": REDIS, "CELERY_RESULT_BACKEND": REDIS}
    terminal.write("shop.py", "\n\n".join(block for block in blocks(PAGE, "python") if block.startswith(MODULE)))
    return terminal


@pytest.fixture
def worker(shop: Terminal) -> Iterator[None]:
    """Start a worker for the module. What it prints of many thousand tasks nobody reads."""
    process = shop.start("-A", "shop", "worker", "-c", "1", "-l", "WARNING", out=subprocess.DEVNULL)
    yield
    process.terminate()
    process.wait(STOP_S)


def typed() -> str:
    """Return what the page has its reader type, with a check of each value that it names."""
    return "\n".join(checked(block) for block in blocks(PAGE, "python") if not block.startswith(MODULE))


def drawing(start: str) -> tuple[list[str], list[str]]:
    """Return the words of a command of the page that begins so, and the lines that it is said to print."""
    [block] = [block for block in blocks(PAGE, "text") if block.startswith(f"$ {start}")]
    command, *lines = block.splitlines()
    return command.removeprefix("$ celeriac ").split(), lines


def alike(lines: list[str]) -> list[str]:
    """Return lines without what differs from one run to the next."""
    return [re.sub(_MOMENT, "<moment>", re.sub(_ID, "<id>", line)) for line in lines]


def test_every_example_comes_to_what_is_printed_behind_it(shop: Terminal, worker: None) -> None:
    program = typed()
    shop.write("program.py", program)

    ran = shop.run(["python", "program.py"], within_s=90)  # twice 12,000 tasks, on one child

    assert ran.code == 0, ran.err
    assert program.count("assert _found == ") >= 30


def test_a_workflow_is_drawn_as_the_page_shows_it(shop: Terminal) -> None:
    words, lines = drawing("celeriac graph workflow")

    ran = shop.celeriac(*words)

    assert ran.out.splitlines() == lines, ran.err


def test_what_became_of_a_workflow_is_drawn_as_the_page_shows_it(shop: Terminal, worker: None) -> None:
    [example] = [block for block in blocks(PAGE, "python") if "print(result.id)" in block]
    words, lines = drawing("celeriac -A shop result")
    id = shop.python(f"from shop import *\n{example}").out.strip()

    ran = shop.celeriac(*(id if re.fullmatch(_ID, word) else word for word in words), "--wait", "--timeout", "20")

    assert alike(ran.out.splitlines()) == alike(lines), ran.err
