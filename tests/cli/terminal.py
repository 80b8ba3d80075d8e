"""A terminal in a folder of its own, with a home of its own: commands as a user types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, parsed."""
        return json.loads(self.out)


@dataclass
class Terminal:
    """Runs commands in ``folder``, with everything of the user below it."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> None:
        """Write a file of the user."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())

    def environment(self) -> dict[str, str]:
        """Return the environment of a new user."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
        return {**kept, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder / "data"), "NO_COLOR": "1", **self.variables}

    def celeriac(self, *words: str, stdin: str = "") -> Ran:
        """Run ``celeriac`` with these words and wait for its end."""
        return self.run([sys.executable, "-m", "celeriac", *words], stdin=stdin)

    def python(self, code: str) -> Ran:
        """Run a program of the user."""
        return self.run([sys.executable, "-c", textwrap.dedent(code)])

    def run(self, command: Sequence[str], *, stdin: str = "", within_s: float = PATIENCE_S) -> Ran:
        """Run any command."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, out: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start ``celeriac`` with these words beside the test; what it prints is one stream, which must be read, or ``out``."""
        return subprocess.Popen(
            [sys.executable, "-m", "celeriac", *words],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
