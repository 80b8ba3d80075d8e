"""Print the lock file for development: exact versions of everything that tests and tools need.

In a fresh environment, so that nothing of a developer's own slips in. No addresses, no paths: only names and versions,
so the file means the same wherever packages come from.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXTRAS = "redis,yaml,zstd,brotli,pydantic,solar,gevent,eventlet,tui"
NOT_OURS = ("celeriac", "pip", "setuptools", "wheel")


def tools() -> list[str]:
    """Return what the dependency groups ask for, without the project itself."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    named = [entry for group in groups.values() for entry in group if isinstance(entry, str)]
    return [entry for entry in named if not entry.startswith("celeriac")]


def main() -> None:
    """Install everything into a temporary environment and print what came."""
    with tempfile.TemporaryDirectory(prefix="celeriac-lock-") as folder:
        venv.create(folder, with_pip=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "--no-input", "--disable-pip-version-check"]
        subprocess.run([*pip, "--quiet", "install", f"{ROOT}[{EXTRAS}]", *tools()], check=True, stdout=sys.stderr)
        frozen = subprocess.run([*pip, "list", "--format=freeze"], check=True, capture_output=True, text=True).stdout
    print("# Exact versions for development and CI; made by `make lock`. What users need is in pyproject.toml.")
    for line in sorted(frozen.splitlines(), key=str.lower):
        if line.split("==")[0].lower() not in NOT_OURS:
            print(line)


if __name__ == "__main__":
    main()
