"""The command line inside the test's own process: dozens of calls a second, for what needs no program of a user."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from celeriac import Celery
from celeriac.cli.failures import run_guarded
from celeriac.cli.main import run
from cli.terminal import Ran


class Quick:
    """Runs commands in this process, in ``folder``, with an app of its own on the memory store."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._monkeypatch = folder, monkeypatch
        self.app = Celery("quick", broker=f"memory://{folder.name}", backend=f"memory://{folder.name}", set_as_current=False)
        self.app.task(name="quick.add")(lambda x, y: x + y)

    def celeriac(self, *words: str, stdin: str = "", bare: bool = False) -> Ran:
        """Run ``celeriac`` with these words; ``bare``: with no app at hand, as in a shell."""
        out, err = io.StringIO(), io.StringIO()
        with self._monkeypatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            patch.setattr(os, "environ", os.environ.copy())
            with pytest.raises(SystemExit) as ended:
                run_guarded(lambda: run(list(words), app=None if bare else self.app))
        code = ended.value.code
        assert isinstance(code, int)
        return Ran(code, out.getvalue(), err.getvalue())
