"""Signatures as Celery has them: stamped, frozen, stored, cloned, shown, run here and now.

``names/programs/canvas/facts.py`` is run by Celery's interpreter and by ours; ``vectors/canvas.json`` is what Celery's said.
Not compared, since Celery does otherwise by mistake: a chord that is stamped without a visitor leaves its body without stamps,
and names of stamps slip to neighbours in a workflow that have no such stamp. A group that is frozen under a name gets
that name here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from celeriac import Celery, Signature

HERE = Path(__file__).parent
VECTORS: dict[str, Any] = json.loads((HERE / "vectors" / "canvas.json").read_text())
PROGRAM = HERE.parent / "names" / "programs" / "canvas" / "facts.py"
SHIM = HERE.parent.parent / "shim" / "src"
CELERY_PYTHON = os.environ.get("CELERIAC_TEST_CELERY_PYTHON", "")


def facts(python: str, path: str) -> dict[str, Any]:
    """Return what the program says under this interpreter."""
    answer = subprocess.run(
        [python, str(PROGRAM)], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return facts(sys.executable, str(SHIM))


@pytest.mark.timeout(180)
def test_no_fact_is_left_out(ours: dict[str, Any]) -> None:
    assert ours.keys() == VECTORS.keys()


@pytest.mark.parametrize("fact", VECTORS)
def test_a_signature_is_as_celery_has_it(fact: str, ours: dict[str, Any]) -> None:
    assert ours[fact] == VECTORS[fact]


@pytest.mark.skipif(not CELERY_PYTHON, reason="CELERIAC_TEST_CELERY_PYTHON names no interpreter that has Celery")
@pytest.mark.timeout(180)
def test_celery_still_says_so() -> None:
    assert facts(CELERY_PYTHON, "") == VECTORS


@pytest.mark.parametrize("fact", [name for name in VECTORS if name.endswith((": stored", ": everywhere", ": twice"))])
def test_what_celery_stored_is_read_and_written_again_as_it_was(fact: str) -> None:
    with Celery("reader", broker="memory://", set_as_current=False) as app:
        read = Signature.from_dict(VECTORS[fact], app)

        assert json.loads(json.dumps(read)) == VECTORS[fact]
        assert read.clone() == read
